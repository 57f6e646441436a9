"""The group: many packs in one Kafka message, MessagePack. Records of the frequent kinds travel as columns, which a reader need not
take apart into objects; a pack that holds anything out of the ordinary travels beside them as it was sent.

All numbers in columns are big-endian: what PostgreSQL's binary COPY wants.
"""

import math
import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any, Literal, get_args, get_type_hints
from uuid import UUID

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import astuple

from asty_contracts.envelope import Pack, Record
from asty_contracts.records import KINDS
from asty_contracts.stream import Delivered, DeliveredRaw
from asty_contracts.typed import ITEM, ITEMS, TypedPack

FREQUENT = ("pos", "fuel", "engine", "ppe")
"""The kinds that travel as columns: their fields are numbers and words."""
NO_INT = -(1 << 63)
"""What stands for null in a column of integers; in one of floats it is NaN, which JSON does not have."""

Code = Literal["d", "q", "H"]
"""What a column holds, in the words of the module struct: 64-bit floats, 64-bit integers, or numbers of words."""


def _code(hint: Any) -> Code:
    types = get_args(hint) or (hint,)
    return "d" if float in types else "q" if int in types else "H"


SHAPES: dict[str, dict[str, Code]] = {kind: {name: _code(hint) for name, hint in get_type_hints(KINDS[kind]).items()} for kind in FREQUENT}
"""The columns of each frequent kind, in the order of its fields."""


class Words(Struct, frozen=True, array_like=True):
    """A column of texts: each different one once, and for each record the number of its own; none when there is only one."""

    words: list[str | None]
    numbers: bytes = b""


class Columns(Struct, frozen=True, array_like=True):
    """The records of one kind, pack after pack: `n` says how many are of each pack. A column that lacks is null throughout."""

    n: list[int]
    s: bytes
    t: bytes
    tq: Words
    d: dict[str, bytes | Words]


class Head(Struct, frozen=True, array_like=True):
    """A pack without its records. `runs` are its sequences: first, count, first, count and so on, rising."""

    edge: str
    rx: int
    ep: UUID
    h: bool
    runs: tuple[int, ...]


class Group(Struct, frozen=True, array_like=True):
    """One message of telemetry.v1 or telemetry-backlog.v1. `rest` holds the records of other kinds by the number of their pack,
    `whole` packs as they were sent, each the JSON of `stream.Delivered`.
    """

    org: str
    heads: list[Head]
    columns: dict[str, Columns]
    rest: list[tuple[int, Raw]]
    whole: list[bytes]


class Sent(Struct):
    """A verified pack: who sent it, when ingest received it (UTC ms), its JSON, and what that was read to, if it fits its kinds."""

    edge: str
    rx: int
    text: bytes
    pack: TypedPack | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Group).decode
_decode_items: Callable[[Raw], list[Any]] = msgspec.msgpack.Decoder(list[ITEM]).decode
_s = attrgetter("s")


def encode(org: str, packs: Sequence[Sent]) -> bytes:
    """Write a group. A number that no column holds makes all packs travel as they were sent."""
    typed = [it for it in packs if it.pack is not None]
    try:
        heads, columns, rest = _apart(typed)
    except (struct.error, OverflowError):
        return as_sent(org, packs)
    return _encode(Group(org, heads, columns, rest, [_delivered(org, it) for it in packs if it.pack is None]))


def as_sent(org: str, packs: Iterable[Sent]) -> bytes:
    """Write packs without taking them apart."""
    return _encode(Group(org, [], {}, [], [_delivered(org, it) for it in packs]))


def _delivered(org: str, it: Sent) -> bytes:
    return msgspec.json.encode(DeliveredRaw(org, it.edge, it.rx, Raw(it.text)))


def _apart(packs: Sequence[Sent]) -> tuple[list[Head], dict[str, Columns], list[tuple[int, Raw]]]:
    heads: list[Head] = []
    records: dict[type, list[Any]] = {ITEMS[kind]: [] for kind in FREQUENT}
    ends: list[list[int]] = []  # of each pack in each kind's records
    rest: list[tuple[int, Raw]] = []
    for number, it in enumerate(packs):
        pack = it.pack
        assert pack is not None
        heads.append(Head(it.edge, it.rx, pack.ep, pack.h, pack.runs))
        others: list[Any] = []
        kinds = set(map(type, pack.recs))
        if len(kinds) == 1:  # most packs: no look at each record
            records.get(kinds.pop(), others).extend(pack.recs)
        else:
            for record in pack.recs:
                records.get(type(record), others).append(record)
        ends.append([len(of_kind) for of_kind in records.values()])
        if others:
            rest.append((number, Raw(_encode(others))))
    columns = {
        kind: _columns(kind, [end - begin for begin, end in pairwise((0, *of_pack))], of_kind)
        for kind, of_kind, of_pack in zip(FREQUENT, records.values(), zip(*ends, strict=True), strict=False)
        if of_kind
    }
    return heads, columns, rest


def _columns(kind: str, counts: list[int], records: list[Any]) -> Columns:
    s, t, data, _mono, tq = zip(*map(astuple, records), strict=True)
    columns: dict[str, bytes | Words] = {}
    for (name, code), values in zip(SHAPES[kind].items(), zip(*map(astuple, data), strict=True), strict=True):
        if code == "H":
            columns[name] = _words(values)
        elif (packed := _numbers(code, values)) is not None:
            columns[name] = packed
    return Columns(counts, _big_endian("q", s), _big_endian("q", t), _words(tq), columns)


def _numbers(code: Code, values: Sequence[Any]) -> bytes | None:
    if code == "q" and NO_INT in values:
        raise OverflowError("a number that means null")
    if None in values:
        if values.count(None) == len(values):
            return None
        null = math.nan if code == "d" else NO_INT
        values = [null if value is None else value for value in values]
    return _big_endian(code, values)


def _big_endian(code: Code, values: Sequence[Any]) -> bytes:
    numbers = array(code, values)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers.tobytes()


def _words(values: Sequence[str | None]) -> Words:
    words = list(dict.fromkeys(values))
    if len(words) == 1:
        return Words(words)
    number = {word: at for at, word in enumerate(words)}
    return Words(words, struct.pack(f">{len(values)}H", *[number[value] for value in values]))


def decode(value: bytes) -> list[Delivered]:
    """Read a group record by record, for readers that have no use for columns. Raises msgspec.DecodeError when it is none."""
    group = _decode(value)
    records: list[list[Record]] = [[] for _ in group.heads]
    for kind, columns in group.columns.items():
        if kind in SHAPES:
            for number, record in _records(kind, columns):
                records[number].append(record)
    for number, raw in group.rest:
        records[number] += [_record(item.__struct_config__.tag, item.s, item.t, item.d, item.tq) for item in _decode_items(raw)]
    packs = [
        Delivered(group.org, head.edge, head.rx, Pack(head.ep, sorted(recs, key=_s), h=head.h))
        for head, recs in zip(group.heads, records, strict=True)
    ]
    return packs + [msgspec.json.decode(whole, type=Delivered) for whole in group.whole]


def _records(kind: str, columns: Columns) -> Iterator[tuple[int, Record]]:
    of_pack = [number for number, count in enumerate(columns.n) for _ in range(count)]
    names = [name for name in SHAPES[kind] if name in columns.d]
    values = [_values(SHAPES[kind][name], columns.d[name], len(of_pack)) for name in names]
    prefix = (_values("q", columns.s, 0), _values("q", columns.t, 0), _values("H", columns.tq, len(of_pack)))
    for number, s, t, tq, *row in zip(of_pack, *prefix, *values, strict=True):
        yield number, _record(kind, s, t, KINDS[kind](**dict(zip(names, row, strict=True))), tq)


def _record(kind: str, s: int, t: int, d: Struct, tq: str) -> Record:
    return Record(s, t, kind, Raw(msgspec.json.encode(d)), tq=tq)


def _values(code: Code, column: bytes | Words, size: int) -> list[Any]:
    if isinstance(column, Words):
        numbers = struct.unpack(f">{size}H", column.numbers) if column.numbers else [0] * size
        return [column.words[number] for number in numbers]
    values = struct.unpack(f">{len(column) // 8}{code}", column)
    return [None if value != value or value == NO_INT else value for value in values]
