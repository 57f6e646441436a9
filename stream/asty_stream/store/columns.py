"""From the columns of groups to rows and counts, without an object for each record. Pure.

It takes a pack only when nothing about it is out of the ordinary: its sequences are new, its times credible, its values possible.
Other packs are told by their number, to be taken one by one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from asty_contracts.envelope import FIRST_MS, LAST_MS
from asty_contracts.groups import NO_INT
from msgspec import Struct
from numpy.typing import NDArray

from asty_stream.incoming import Y2000_US
from asty_stream.packed import Block, Column, Ints, Packed, Vocabulary
from asty_stream.rules.timing import HOUR, LATE, believable
from asty_stream.store import binary
from asty_stream.store.binary import Field, Numbers, Texts
from asty_stream.store.ledger import Entry
from asty_stream.store.tables import PREFIX, TABLES

_FIXED = {"float8": ">f8", "int8": ">i8", "timestamptz": ">i8"}


class Run(NamedTuple):
    """Records that count alike: their epoch, hour since 1970 and whether late; how many, the highest sequence, the newest time."""

    epoch: int
    hour: int
    late: bool
    stored: int
    highest: int
    newest: int


@dataclass(slots=True)
class Taken:
    """The packs that were taken as columns: one value for each, and the blocks with the place of each record's pack among them."""

    epochs: list[int] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    rx: list[int] = field(default_factory=list)
    late_below: list[int] = field(default_factory=list)
    blocks: list[tuple[Block, Ints]] = field(default_factory=list)

    def add(self, group: Packed, entries: Mapping[UUID, Entry]) -> tuple[list[int], list[int]]:
        """Take what can be taken of a group; return the numbers of the packs that were, and of those that were not."""
        odd = _odd(group)
        places = np.full(len(group.heads), -1)
        others = []
        for number, head in enumerate(group.heads):
            entry = entries[head.ep]
            if number in odd or entry.edge != head.edge or not entry.admit_runs(head.runs):
                others.append(number)
                continue
            places[number] = len(self.epochs)
            self.epochs.append(entry.epoch)
            self.edges.append(head.edge)
            self.rx.append(head.rx)
            self.late_below.append(LAST_MS + 1 if head.h else head.rx - LATE)
        self.blocks += [(block, places[block.pack]) for block in group.blocks]
        return np.flatnonzero(places >= 0).tolist(), others

    def kinds(self) -> Iterable[tuple[type[Struct], bytes, list[Run]]]:
        """Return each kind with its rows for binary COPY and its counts."""
        for data in dict.fromkeys(block.data for block, _ in self.blocks):
            rows, runs = self._kind(data, [(block, places) for block, places in self.blocks if block.data is data])
            if rows:
                yield data, rows, runs

    def _kind(self, data: type[Struct], blocks: list[tuple[Block, Ints]]) -> tuple[bytes, list[Run]]:
        keep = [places >= 0 for _, places in blocks]
        sizes = [int(kept.sum()) for kept in keep]
        if not sum(sizes):
            return b"", []

        def joined(columns: list[Column | None], code: str = "") -> Any:
            return _joined([None if it is None else _kept(it, kept) for it, kept in zip(columns, keep, strict=True)], sizes, code)

        pack = joined([places for _, places in blocks])
        s, t = joined([block.s for block, _ in blocks]), joined([block.t for block, _ in blocks])
        epochs = np.array(self.epochs)[pack]
        late = t < np.array(self.late_below)[pack]
        edges = list(dict.fromkeys(self.edges))
        edge_number = {edge: number for number, edge in enumerate(edges)}
        prefix: dict[str, Field] = {
            "t": Numbers(_micros(t)),
            "edge": Texts([edge.encode() for edge in edges], np.array([edge_number[edge] for edge in self.edges])[pack]),
            "epoch": Numbers(epochs.astype(">i4")),
            "s": Numbers(s.astype(">i8")),
            "tq": _field("text", joined([block.tq for block, _ in blocks])),
            "late": Numbers(late.astype("i1")),
            "marks": None,
            "rx": Numbers(_micros(np.array(self.rx)[pack])),
        }
        fields = [prefix[name] for name, _ in PREFIX]
        for name, (_, type_) in zip(data.__struct_fields__, TABLES[data].columns, strict=True):
            columns = [block.d.get(name) for block, _ in blocks]
            fields.append(None if all(it is None for it in columns) else _field(type_, joined(columns, type_)))
        return binary.rows(len(s), fields), _runs(epochs, t, late, s)


def _odd(group: Packed) -> set[int]:
    """Return the numbers of the packs of which a record has a time that is not credible or a value that is not possible."""
    if not group.heads:
        return set()
    low, high = np.array([believable(head.rx) for head in group.heads]).T
    odd: set[int] = set()
    for block in group.blocks:
        bad = (block.t < low[block.pack]) | (block.t > high[block.pack])
        table = TABLES[block.data]
        for name, bound in table.bounds.items():
            if (column := block.d.get(name)) is not None:
                bad |= np.abs(column) > bound  # type: ignore[arg-type]
        for name, (_, type_) in zip(block.data.__struct_fields__, table.columns, strict=True):
            column = block.d.get(name)
            if type_ == "timestamptz" and column is not None and not isinstance(column, Vocabulary):
                bad |= (column != NO_INT) & ((column < FIRST_MS) | (column > LAST_MS))
        odd.update(np.unique(block.pack[bad]).tolist())
    return odd


def _kept(column: Column, keep: NDArray[np.bool_]) -> Column:
    return column.of(keep) if isinstance(column, Vocabulary) else column[keep]


def _joined(columns: list[Column | None], sizes: list[int], type_: str) -> Column:
    """Join one column of several blocks; where a block lacks it, it is null."""
    if any(isinstance(it, Vocabulary) for it in columns):
        number: dict[str | None, int] = {}
        parts = []
        for it, size in zip(columns, sizes, strict=True):
            words, numbers = it if isinstance(it, Vocabulary) else ([None], np.zeros(size, np.int64))
            parts.append(np.array([number.setdefault(word, len(number)) for word in words])[numbers])
        return Vocabulary(list(number), np.concatenate(parts))
    null = np.nan if type_ == "float8" else NO_INT
    return np.concatenate([np.full(size, null) if it is None else it for it, size in zip(columns, sizes, strict=True)])


def _field(type_: str, column: Column) -> Field:
    if isinstance(column, Vocabulary):
        return Texts([None if word is None else word.encode() for word in column.words], column.numbers)
    null = np.isnan(column) if type_ == "float8" else column == NO_INT
    values = _micros(column) if type_ == "timestamptz" else column.astype(_FIXED[type_], copy=False)
    return Numbers(values, null if null.any() else None)


def _micros(ms: Any) -> NDArray[np.int64]:
    """Return UTC milliseconds as binary timestamptz: microseconds since 2000."""
    micros: NDArray[np.int64] = (ms.astype(np.int64) * 1000 - Y2000_US).astype(">i8")
    return micros


def _runs(epochs: Ints, t: Ints, late: NDArray[np.bool_], s: Ints) -> list[Run]:
    """Count records that are alike. A credible time's hour has less than 21 bits."""
    keys, run = np.unique((epochs << 22) | (t.astype(np.int64) // HOUR << 1) | late, return_inverse=True)
    stored = np.bincount(run)
    highest, newest = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    np.maximum.at(highest, run, s.astype(np.int64))
    np.maximum.at(newest, run, t.astype(np.int64))
    return [
        Run(key >> 22, key >> 1 & 0x1FFFFF, bool(key & 1), *counts)
        for key, *counts in zip(keys.tolist(), stored.tolist(), highest.tolist(), newest.tolist(), strict=True)
    ]
