"""Turns packs into rows and into what the rules are asked about. Pure: the ledger rows are locked already, nothing waits here."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from asty_contracts.records import KIND_OF, Alarm, Gap, Health, Lift

from asty_stream.incoming import Item, Received, Whole, at, micros, whole_item
from asty_stream.rules.happened import Happened
from asty_stream.rules.timing import HOUR, LATE, Shift, believable, marks_of, shift_of_hour
from asty_stream.store.ledger import MAX_SEQUENCE, Entry
from asty_stream.store.tables import TABLES, Values

ROLLED_UP = frozenset({"lift", "position", "fuel", "engine"})
_NOT_A_TIME = (ValueError, OverflowError, OSError)


class Count(NamedTuple):
    """What a batch adds to one epoch's shift: records, late ones among them, highest sequence."""

    stored: int
    late: int
    highest: int

    def plus(self, other: "Count") -> "Count":
        return Count(self.stored + other.stored, self.late + other.late, max(self.highest, other.highest))


@dataclass(slots=True)
class Batch:
    """Everything one transaction writes, arranged. Times of `last_record` are UTC ms."""

    rows: dict[type, list[Values]] = field(default_factory=lambda: defaultdict(list))
    tally: dict[tuple[int, Shift], Count] = field(default_factory=dict)
    due: set[tuple[str, int]] = field(default_factory=set)  # rollup source, hour since 1970
    lifts: list[Happened[Lift]] = field(default_factory=list)
    alarms: list[Happened[Alarm]] = field(default_factory=list)
    last_record: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    stored: int = 0
    doubled: int = 0

    def add(self, pack: Received, entry: Entry) -> None:
        """Arrange what is new of one pack."""
        fresh = entry.admit(pack.items)
        self.stored += len(fresh)
        self.doubled += len(pack.items) - len(fresh)
        if fresh:
            self._arrange(pack, entry, fresh)

    def _arrange(self, pack: Received, entry: Entry, fresh: list[Item]) -> None:
        edge, epoch, rx = pack.edge, entry.epoch, micros(pack.rx)
        low, high = believable(pack.rx)
        late_below = high + 1 if pack.h else pack.rx - LATE
        hours: list[int] = []
        names: list[str] = []
        late_hours: list[int] = []
        newest = 0
        for item in fresh:
            t = item.t
            kept, values, time, marks = item, None, rx, None
            credible = low <= t <= high
            try:
                time = micros(t)
                table = TABLES[type(item.d)]
                if table.doubt is None or not (why := table.doubt(item.d)):
                    values = table.row(item.d)
            except _NOT_A_TIME as error:
                why = f"a time that is none: {error}"
            if values is None:
                kept = whole_item(item, why)
                table = TABLES[Whole]
                values = table.row(kept.d)
            d = kept.d
            late = t < late_below
            hour = t // HOUR if credible else pack.rx // HOUR
            if not credible or type(d) is Whole:
                marks = _marks(t, pack.rx, d)
            self.rows[type(d)].append((time, edge, epoch, item.s, item.tq, late, marks, rx, *values))
            hours.append(hour)
            if late:
                late_hours.append(hour)
            if credible:
                names.append(table.name)
                newest = max(newest, t)
            else:
                names.append("")
            if type(d) in _RULED:
                self._ask_rules(pack, entry, kept, credible)
        self._count(epoch, hours, late_hours, dict(zip(hours, (item.s for item in fresh), strict=True)))
        self.due.update(key for key in set(zip(names, hours, strict=True)) if key[0] in ROLLED_UP)
        self.last_record[edge] = max(self.last_record.get(edge, 0), newest)
        self.kinds[edge].update({_kind_of(type_) for type_ in {type(item.d) for item in fresh}})

    def _ask_rules(self, pack: Received, entry: Entry, item: Item, credible: bool) -> None:
        d = item.d
        if isinstance(d, Gap):
            entry.give_up(d.ranges, item.s)
        elif isinstance(d, Health):
            entry.head = max(entry.head, min(d.head, MAX_SEQUENCE))
        else:
            happened: Happened[Any] = Happened(pack.org, pack.edge, pack.ep, entry.epoch, item.s, item.t, credible, pack.h, d)
            (self.lifts if isinstance(d, Lift) else self.alarms).append(happened)

    def _count(self, epoch: int, hours: list[int], late_hours: list[int], highest: dict[int, int]) -> None:
        late = Counter(late_hours)
        for hour, stored in Counter(hours).items():
            key = (epoch, shift_of_hour(hour))
            count = Count(stored, late[hour], highest[hour])
            known = self.tally.get(key)
            self.tally[key] = count if known is None else known.plus(count)


_RULED = frozenset({Lift, Alarm, Gap, Health})


def _marks(t: int, rx: int, d: object) -> list[str]:
    return marks_of(t, rx) + ([d.mark] if isinstance(d, Whole) else [])


def _kind_of(data: type) -> str:
    return KIND_OF.get(data, "other")


def time_of(ms: int) -> datetime | None:
    """Return UTC milliseconds as a time; None where there is none."""
    return at(ms) if ms else None
