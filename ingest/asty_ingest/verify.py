"""What becomes of a message: taken for one Kafka topic, or refused with a reason. Pure."""

from collections import OrderedDict
from functools import lru_cache
from typing import Literal
from uuid import UUID

import msgspec
from asty_contracts import CONTRACT_VERSION, envelope, topics, typed
from asty_contracts.envelope import Pack, PackRefusedError, Reason
from asty_contracts.groups import Sent
from asty_contracts.life import Birth, State
from asty_contracts.stream import EdgeLife, Refused
from asty_contracts.topics import EdgeTopic, KafkaTopic, Up
from asty_contracts.typed import TypedPack
from msgspec import Raw, Struct

KEPT_BYTES = 4096
MAX_EPOCHS = 100_000
ANSWERED = frozenset[Reason]({"malformed", "too_big", "unknown_version"})
"""Reasons that lie in the pack: its edge is told which of its records are refused. Of another edge's epoch nobody is told."""
_births = msgspec.json.Decoder(Birth)
_states = msgspec.json.Decoder(State)
_ALARM = typed.ITEMS["alarm"]
_parse = lru_cache(maxsize=16_384)(topics.parse)


class Incoming(Struct, frozen=True):
    """A message as the broker gave it, and when (UTC ms); `mid` is its MQTT id, 0 for QoS 0."""

    topic: str
    payload: bytes
    rx: int
    content_type: str | None = None
    mid: int = 0


class Outgoing(Struct):
    """What Kafka shall have of a message: a pack, which travels in a group, or a `value` of its own; `reason` is set when it was
    refused. `records` counts those of a pack.
    """

    topic: KafkaTopic
    key: str
    value: bytes = b""
    sent: Sent | None = None
    reason: Reason | None = None
    detail: str = ""
    records: int = 0


class EpochOwners:
    """Which edge an outbox epoch was first seen under; remembers the last MAX_EPOCHS that spoke.

    It starts empty with the process: the ledger behind Kafka is what binds an epoch for good.
    """

    def __init__(self, most: int = MAX_EPOCHS) -> None:
        self._most = most
        self._owners: OrderedDict[UUID, str] = OrderedDict()

    def owner(self, epoch: UUID, edge: str) -> str:
        """Return the owner of the epoch, which is `edge` when nobody had it."""
        owner = self._owners.setdefault(epoch, edge)
        self._owners.move_to_end(epoch)
        if len(self._owners) > self._most:
            self._owners.popitem(last=False)
        return owner


class Verifier:
    """Judges the messages of one organisation."""

    def __init__(self, org: str) -> None:
        self._org = org
        self._epochs = EpochOwners()

    def judge(self, message: Incoming) -> Outgoing:
        """Return what Kafka shall have of the message, whatever it is."""
        try:
            topic = self._topic(message.topic)
            text = envelope.json_text(message.payload, message.content_type)
            if topic.leaf is Up.RECORDS:
                return self._records(topic, text, message.rx)
            return self._life(topic, "birth" if topic.leaf is Up.BIRTH else "state", text, message.rx)
        except PackRefusedError as refused:
            return refuse(message, refused.reason, refused.detail)

    def _topic(self, name: str) -> EdgeTopic:
        topic = _parse(name)
        if topic is None or topic.leaf not in (Up.RECORDS, Up.BIRTH, Up.STATE):
            raise PackRefusedError("bad_topic", f"{name[:200]!r} is no topic that ingest takes")
        if topic.org != self._org:
            raise PackRefusedError("bad_topic", f"organisation {topic.org}, this ingest serves {self._org}")
        return topic

    def _records(self, topic: EdgeTopic, text: bytes, rx: int) -> Outgoing:
        read = typed.read(text)
        pack = read or envelope.decode_json(text)
        self._own(pack.ep, topic.edge)
        sent = Sent(topic.edge, rx, text, read)
        return Outgoing(_lane(pack), topic.edge, sent=sent, records=len(pack.recs))

    def _life(self, topic: EdgeTopic, what: Literal["birth", "state"], text: bytes, rx: int) -> Outgoing:
        try:
            said: Birth | State = _births.decode(text) if what == "birth" else _states.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise PackRefusedError("malformed", str(error)) from error
        if said.v != CONTRACT_VERSION:
            raise PackRefusedError("unknown_version", f"version {said.v}, this reader knows {CONTRACT_VERSION}")
        if isinstance(said, Birth) and said.edge != topic.edge:
            raise PackRefusedError("wrong_edge", f"a birth of {said.edge[:60]!r} under {topic.edge}")
        if said.ep is not None:
            self._own(said.ep, topic.edge)
        value = msgspec.json.encode(EdgeLife(topic.org, topic.edge, rx, what, Raw(text)))
        return Outgoing(topics.EDGE_LIFE, topic.edge, value)

    def _own(self, epoch: UUID, edge: str) -> None:
        if (owner := self._epochs.owner(epoch, edge)) != edge:
            raise PackRefusedError("wrong_edge", f"epoch {epoch} belongs to {owner}")


def _lane(pack: TypedPack | Pack) -> KafkaTopic:
    """Choose the topic of a pack: nothing that is not urgent itself goes before an alarm; history raises none."""
    if pack.h:
        return topics.BACKLOG
    if isinstance(pack, Pack):
        return topics.URGENT if any(record.k == "alarm" for record in pack.recs) else topics.TELEMETRY
    return topics.URGENT if _ALARM in set(map(type, pack.recs)) else topics.TELEMETRY


def refuse(message: Incoming, reason: Reason, detail: str) -> Outgoing:
    """Return the message as refused, with its first KEPT_BYTES."""
    topic = topics.parse(message.topic)
    edge = topic.edge if topic else None
    refused = Refused(message.topic, edge, message.rx, reason, detail, len(message.payload), message.payload[:KEPT_BYTES])
    is_answered = topic is not None and topic.leaf is Up.RECORDS and reason in ANSWERED
    if is_answered and (claim := envelope.claim(message.payload, message.content_type)) is not None:
        refused = msgspec.structs.replace(refused, ep=claim.ep, claims=claim.ranges)
    return Outgoing(topics.REFUSED, edge or "", msgspec.json.encode(refused), reason=reason, detail=detail)
