"""Measures on the real disk: what Linux counts as written by this process, and what days without a network take."""

from pathlib import Path

from msgspec import Struct

from asty_edge.event import Event
from asty_edge.outbox import Outbox
from asty_edge.wear.day import DAY_S, batches

COMMITS_AT_ONCE = 600
"""Batches that share a commit while room, and not wear, is measured: the records are the same, the disk waits less often."""


class Wear(Struct, frozen=True):
    """`written`: bytes that this process made the disk take; `data`: bytes of the records themselves; `seconds` of a truck's life."""

    records: int
    commits: int
    seconds: int
    data: int
    written: int

    @property
    def per_record(self) -> float:
        """Bytes written for each record."""
        return self.written / self.records

    @property
    def per_day(self) -> float:
        """Bytes written in a day at these rates."""
        return self.written * DAY_S / self.seconds


class Room(Struct, frozen=True):
    """What waits after so many days offline: `bytes` of records, of the `budget`; `file` bytes of database and log together, at most."""

    days: float
    records: int
    held: int
    thinned: int
    bytes: int
    budget: int
    file: int


def measure_wear(path: Path, records: int, *, acknowledged: bool) -> Wear:
    """Store so many records one commit each, as the agent does; `acknowledged`: and delete them a second later. Linux only: OSError."""
    outbox = Outbox.open(path, 1 << 40)
    before = written_bytes()
    stored = commits = data = seconds = 0
    try:
        for events in batches(3650 * DAY_S):
            now = events[0].when.mono // 1000
            if acknowledged and now > seconds and outbox.head > outbox.acked:
                outbox.acknowledge(outbox.head)
                commits += 1
            seconds = now
            size = outbox.bytes
            outbox.append(events)
            data += outbox.bytes - size
            stored += len(events)
            commits += 1
            if stored >= records:
                break
    finally:
        outbox.close()
    return Wear(stored, commits, max(seconds, 1), data, written_bytes() - before)


def measure_room(path: Path, days: float, max_bytes: int) -> Room:
    """Fill an outbox for so many days without one acknowledgement."""
    outbox = Outbox.open(path, max_bytes)
    produced = most = 0
    waiting: list[Event] = []
    try:
        for number, events in enumerate(batches(int(days * DAY_S)), 1):
            waiting += events
            if number % COMMITS_AT_ONCE == 0:
                produced += _store(outbox, waiting)
                most = max(most, file_bytes(path))
                waiting = []
        produced += _store(outbox, waiting)
        most = max(most, file_bytes(path))
        return Room(days, produced, outbox.held, outbox.given_up, outbox.bytes, max_bytes, most)
    finally:
        outbox.close()


def _store(outbox: Outbox, events: list[Event]) -> int:
    outbox.append(events)
    return len(events)


def written_bytes() -> int:
    """Return what this process has made the disk take so far (`write_bytes` of proc_pid_io(5)). Raises OSError where it isn't told."""
    for line in Path("/proc/self/io").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "write_bytes":
            return int(value)
    raise OSError("/proc/self/io tells no write_bytes")


def file_bytes(path: Path) -> int:
    """Return the size of the database and its log."""
    return sum(side.stat().st_size for side in (path, path.with_name(path.name + "-wal")) if side.exists())
