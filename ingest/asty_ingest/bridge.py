"""From MQTT to Kafka and, when Kafka has it, back: the acknowledgement."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple, Protocol

from asty_contracts import topics
from asty_contracts.topics import KafkaTopic, Up
from confluent_kafka import KafkaError

from asty_ingest import shards
from asty_ingest.counters import Counters
from asty_ingest.groups import Groups, joined
from asty_ingest.kafka import TOO_BIG, Done
from asty_ingest.settings import Shard
from asty_ingest.verify import Incoming, Outgoing, Verifier, refuse
from asty_ingest.window import Ticket, Window

log = logging.getLogger(__name__)

Send = Callable[[KafkaTopic, str, bytes, Done], None]


class Link(Protocol):
    """The MQTT connection that brought a message."""

    number: int
    ended: threading.Event

    def subscribe(self, filters: list[str]) -> None: ...
    def ack(self, mids: list[int]) -> None: ...
    def break_off(self) -> None: ...


class Taken(NamedTuple):
    """One message on its way to Kafka: who brought it, its place in the window, what came and what is sent of it."""

    link: Link
    ticket: Ticket
    message: Incoming
    out: Outgoing


class Bridge:
    """Takes messages on the MQTT thread, settles them on Kafka's thread. A full window holds the MQTT thread, which stops reading."""

    def __init__(self, org: str, shard: Shard, window: Window, send: Send, counters: Counters) -> None:
        self._org = org
        self._shard = shard
        self._verifier = Verifier(org)
        self._window = window
        self._send = send
        self._counters = counters
        self._edges: set[str] = set()  # this shard's own, when there are several
        self._groups: dict[KafkaTopic, Groups[Taken]] = {topic: Groups(topic.partitions) for topic in (topics.TELEMETRY, topics.BACKLOG)}
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

    def received(self, link: Link, mid: int, message: Incoming) -> None:
        """Take one message; `mid` is its MQTT id, 0 for QoS 0. Waits while the window is full."""
        ticket = self._admit(link, mid, len(message.payload))
        if ticket is None:
            return
        self._counters.add("received")
        if not self._mine(link, message.topic):
            self._settle([(link, ticket)])
            return
        self._forward(Taken(link, ticket, message, self._verifier.judge(message)))

    def close(self, seconds: float) -> int:
        """Take no more and wait for what is in flight; return how many messages are left to the broker."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._window.count == 0, seconds)
            return self._window.count

    def _admit(self, link: Link, mid: int, size: int) -> Ticket | None:
        with self._changed:
            while not (self._closing or link.ended.is_set() or self._window.has_room(size)):
                self._changed.wait(1)
            if self._closing or link.ended.is_set():
                return None
            return self._window.take(link.number, mid, size)

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

    def _forward(self, taken: Taken) -> None:
        groups = self._groups.get(taken.out.topic)
        if groups is None or taken.out.reason is not None:
            self._send(taken.out.topic, taken.out.key, taken.out.value, partial(self._done, [taken]))
            return
        key = groups.key_of(taken.out.key)
        with self._grouping:
            self._depart(groups, key, groups.put(key, taken))

    def _depart(self, groups: Groups[Taken], key: str, members: list[Taken]) -> None:
        """Send a group off, under the lock that keeps groups in order."""
        if members:
            self._send(members[0].out.topic, key, joined(members), partial(self._arrived, groups, key, members))

    def _arrived(self, groups: Groups[Taken], key: str, members: list[Taken], error: KafkaError | None) -> None:
        with self._grouping:
            self._depart(groups, key, groups.arrived(key))
        self._done(members, error)

    def _done(self, members: list[Taken], error: KafkaError | None) -> None:
        if error is None:
            self._count(members)
            self._settle((taken.link, taken.ticket) for taken in members)
        elif error.code() in TOO_BIG and len(members) > 1:
            for taken in members:
                self._send(taken.out.topic, taken.out.key, joined([taken]), partial(self._done, [taken]))
        elif error.code() in TOO_BIG and members[0].out.reason is None:
            [taken] = members
            why = f"Kafka takes no message of {len(taken.out.value)} bytes"
            self._forward(taken._replace(out=refuse(taken.message, "too_big", why)))
        else:
            self._give_up(members, error)

    def _count(self, members: list[Taken]) -> None:
        self._counters.add("delivered", members[0].out.topic.name, len(members))
        self._counters.add("records", n=sum(taken.out.records for taken in members))
        for message, out in ((taken.message, taken.out) for taken in members if taken.out.reason is not None):
            self._counters.add("refused", out.reason or "")
            log.warning("event=refused reason=%s topic=%r detail=%r kept=%s", out.reason, message.topic[:200], out.detail, out.topic.name)

    def _settle(self, done: Iterable[tuple[Link, Ticket]]) -> None:
        with self._changed:
            for link, ticket in done:
                if ready := self._window.settle(ticket):
                    link.ack(ready)
            self._changed.notify_all()

    def _give_up(self, members: list[Taken], error: KafkaError) -> None:
        with self._changed:
            links = {taken.link for taken in members if self._window.give_up(taken.ticket)}
            self._changed.notify_all()
        self._counters.add("delivery_failures", n=len(members))
        for link in links:
            log.warning("event=delivery_failed error=%r kept=mqtt_session do=reconnect", error.str())
            link.break_off()


def now_ms() -> int:
    """Return UTC milliseconds."""
    return time.time_ns() // 1_000_000
