"""A virtual edge's outbox: numbers records, holds packs until the store acknowledges them, sends them again after a back-off.

It keeps the delivery rules of the real agent (asty_edge.uplink) and neither its disk nor its lanes' fine print, so that one
process can hold hundreds. Pure: the time is an argument, nothing here waits.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from asty_contracts.envelope import Pack, Record, encode, encode_data
from asty_contracts.life import Ack
from asty_contracts.records import Alarm, Position
from msgspec import Raw

from asty_appliance.bench.publisher import VirtualEdge

FIRST_BACKOFF_MS = 10_000
LAST_BACKOFF_MS = 300_000
STRETCH = 16
"""Backlog packs that may be without an end-to-end acknowledgement."""
BACKLOG_PACK = 100
HOUR_MS = 3_600_000


class Packed(NamedTuple):
    """One pack as sent: its sequences, the times of its first and last record (UTC ms) and whether it is backlog."""

    first: int
    last: int
    t_first: int
    t_last: int
    backlog: bool
    payload: bytes


@dataclass(slots=True)
class Outbox:
    """`head` is the highest sequence produced; what is `held` waits for its acknowledgement."""

    edge: VirtualEdge
    head: int = 0
    acked: int = 0
    todo: deque[Packed] = field(default_factory=deque)
    out: deque[Packed] = field(default_factory=deque)
    backlog: Iterator[Packed] = field(default_factory=lambda: iter(()))
    backlog_left: int = 0
    _progress_at: int = 0
    _backoff: int = FIRST_BACKOFF_MS

    @property
    def held(self) -> int:
        """How many records are not acknowledged."""
        return self.head - self.acked

    def read(self, now: int, readings: int, over_ms: int) -> Packed:
        """Produce a pack of positions that were read in equal steps over the last `over_ms`."""
        step = over_ms // readings
        records = [_position(self.head + 1 + n, now - (readings - 1 - n) * step) for n in range(readings)]
        return self._append(records)

    def alarm(self, now: int, number: int) -> Packed:
        """Produce an alarm of its own pack; `number` is in its text."""
        kind, data = encode_data(Alarm("device_lost", on=True, device="scale", severity="critical", info=f"bench no {number}"))
        return self._append([Record(s=self.head + 1, t=now, k=kind, d=Raw(data), tq="ntp")])

    def fill(self, now: int, hours: float, every_ms: int) -> None:
        """Put a backlog of `hours` before everything else: a position each `every_ms`, packed only when it is sent."""
        assert self.head == 0, "the backlog is what came first"
        count = int(hours * HOUR_MS) // every_ms
        self.head = self.backlog_left = count
        self.backlog = self._backlog(count, now - count * every_ms, every_ms)

    def next(self, now: int) -> Packed | None:
        """Return the pack to send now, live before backlog; it is out until it is acknowledged."""
        if self.out and now - self._progress_at >= self._backoff:
            self._backoff = min(2 * self._backoff, LAST_BACKOFF_MS)
            self._progress_at = now
            self.todo.extendleft(reversed(self.out))
            self.out.clear()
        if self.todo:
            packed = self.todo.popleft()
        elif self.backlog_left and sum(it.backlog for it in self.out) < STRETCH:
            packed = next(self.backlog)
            self.backlog_left -= packed.last - packed.first + 1
        else:
            return None
        if not self.out:
            self._progress_at = now
        self.out.append(packed)
        return packed

    def not_sent(self, packed: Packed) -> None:
        """The broker did not take it: it goes first when the connection stands again."""
        self.out.remove(packed)
        self.todo.appendleft(packed)

    def acknowledge(self, ack: Ack, now: int) -> None:
        """Delete what the store has."""
        if ack.ep != self.edge.ep or ack.upto <= self.acked:
            return
        self.acked = min(ack.upto, self.head)
        self._progress_at = now
        self._backoff = FIRST_BACKOFF_MS
        self.out = deque(it for it in self.out if it.last > self.acked)
        self.todo = deque(it for it in self.todo if it.last > self.acked)

    def _append(self, records: list[Record]) -> Packed:
        packed = _pack(self.edge.ep, records, backlog=False)
        self.head = packed.last
        self.todo.append(packed)
        return packed

    def _backlog(self, count: int, start: int, every_ms: int) -> Iterator[Packed]:
        for first in range(1, count + 1, BACKLOG_PACK):
            numbers = range(first, min(first + BACKLOG_PACK, count + 1))
            yield _pack(self.edge.ep, [_position(s, start + s * every_ms) for s in numbers], backlog=True)


def _pack(ep: UUID, records: list[Record], *, backlog: bool) -> Packed:
    payload = encode(Pack(ep=ep, recs=records, h=backlog))
    return Packed(records[0].s, records[-1].s, records[0].t, records[-1].t, backlog, payload)


def _position(s: int, t: int) -> Record:
    turn = s % 1000
    kind, data = encode_data(
        Position(lat=round(39.36 + turn / 1e5, 6), lon=round(22.94 + turn / 2e5, 6), v=turn % 12 + 0.5, course=turn % 360 + 0.1, sats=9)
    )
    return Record(s=s, t=t, k=kind, d=Raw(data), mono=s * 100, tq="gnss")
