"""A group of packs as ingest wrote it, its records in columns that nobody takes apart unless something is out of the ordinary."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from asty_contracts.groups import NO_INT, SHAPES, Columns, Group, Head, Words
from asty_contracts.records import KINDS
from asty_contracts.typed import ITEM
from msgspec import Struct
from numpy.typing import NDArray

type Ints = NDArray[np.int64]
type Floats = NDArray[np.float64]

FIRST_BYTE = 0x95
"""Of a group: an array of five. No JSON begins with it."""

_groups = msgspec.msgpack.Decoder(Group)
_items: msgspec.msgpack.Decoder[list[Any]] = msgspec.msgpack.Decoder(list[ITEM])
_DTYPES = {"d": ">f8", "q": ">i8"}
_REQUIRED = {kind: {field.name for field in msgspec.structs.fields(KINDS[kind]) if field.required} for kind in SHAPES}


class Vocabulary(NamedTuple):
    """A column of texts: the different ones, and for each record which it is."""

    words: list[str | None]
    numbers: Ints

    def of(self, rows: slice | NDArray[np.bool_]) -> "Vocabulary":
        """Return some of its rows."""
        return Vocabulary(self.words, self.numbers[rows])

    def values(self) -> list[str | None]:
        """Return the text of each record."""
        return [self.words[number] for number in self.numbers]


type Column = Ints | Floats | Vocabulary


class Block(NamedTuple):
    """The records of one kind: `pack` is the number of each record's pack, which rises. Of `d` lacks what is null throughout."""

    data: type[Struct]
    pack: Ints
    s: Ints
    t: Ints
    tq: Vocabulary
    d: dict[str, Column]


class Item(Struct, frozen=True):
    """One record: as `envelope.Record`, with its data read."""

    s: int
    t: int
    d: Any
    tq: str = "none"


class Packed(NamedTuple):
    """A group; `rest` holds records of the other kinds by the number of their pack."""

    org: str
    heads: Sequence[Head]
    blocks: Sequence[Block]
    rest: dict[int, list[Any]]

    @property
    def records(self) -> int:
        """How many records it holds."""
        return sum(len(block.s) for block in self.blocks) + sum(map(len, self.rest.values()))

    def times(self) -> Iterator[Ints]:
        """Return all times, UTC ms, in parts that are not empty."""
        yield from (block.t for block in self.blocks if len(block.t))
        if self.rest:
            yield np.array([item.t for items in self.rest.values() for item in items])

    def items(self, number: int) -> list[Any]:
        """Take one pack apart."""
        return [item for block in self.blocks for item in _items_of(block, number)] + self.rest.get(number, [])


def read(value: bytes) -> tuple[Packed, list[bytes]]:
    """Read a group, and the packs that travel in it as they were sent. Raises ValueError and what `typed.UNREADABLE` names."""
    group = _groups.decode(value)
    count = len(group.heads)
    blocks = [_block(kind, columns, count) for kind, columns in group.columns.items() if kind in SHAPES]
    rest = {number: _items.decode(raw) for number, raw in group.rest}
    _check_counts(group.heads, blocks, rest)
    return Packed(group.org, group.heads, blocks, rest), group.whole


def _block(kind: str, columns: Columns, packs: int) -> Block:
    counts = np.array(columns.n, dtype=np.int64)
    if len(counts) != packs or (packs and counts.min() < 0):
        raise ValueError("a count that is none, or one too many or too few")
    size = int(counts.sum())
    d: dict[str, Column] = {}
    for name, code in SHAPES[kind].items():
        column = columns.d.get(name)
        if column is None:
            if name in _REQUIRED[kind]:
                raise ValueError(f"no column for {kind}.{name}, which no record lacks")
            continue
        if isinstance(column, Words) != (code == "H"):
            raise ValueError(f"words for numbers in {kind}.{name}, or numbers for words")
        d[name] = _vocabulary(column, size) if isinstance(column, Words) else _numbers(column, _DTYPES[code], size)
    s, t = _numbers(columns.s, ">i8", size), _numbers(columns.t, ">i8", size)
    return Block(KINDS[kind], np.repeat(np.arange(packs), counts), s, t, _vocabulary(columns.tq, size), d)


def _numbers(data: bytes, dtype: str, size: int) -> Any:
    if len(data) != 8 * size:
        raise ValueError(f"a column of {len(data)} bytes for {size} records")
    return np.frombuffer(data, dtype)


def _vocabulary(column: Words, size: int) -> Vocabulary:
    numbers = np.frombuffer(column.numbers, ">u2").astype(np.int64) if column.numbers else np.zeros(size, np.int64)
    if len(numbers) != size or (size and numbers.max() >= len(column.words)):
        raise ValueError("a word that is not there, or one too many or too few")
    return Vocabulary(column.words, numbers)


def _check_counts(heads: Sequence[Head], blocks: Sequence[Block], rest: dict[int, list[Any]]) -> None:
    """Hold the records to what the heads say: the ledger goes by them. Raises ValueError."""
    counts = np.zeros(len(heads), np.int64)
    for block in blocks:
        counts += np.bincount(block.pack, minlength=len(heads))
    for number, items in rest.items():
        if not 0 <= number < len(heads):
            raise ValueError("records of a pack that is not there")
        counts[number] += len(items)
    if counts.tolist() != [sum(head.runs[1::2]) for head in heads]:
        raise ValueError("other sequences than records")


def _items_of(block: Block, number: int) -> Iterator[Item]:
    begin, end = np.searchsorted(block.pack, [number, number + 1])
    rows = slice(int(begin), int(end))
    columns = [_values(column, rows) for column in block.d.values()]
    for s, t, tq, *values in zip(block.s[rows].tolist(), block.t[rows].tolist(), block.tq.of(rows).values(), *columns, strict=True):
        yield Item(s, t, block.data(**dict(zip(block.d, values, strict=True))), tq or "")


def _values(column: Column, rows: slice) -> list[Any]:
    if isinstance(column, Vocabulary):
        return column.of(rows).values()
    values = column[rows].tolist()
    if column.dtype.kind == "f":
        return [None if value != value else value for value in values]
    return [None if value == NO_INT else value for value in values]
