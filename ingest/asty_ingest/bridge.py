"""From MQTT to Kafka and, when Kafka has it, back: the acknowledgement."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from asty_contracts import topics
from asty_contracts.topics import KafkaTopic, Up
from confluent_kafka import KafkaError

from asty_ingest import shards
from asty_ingest.counters import Counters
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
            self._settle(link, ticket)
            return
        self._forward(link, ticket, message, self._verifier.judge(message))

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

    def _forward(self, link: Link, ticket: Ticket, message: Incoming, out: Outgoing) -> None:
        self._send(out.topic, out.key, out.value, partial(self._done, link, ticket, message, out))

    def _done(self, link: Link, ticket: Ticket, message: Incoming, out: Outgoing, error: KafkaError | None) -> None:
        if error is None:
            self._count(message, out)
            self._settle(link, ticket)
        elif error.code() in TOO_BIG and out.reason is None:
            self._forward(link, ticket, message, refuse(message, "too_big", f"Kafka takes no message of {len(out.value)} bytes"))
        else:
            self._give_up(link, ticket, error)

    def _count(self, message: Incoming, out: Outgoing) -> None:
        self._counters.add("delivered", out.topic.name)
        self._counters.add("records", n=out.records)
        if out.reason is not None:
            self._counters.add("refused", out.reason)
            log.warning("event=refused reason=%s topic=%r detail=%r kept=%s", out.reason, message.topic[:200], out.detail, out.topic.name)

    def _settle(self, link: Link, ticket: Ticket) -> None:
        with self._changed:
            link.ack(self._window.settle(ticket))
            self._changed.notify_all()

    def _give_up(self, link: Link, ticket: Ticket, error: KafkaError) -> None:
        with self._changed:
            current = self._window.give_up(ticket)
            self._changed.notify_all()
        self._counters.add("delivery_failures")
        if current:
            log.warning("event=delivery_failed error=%r kept=mqtt_session do=reconnect", error.str())
            link.break_off()


def now_ms() -> int:
    """Return UTC milliseconds."""
    return time.time_ns() // 1_000_000
