"""From MQTT to Kafka and, when Kafka has it, back: the acknowledgement."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from asty_contracts import topics
from asty_contracts.groups import as_sent, encode
from asty_contracts.topics import KafkaTopic, Up
from confluent_kafka import KafkaError

from asty_ingest import shards
from asty_ingest.counters import Counters
from asty_ingest.groups import Groups
from asty_ingest.kafka import TOO_BIG, Done
from asty_ingest.settings import Shard
from asty_ingest.verify import Incoming, Outgoing, Verifier, refuse
from asty_ingest.window import Ticket, Window

log = logging.getLogger(__name__)

_LANES = (topics.URGENT, topics.TELEMETRY, topics.BACKLOG)
"""Of packs, first things first."""
GATHER_S = 0.05
"""What is not urgent gathers so long after the last message of its group: each costs Kafka and its reader far more than the packs in it."""

Send = Callable[[KafkaTopic, str, bytes, Done], None]


class Link(Protocol):
    """The MQTT connection that brought a message."""

    number: int
    ended: threading.Event

    def subscribe(self, filters: Sequence[str]) -> None: ...
    def ack(self, mids: Sequence[int]) -> None: ...
    def break_off(self) -> None: ...


class Taken(NamedTuple):
    """One message on its way to Kafka: who brought it, its place in the window, what came and what is sent of it."""

    link: Link
    ticket: Ticket
    message: Incoming
    out: Outgoing


class Bridge:
    """Takes messages on the MQTT thread, settles them on Kafka's thread. A full window holds the MQTT thread, which stops reading."""

    def __init__(self, org: str, shard: Shard, window: Window, send: Send, counters: Counters, gather: float = GATHER_S) -> None:
        self._org = org
        self._shard = shard
        self._verifier = Verifier(org)
        self._window = window
        self._send = send
        self._counters = counters
        self._edges: set[str] = set()  # this shard's own, when there are several
        self._groups: dict[KafkaTopic, Groups[Taken]] = {
            topic: Groups(topic.partitions, 0 if topic is topics.URGENT else gather) for topic in _LANES
        }
        self._grouping = threading.RLock()  # a delivery that fails at once is told by the thread that sends it
        self._changed = threading.Condition()
        self._closing = False

    @property
    def in_flight(self) -> tuple[int, int]:
        """Return how many messages, and how many bytes, Kafka does not yet have."""
        with self._changed:
            return self._window.count, self._window.bytes

    def opened(self, link: Link) -> None:
        """A connection stands: forget what the older one owed, subscribe."""
        with self._changed:
            link.number = self._window.begin()
        self._counters.add("connects")
        link.subscribe(shards.filters(self._org, self._shard, self._edges))

    def received(self, link: Link, messages: Sequence[Incoming]) -> None:
        """Take messages in their order. Waits while the window is full."""
        while messages and (tickets := self._admit(link, messages)):
            self._counters.add("received", n=len(tickets))
            self._take(link, messages[: len(tickets)], tickets)
            messages = messages[len(tickets) :]

    def run(self, stop: threading.Event) -> None:
        """Send off what has gathered, until stopped."""
        while not stop.wait(GATHER_S / 2):
            self._send_gathered()

    def close(self, seconds: float) -> int:
        """Take no more and wait for what is in flight; return how many messages are left to the broker."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._window.count == 0, seconds)
            return self._window.count

    def _admit(self, link: Link, messages: Sequence[Incoming]) -> list[Ticket]:
        """Give a place in the window to as many messages as have room, waiting for the first; none when nothing is taken any more."""
        with self._changed:
            while not (self._closing or link.ended.is_set() or self._window.has_room(len(messages[0].payload))):
                self._changed.wait(1)
            tickets: list[Ticket] = []
            if not self._closing and not link.ended.is_set():
                for message in messages:
                    size = len(message.payload)
                    if not self._window.has_room(size):
                        break
                    tickets.append(self._window.take(link.number, message.mid, size))
            return tickets

    def _take(self, link: Link, messages: Sequence[Incoming], tickets: Sequence[Ticket]) -> None:
        packs: list[Taken] = []
        for message, ticket in zip(messages, tickets, strict=True):
            if not self._mine(link, message.topic):
                self._settle([(link, ticket)])
                continue
            taken = Taken(link, ticket, message, self._verifier.judge(message))
            if taken.out.sent is not None:
                packs.append(taken)
            else:
                self._send_alone(taken)
        if packs:
            self._send_together(packs)

    def _mine(self, link: Link, name: str) -> bool:
        """Tell whether the message is this shard's; an own edge that is seen for the first time is subscribed to."""
        if self._shard.count == 1 or (topic := topics.parse(name)) is None:
            return True
        if not shards.belongs(topic.edge, self._shard):
            return False
        if topic.leaf is Up.STATE and topic.edge not in self._edges:
            self._edges.add(topic.edge)
            link.subscribe(shards.edge_filters(self._org, topic.edge))
        return True

    def _send_alone(self, taken: Taken) -> None:
        self._send(taken.out.topic, taken.out.key, taken.out.value, partial(self._done, [taken]))

    def _send_together(self, packs: Iterable[Taken]) -> None:
        touched = set()
        with self._grouping:
            for taken in packs:
                groups = self._groups[taken.out.topic]
                key = groups.key_of(taken.out.key)
                touched.add((taken.out.topic, key))
                self._depart(groups, key, groups.put(key, taken, time.monotonic()))
            for topic, key in sorted(touched, key=lambda it: _LANES.index(it[0])):
                self._depart(self._groups[topic], key, self._groups[topic].idle(key, time.monotonic()))

    def _send_gathered(self) -> None:
        with self._grouping:
            for groups in self._groups.values():
                for key in groups.waiting:
                    self._depart(groups, key, groups.idle(key, time.monotonic()))

    def _depart(self, groups: Groups[Taken], key: str, members: list[Taken]) -> None:
        """Send a group off, under the lock that keeps groups in order."""
        if members:
            packs = [taken.out.sent for taken in members if taken.out.sent]
            value = encode(self._org, packs)
            for sent in packs:
                sent.pack = None  # it is written, and its records are many objects
            self._send(members[0].out.topic, key, value, partial(self._arrived, groups, key, members))

    def _arrived(self, groups: Groups[Taken], key: str, members: list[Taken], error: KafkaError | None) -> None:
        with self._grouping:
            self._depart(groups, key, groups.arrived(key, time.monotonic()))
        self._done(members, error, key)

    def _done(self, members: list[Taken], error: KafkaError | None, key: str = "") -> None:
        if error is None:
            self._count(members)
            self._settle((taken.link, taken.ticket) for taken in members)
        elif error.code() in TOO_BIG and len(members) > 1:
            for taken in members:
                self._send(
                    taken.out.topic, key, as_sent(self._org, [taken.out.sent] if taken.out.sent else []), partial(self._done, [taken])
                )
        elif error.code() in TOO_BIG and members[0].out.reason is None:
            [taken] = members
            why = f"Kafka takes no message of {len(taken.message.payload)} bytes"
            self._send_alone(taken._replace(out=refuse(taken.message, "too_big", why)))
        else:
            self._give_up(members, error)

    def _count(self, members: list[Taken]) -> None:
        self._counters.add("delivered", members[0].out.topic.name, len(members))
        self._counters.add("records", n=sum(taken.out.records for taken in members))
        for message, out in ((taken.message, taken.out) for taken in members if taken.out.reason is not None):
            self._counters.add("refused", out.reason or "")
            log.warning("event=refused reason=%s topic=%r detail=%r kept=%s", out.reason, message.topic[:200], out.detail, out.topic.name)

    def _settle(self, done: Iterable[tuple[Link, Ticket]]) -> None:
        ready: dict[Link, list[int]] = {}
        with self._changed:
            for link, ticket in done:
                if mids := self._window.settle(ticket):
                    ready.setdefault(link, []).extend(mids)
            for link, mids in ready.items():
                link.ack(mids)
            self._changed.notify_all()

    def _give_up(self, members: list[Taken], error: KafkaError) -> None:
        with self._changed:
            links = {taken.link for taken in members if self._window.give_up(taken.ticket)}
            self._changed.notify_all()
        self._counters.add("delivery_failures", n=len(members))
        for link in links:
            log.warning("event=delivery_failed error=%r kept=mqtt_session do=reconnect", error.str())
            link.break_off()
