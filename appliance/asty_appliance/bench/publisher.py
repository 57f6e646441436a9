"""Virtual edges that publish packs of positions, as fast as the broker takes them."""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from asty_contracts.envelope import Pack, Record, encode, encode_data
from asty_contracts.records import Position
from asty_contracts.topics import EdgeTopic, Up
from msgspec import Raw
from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion

APART_MS = 200


@dataclass(frozen=True, slots=True)
class VirtualEdge:
    """An edge with a fresh outbox epoch."""

    org: str
    name: str
    ep: UUID = field(default_factory=uuid4)

    @property
    def topic(self) -> str:
        return str(EdgeTopic(self.org, self.name, Up.RECORDS))


def edges(org: str, count: int) -> list[VirtualEdge]:
    """Return `count` edges that no earlier run used."""
    return [VirtualEdge(org, f"bench-{number:03}") for number in range(count)]


def packs(fleet: list[VirtualEdge], readings: int, per_pack: int, seed: int = 1, start: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, payload) for `readings` positions in packs of `per_pack`; the edges take turns, an edge's positions are 200 ms apart.

    The first is at `start` (UTC ms); unless told otherwise so that the last is a minute ago, since a time to come is looked at one by one.
    """
    dice = random.Random(seed)  # noqa: S311 positions, no secrets
    start = int(time.time() * 1000) - 60_000 - readings // len(fleet) * APART_MS if start is None else start
    for number in range(readings // per_pack):
        edge = fleet[number % len(fleet)]
        first = number // len(fleet) * per_pack
        records = [_position(first + place, start, dice) for place in range(per_pack)]
        yield edge.topic, encode(Pack(ep=edge.ep, recs=records))


def _position(number: int, start: int, dice: random.Random) -> Record:
    lat, lon = 39.36 + dice.random() / 100, 22.94 + dice.random() / 100
    kind, data = encode_data(
        Position(lat=round(lat, 6), lon=round(lon, 6), v=round(dice.random() * 12, 1), course=round(dice.random() * 360, 1), sats=9)
    )
    return Record(s=number + 1, t=start + number * APART_MS, k=kind, d=Raw(data), mono=number * APART_MS, tq="gnss")


class Publisher:
    """Publishes at QoS 1 and waits until the broker has acknowledged all."""

    def __init__(self, host: str, port: int, window: int = 2000) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"asty-bench-{uuid4().hex[:8]}")
        self._client.max_inflight_messages_set(window)
        self._client.max_queued_messages_set(0)
        self._slots = threading.Semaphore(window)
        self._client.on_publish = self._published
        self._client.connect(host, port)
        self._client.loop_start()

    def send(self, messages: Iterator[tuple[str, bytes]]) -> None:
        """Publish all and return when the broker has them."""
        last: MQTTMessageInfo | None = None
        for topic, payload in messages:
            self._slots.acquire()
            last = self._client.publish(topic, payload, qos=1)
        if last is not None:
            last.wait_for_publish(60)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _published(self, *_: object) -> None:
        self._slots.release()
