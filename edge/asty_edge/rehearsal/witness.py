"""What was appended, written down beside the outbox and without asking it: first the intention, then, when the append returned, the deed.

truth.jsonl, one JSON array a line, each on the disk before anything goes on:

    ["i", batch, epoch, [n, …], [t, …], [kind, …]]   these records are about to be appended; n = 0: the agent's own
    ["d", batch, [s, …]]                             they were, under these sequence numbers; 0: a full outbox refused the position

A batch that was intended and never done is unsure: the process was killed in between.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from asty_contracts.envelope import encode_data
from asty_contracts.records import KIND_OF, THINNABLE

from asty_edge.event import Event
from asty_edge.outbox import Appended, Outbox
from asty_edge.ranges import Ranges
from asty_edge.rehearsal.numbered import number_of

_write = msgspec.json.encode


class Witness:
    """The truth of one edge, across all its lives."""

    def __init__(self, path: Path) -> None:
        self.last = _last_number(path)
        """The highest running number that was ever intended."""
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        if path.stat().st_size and path.read_bytes()[-1:] != b"\n":  # killed while writing: that line counts for nothing
            os.write(self._file, b"\n")

    def intends(self, epoch: UUID, events: Sequence[Event]) -> int:
        """Write down what is about to be appended; returns the batch's mark."""
        batch = os.lseek(self._file, 0, os.SEEK_END)
        numbers = [number_of(event.data) for event in events]
        kinds = [KIND_OF[type(event.data)] for event in events]
        self._line(["i", batch, str(epoch), numbers, [event.when.utc for event in events], kinds])
        self.last = max([self.last, *numbers])
        return batch

    def did(self, batch: int, sequences: Sequence[int]) -> None:
        """Write down that the append returned."""
        self._line(["d", batch, list(sequences)])

    def _line(self, what: list[object]) -> None:
        os.write(self._file, _write(what) + b"\n")
        os.fdatasync(self._file)


class WitnessedOutbox(Outbox):
    """An outbox whose appends are written down."""

    witness: Witness

    def append(self, events: Sequence[Event], spare: Ranges | None = None) -> Appended:
        """Append, before a witness."""
        batch = self.witness.intends(self.epoch, events)
        appended = super().append(events, spare)
        self.witness.did(batch, sequences_of(events, appended))
        return appended

    def fill_disk(self, *, full: bool) -> None:
        """Let the file grow no further, as on a full disk, or let it grow again."""
        pages = self._db.execute("PRAGMA page_count").fetchone()[0] if full else (1 << 31) - 2
        self._db.execute(f"PRAGMA max_page_count = {int(pages)}")


def sequences_of(events: Sequence[Event], appended: Appended) -> list[int]:
    """Return each event's sequence, 0 for a refused one: gap records come first, and once an outbox is full it takes no more positions."""
    thinnable = [at for at, event in enumerate(events) if encode_data(event.data)[0] in THINNABLE]
    refused = set(thinnable[len(thinnable) - appended.refused :])
    taken = [at for at in range(len(events)) if at not in refused]
    found = dict(zip(taken, range(appended.last - len(taken) + 1, appended.last + 1), strict=True))
    return [found.get(at, 0) for at in range(len(events))]


def _last_number(path: Path) -> int:
    last = 0
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            what = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        if what[0] == "i":
            last = max([last, *what[3]])
    return last
