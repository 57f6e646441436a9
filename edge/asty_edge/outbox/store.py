"""The outbox: append in one transaction, peek, acknowledge. A record leaves only when the other end says that it is stored."""

import fcntl
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Literal, Self
from uuid import UUID

import msgspec
from asty_contracts.envelope import encode_data
from asty_contracts.evidence import chained
from asty_contracts.records import THINNABLE, Gap, Lift

from asty_edge.event import Event, Held, Moment
from asty_edge.outbox.opening import OutboxStuckError, is_worth_a_retry, open_or_rescue
from asty_edge.outbox.schema import COLUMNS, ROW_OVERHEAD, SIZE, Meta, held_of, read_meta, row_of, write_meta
from asty_edge.outbox.thinning import IS_THINNABLE, gaps, thin
from asty_edge.ranges import Ranges

KEPT_LIFTS = 50
"""Lifts that stay readable for `inspect` after they were acknowledged."""

_log = logging.getLogger(__name__)


class OutboxBusyError(Exception):
    """Another agent holds this outbox: an operator has to stop one of the two."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch: numbers `first`..`last` (last < first when none), alarms among them, positions refused, numbers thinned."""

    first: int
    last: int
    urgent: tuple[int, ...] = ()
    refused: int = 0
    thinned: int = 0


class Outbox:
    """One file, one epoch, one agent. All methods are quick and synchronous; use from one thread."""

    _count: int
    _bytes: int
    _thinnable: int

    def __init__(self, db: sqlite3.Connection, lock: IO[str], max_bytes: int, set_aside: Path | None) -> None:
        self._db = db
        self._lock = lock
        self._max_bytes = max_bytes
        self.set_aside = set_aside
        """Where a corrupt predecessor lies, if there was one at opening; what could be read of it is held here."""
        self._meta = read_meta(db)
        # S608 here and below: SIZE and IS_THINNABLE are constants of this package, nothing of a user's
        row = db.execute(f"SELECT COUNT(*), COALESCE(SUM({SIZE}), 0), COALESCE(SUM({IS_THINNABLE}), 0) FROM records").fetchone()  # noqa: S608
        self._count, self._bytes, self._thinnable = row
        self.damaged = self.lacking(Ranges([(self.acked + 1, self.head)])) if self.head - self.acked > self._count else Ranges()
        """Numbers whose records are not what was written, found at opening or while reading: `isolate` accounts for them."""

    @classmethod
    def open(cls, path: Path, max_bytes: int) -> Self:
        """Open the file at `path` or begin a new one, and a new epoch with it.

        A corrupt file is moved aside, never deleted, and what can be read of it stays, under its numbers. Raises OutboxBusyError
        when another agent has it open, OutboxStuckError when the disk does not let it be opened, OutboxTooNewError when a later agent
        made it.
        """
        lock = path.with_name(path.name + ".lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise OutboxBusyError(
                f"{path} is open in another agent; nothing was changed: stop the other one, or give this one its own outbox"
            ) from error
        try:
            db, set_aside = open_or_rescue(path)
        except BaseException:
            lock.close()
            raise
        return cls(db, lock, max_bytes, set_aside)

    @property
    def epoch(self) -> UUID:
        """The identity of this file's numbering."""
        return UUID(str(self._meta["epoch"]))

    @property
    def head(self) -> int:
        """The highest number given so far; 0 before the first."""
        return int(self._meta["head"])

    @property
    def acked(self) -> int:
        """Everything up to here is stored at the other end."""
        return int(self._meta["acked"])

    @property
    def given_up(self) -> int:
        """Records thinned in this epoch."""
        return int(self._meta["given_up"])

    @property
    def held(self) -> int:
        """How many records wait."""
        return self._count

    @property
    def bytes(self) -> int:
        """The size of what waits; the file can be up to twice as large."""
        return self._bytes

    @property
    def is_full(self) -> bool:
        """Whether `max_bytes` is reached."""
        return self._bytes >= self._max_bytes

    def begin_session(self, utc_s: int) -> int:
        """Return the number of a new session: greater than all before, and, as far as the clock is right, than those of lost files."""
        with self._changing() as meta:
            meta["session"] = max(int(meta["session"]) + 1, utc_s)
        return int(self._meta["session"])

    def append(self, events: Sequence[Event], spare: Ranges | None = None) -> Appended:
        """Store events under new numbers, all or none. When the outbox is full, positions give way (`thinning`).

        `spare` are numbers on their way to the other end, which are not thinned. Raises OutboxStuckError when the disk takes
        nothing: then nothing was stored and no number was used.
        """
        if not events:
            return Appended(self.head + 1, self.head)
        first = self.head + 1
        urgent: list[int] = []
        refused = 0
        with self._changing() as meta:
            gone = self._make_room(meta, spare or Ranges())
            for gap in gaps(gone, "outbox_full"):
                self._insert(meta, events[-1].when, gap)
            for event in events:
                kind = encode_data(event.data)[0]
                if self.is_full and kind in THINNABLE:
                    refused += 1
                    continue
                self._insert(meta, event.when, event.data)
                if kind == "alarm":
                    urgent.append(int(meta["head"]))
        return Appended(first, self.head, tuple(urgent), refused, len(gone))

    def peek(self, ranges: Ranges, limit: int, max_bytes: int) -> list[Held]:
        """Read up to `limit` records and about `max_bytes` of the given numbers, in order; at least one if any is held.

        A record that is not what was written is left out and noted in `damaged`.
        """
        found: list[Held] = []
        size = 0
        for first, last in ranges:
            for row in self._db.execute(f"SELECT {COLUMNS} FROM records WHERE s BETWEEN ? AND ? ORDER BY s", (first, last)):  # noqa: S608
                if (held := held_of(row)) is None:
                    self.damaged.add(row[0], row[0])
                    continue
                size += len(held.d) + 2 * ROW_OVERHEAD
                if found and size > max_bytes:
                    return found
                found.append(held)
                if len(found) >= limit:
                    return found
        return found

    def acknowledge(self, upto: int) -> None:
        """Delete everything up to `upto`, which is stored at the other end. Never goes back, and never beyond the head."""
        upto = min(upto, self.head)
        if upto <= self.acked:
            return
        with self._changing() as meta:
            self._delete(0, upto)
            meta["acked"] = upto

    def lacking(self, ranges: Ranges) -> Ranges:
        """Return which of these numbers, all given once, are neither held nor accounted for by a gap that is held."""
        lacking = ranges.within(1, self.head)
        for first, last in ranges:
            lacking.subtract(Ranges.of(s for (s,) in self._db.execute("SELECT s FROM records WHERE s BETWEEN ? AND ?", (first, last))))
        if lacking:
            for (text,) in self._db.execute("SELECT d FROM records WHERE k = 'gap'"):
                lacking.subtract(Ranges(msgspec.json.decode(text, type=Gap).ranges))
        return lacking

    def account(self, lost: Ranges, why: str, when: Moment) -> Appended:
        """Write gap records for numbers that the other end asks for and that nobody has any more."""
        first = self.head + 1
        with self._changing() as meta:
            for gap in gaps(lost, why, kind="any"):
                self._insert(meta, when, gap)
        return Appended(first, self.head)

    def isolate(self, when: Moment) -> Appended:
        """Set damaged records aside, in the file, and write gap records for their numbers."""
        appended = self._set_aside("damaged", self.damaged.within(self.acked + 1, self.head), when)
        self.damaged = Ranges()
        return appended

    def refuse(self, refused: Ranges, when: Moment) -> Appended:
        """Set records aside, in the file, that the other end does not take, and write gap records for their numbers."""
        held = Ranges()
        for first, last in refused.within(self.acked + 1, self.head):
            held.update(Ranges.of(s for (s,) in self._db.execute("SELECT s FROM records WHERE s BETWEEN ? AND ?", (first, last))))
        return self._set_aside("refused", held, when)

    def _set_aside(self, table: Literal["damaged", "refused"], numbers: Ranges, when: Moment) -> Appended:
        """Move records to a table of the file that nothing is sent from, and account for them: its name is the gap's `why`."""
        first = self.head + 1
        if not numbers:
            return Appended(first, self.head)
        with self._changing() as meta:
            for low, high in numbers:
                self._db.execute(f"INSERT INTO {table} SELECT {COLUMNS} FROM records WHERE s BETWEEN ? AND ?", (low, high))  # noqa: S608
                self._delete(low, high)
            for gap in gaps(numbers, table, kind="any"):
                self._insert(meta, when, gap)
        return Appended(first, self.head)

    def renumber(self) -> None:
        """Begin a new epoch with what is held, because this file is an old copy whose next numbers were already used."""
        with self._changing() as meta:
            held = [held_of(row) for row in self._db.execute(f"SELECT {COLUMNS} FROM records ORDER BY s")]  # noqa: S608
            fresh = [row_of(replace(one, s=n)) for n, one in enumerate((one for one in held if one is not None), 1)]
            self._db.execute("DELETE FROM lifts")
            self._db.execute("DELETE FROM records")
            self._db.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)", fresh)
            epoch = self._db.execute("SELECT lower(hex(randomblob(16)))").fetchone()[0]
            meta.update(epoch=str(UUID(epoch)), head=len(fresh), acked=0, thinned=0)

    def close(self) -> None:
        """Close the file and let another agent have it."""
        self._db.close()
        self._lock.close()

    def _make_room(self, meta: Meta, spare: Ranges) -> Ranges:
        if not self.is_full or not self._thinnable:
            return Ranges()
        slack = self._max_bytes // 64
        gone, size = thin(self._db, meta, self._bytes - self._max_bytes + slack, spare)
        self._count -= len(gone)
        self._thinnable -= len(gone)
        self._bytes -= size
        meta["given_up"] = int(meta["given_up"]) + len(gone)
        return gone

    def _insert(self, meta: Meta, when: Moment, data: object) -> None:
        if isinstance(data, Lift):
            data = chained(data, str(meta["last_lift"]))
            meta["last_lift"] = data.hash
        kind, text = encode_data(data)  # type: ignore[arg-type]
        s = int(meta["head"]) + 1
        held = Held(s, when.utc, when.mono, when.tq, kind, text)
        self._db.execute(f"INSERT INTO records ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row_of(held))  # noqa: S608
        if kind == "lift":
            self._db.execute("INSERT INTO lifts VALUES (?, ?, ?)", (s, when.utc, text))
            self._db.execute("DELETE FROM lifts WHERE s NOT IN (SELECT s FROM lifts ORDER BY s DESC LIMIT ?)", (KEPT_LIFTS,))
        meta["head"] = s
        self._count += 1
        self._bytes += len(text) + ROW_OVERHEAD
        self._thinnable += kind in THINNABLE

    def _delete(self, first: int, last: int) -> None:
        gone = self._db.execute(
            f"SELECT COUNT(*), COALESCE(SUM({SIZE}), 0), COALESCE(SUM({IS_THINNABLE}), 0) FROM records WHERE s BETWEEN ? AND ?",  # noqa: S608
            (first, last),
        ).fetchone()
        self._db.execute("DELETE FROM records WHERE s BETWEEN ? AND ?", (first, last))
        self._count, self._bytes, self._thinnable = self._count - gone[0], self._bytes - gone[1], self._thinnable - gone[2]

    @contextmanager
    def _changing(self) -> Iterator[Meta]:
        """One transaction: what happens inside is on the disk afterwards, or did not happen."""
        before = self._count, self._bytes, self._thinnable
        meta = dict(self._meta)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield meta
            write_meta(self._db, meta)
            self._db.execute("COMMIT")
        except BaseException as error:
            self._count, self._bytes, self._thinnable = before
            self._give_back()
            if isinstance(error, sqlite3.OperationalError) and is_worth_a_retry(error):
                raise OutboxStuckError(f"the outbox could not be written: {error}") from error
            raise
        self._meta = meta

    def _give_back(self) -> None:
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error:
            _log.exception("rollback failed; SQLite rolls back by itself at the next opening")
