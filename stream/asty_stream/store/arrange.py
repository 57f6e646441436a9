"""Turns packs into rows and into what the rules are asked about. Pure: the ledger rows are locked already, nothing waits here."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from asty_contracts.records import KIND_OF, Alarm, Gap, Health, Level, Lift

from asty_stream.incoming import Received, Whole, at, micros, one_of, whole_item
from asty_stream.packed import Packed
from asty_stream.rules.happened import Happened
from asty_stream.rules.timing import HOUR, LATE, Shift, believable, marks_of, shift_of_hour
from asty_stream.store.columns import Taken
from asty_stream.store.ledger import MAX_SEQUENCE, Entry
from asty_stream.store.tables import TABLES, Values

ROLLED_UP = frozenset({"lift", "position", "fuel", "engine"})


class Count(NamedTuple):
    """What a batch adds to one epoch's shift: records, late ones among them, highest sequence."""

    stored: int
    late: int
    highest: int

    def plus(self, other: "Count") -> "Count":
        return Count(self.stored + other.stored, self.late + other.late, max(self.highest, other.highest))


@dataclass(slots=True)
class Run:
    """Records that count alike, and the highest sequence among them."""

    stored: int = 0
    highest: int = 0


@dataclass(slots=True)
class Batch:
    """Everything one transaction writes, arranged. Times of `last_record` are UTC ms."""

    rows: dict[type, list[Values]] = field(default_factory=lambda: defaultdict(list))
    laid_out: dict[type, bytes] = field(default_factory=dict)
    """Rows that need no further care, ready for binary COPY."""
    runs: dict[tuple[int, int, str, bool], Run] = field(default_factory=lambda: defaultdict(Run))
    """By epoch, hour since 1970, table (empty: its time is not believed) and whether late."""
    lifts: list[Happened[Lift]] = field(default_factory=list)
    alarms: list[Happened[Alarm]] = field(default_factory=list)
    levels: list[Happened[Level]] = field(default_factory=list)
    last_record: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    stored: int = 0
    doubled: int = 0
    _columns: Taken = field(default_factory=Taken)

    def add_group(self, group: Packed, entries: Mapping[UUID, Entry]) -> list[Received]:
        """Arrange what is new of a group; return those of its packs that must be looked at one by one."""
        taken, others = self._columns.add(group, entries)
        for number in taken:
            self.stored += sum(group.heads[number].runs[1::2])
        for number in group.rest.keys() & set(taken):
            pack = one_of(group, number)
            self._arrange(pack, entries[pack.ep], group.rest[number])
        return [one_of(group, number) for number in others]

    def lay_out(self) -> None:
        """Lay out and count the columns of all groups that were added."""
        edges = dict(zip(self._columns.epochs, self._columns.edges, strict=True))
        for data, rows, runs in self._columns.kinds():
            self.laid_out[data] = rows
            for it in runs:
                edge = edges[it.epoch]
                self.kinds[edge].add(_kind_of(data))
                self.last_record[edge] = max(self.last_record.get(edge, 0), it.newest)
                run = self.runs[it.epoch, it.hour, TABLES[data].name, it.late]
                run.stored += it.stored
                run.highest = max(run.highest, it.highest)

    def add(self, pack: Received, entry: Entry) -> None:
        """Arrange what is new of one pack."""
        fresh = entry.admit(pack.items)
        self.stored += len(fresh)
        self.doubled += len(pack.items) - len(fresh)
        if fresh:
            self._arrange(pack, entry, fresh)

    def _arrange(self, pack: Received, entry: Entry, fresh: Sequence[Any]) -> None:
        edge, epoch, rx = pack.edge, entry.epoch, micros(pack.rx)
        low, high = believable(pack.rx)
        late_below = high + 1 if pack.h else pack.rx - LATE
        newest = self.last_record.get(edge, 0)
        last: tuple[int, type, str, bool] | None = None
        for item in fresh:
            t = item.t
            kept, values, time, marks = item, None, rx, None
            credible = low <= t <= high
            try:
                time = micros(t)
                table = TABLES[type(item.d)]
                if table.doubt is None or not (why := table.doubt(item.d)):
                    values = table.row(item.d)
            except OverflowError as error:
                why = f"a time that is none: {error}"
            if values is None:
                kept = whole_item(item, why)
                table = TABLES[Whole]
                values = table.row(kept.d)
            d = kept.d
            late = t < late_below
            if not credible or type(d) is Whole:
                marks = _marks(t, pack.rx, d)
            self.rows[type(d)].append((time, edge, epoch, item.s, item.tq, late, marks, rx, *values))
            if credible:
                newest = max(newest, t)
                like = (t // HOUR, type(item.d), table.name, late)
            else:
                like = (pack.rx // HOUR, type(item.d), "", late)
            if like != last:  # records come in runs: a run is looked up once
                last = like
                hour, kind, name, _ = like
                self.kinds[edge].add(_kind_of(kind))
                run = self.runs[epoch, hour, name, late]
            run.stored += 1
            run.highest = max(run.highest, item.s)
            if type(d) in _RULED:
                self._ask_rules(pack, entry, kept, credible)
        self.last_record[edge] = newest

    def tally(self) -> dict[tuple[int, Shift], Count]:
        """Return what the batch adds to each epoch's shifts."""
        tally: dict[tuple[int, Shift], Count] = {}
        for (epoch, hour, _, late), run in self.runs.items():
            key = (epoch, shift_of_hour(hour))
            tally[key] = tally.get(key, Count(0, 0, 0)).plus(Count(run.stored, run.stored if late else 0, run.highest))
        return tally

    def due(self) -> set[tuple[str, int]]:
        """Return which hours of which rollups must be computed anew."""
        return {(name, hour) for _, hour, name, _ in self.runs if name in ROLLED_UP}

    def _ask_rules(self, pack: Received, entry: Entry, item: Any, credible: bool) -> None:
        d = item.d
        if isinstance(d, Gap):
            entry.give_up(d.ranges, item.s)
        elif isinstance(d, Health):
            entry.head = max(entry.head, min(d.head, MAX_SEQUENCE))
        else:
            happened: Happened[Any] = Happened(pack.org, pack.edge, pack.ep, entry.epoch, item.s, item.t, credible, pack.h, d)
            (self.lifts if isinstance(d, Lift) else self.levels if isinstance(d, Level) else self.alarms).append(happened)


_RULED = frozenset({Lift, Alarm, Level, Gap, Health})


def _marks(t: int, rx: int, d: object) -> list[str]:
    return marks_of(t, rx) + ([d.mark] if isinstance(d, Whole) else [])


def _kind_of(data: type) -> str:
    return KIND_OF.get(data, "other")


def time_of(ms: int) -> datetime | None:
    """Return UTC milliseconds as a time; None where there is none."""
    return at(ms) if ms else None
