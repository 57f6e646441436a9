"""Reads what Kafka holds: a pack becomes typed records; what does not fit its kind is carried whole, never lost."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, cast
from uuid import UUID

import msgspec
from asty_contracts.envelope import FIRST_MS, LAST_MS, Record
from asty_contracts.records import KIND_OF, KINDS
from asty_contracts.stream import Delivered
from asty_contracts.typed import PACK, UNREADABLE
from msgspec import Raw, Struct

from asty_stream import packed
from asty_stream.packed import Item, Packed

MOST_RECORDS = 10_000
"""Of one transaction: few, since each costs round trips, and not so many that their objects fill the memory."""


class Whole(Struct, frozen=True):
    """The data of a record that has no table: an unknown kind, or data that does not fit its kind. `record` is its JSON text."""

    kind: str
    record: str
    why: str
    mark: str


class Received(Struct, frozen=True):
    """One pack from one edge: `rx` is when ingest received it (UTC ms), `h` that it came over the backlog lane."""

    org: str
    edge: str
    rx: int
    ep: UUID
    h: bool
    items: Sequence[Any]
    """Each as `packed.Item`."""


class Unreadable(Struct, frozen=True):
    """A message that is no pack at all, kept with the reason."""

    payload: bytes
    why: str


_DELIVERY = msgspec.defstruct("TypedDelivery", [("org", str), ("edge", str), ("rx", int), ("pack", PACK)], frozen=True)
_one_typed = msgspec.json.Decoder(cast("type[Any]", _DELIVERY))
_typed: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[_DELIVERY])  # type: ignore[valid-type]
_any = msgspec.json.Decoder(Delivered)
_raw = msgspec.json.Decoder(list[Raw])
_GROUP = bytes((packed.FIRST_BYTE,))


def read(value: bytes) -> list[Packed | Received | Unreadable]:
    """Read one message of telemetry.v1 or telemetry-backlog.v1. Raises nothing, whatever the bytes are.

    It is a group of packs in columns, or, as earlier versions of ingest wrote it, JSON: an array of packs, or one.
    """
    if value[:1] == _GROUP:
        try:
            group, whole = packed.read(value)
        except (*UNREADABLE, ValueError) as error:
            return [Unreadable(value, str(error))]
        return [group, *map(_read_one, whole)]
    if not value.startswith(b"["):
        return [_read_one(value)]
    try:
        if b"\\u0000" not in value:  # PostgreSQL's text holds no NUL: such a group is looked at pack by pack
            return [_received(typed) for typed in _typed.decode(value)]
    except UNREADABLE:
        pass
    try:
        return [_read_one(bytes(raw)) for raw in _raw.decode(value)]
    except UNREADABLE as error:
        return [Unreadable(value, str(error))]


def takes(values: Iterable[bytes], most: int = MOST_RECORDS) -> Iterator[list[Packed | Received | Unreadable]]:
    """Read messages into takes of about `most` records: what one transaction stores."""
    take: list[Packed | Received | Unreadable] = []
    records = 0
    for message in chain.from_iterable(map(read, values)):
        take.append(message)
        records += records_in(message)
        if records >= most:
            yield take
            take, records = [], 0
    if take:
        yield take


def records_in(message: Packed | Received | Unreadable) -> int:
    """Count the records of a message."""
    return 0 if isinstance(message, Unreadable) else message.records if isinstance(message, Packed) else len(message.items)


def apart(group: Packed) -> list[Received]:
    """Take a group apart, pack by pack."""
    return [one_of(group, number) for number in range(len(group.heads))]


def one_of(group: Packed, number: int) -> Received:
    """Take one pack out of a group."""
    head = group.heads[number]
    return Received(group.org, head.edge, head.rx, head.ep, head.h, group.items(number))


def _read_one(value: bytes) -> Received | Unreadable:
    try:
        if b"\\u0000" not in value:
            return _received(_one_typed.decode(value))
    except UNREADABLE:
        pass
    try:
        delivered = _any.decode(value)
    except UNREADABLE as error:
        return Unreadable(value, str(error))
    pack = delivered.pack
    items = [Item(record.s, record.t, _data_of(record), record.tq.replace("\0", "")) for record in pack.recs]
    return Received(delivered.org, delivered.edge, delivered.rx, pack.ep, pack.h, items)


def _received(typed: Any) -> Received:
    pack = typed.pack
    return Received(typed.org, typed.edge, typed.rx, pack.ep, pack.h, pack.recs)


def _data_of(record: Record) -> Struct:
    shape = KINDS.get(record.k)
    if shape is None:
        return whole(record, f"kind {record.k[:40]!r} is not known to this version", "unknown_kind")
    raw = bytes(record.d)
    if b"\\u0000" in raw:
        return whole(record, "text with a NUL character", "misfit")
    try:
        return msgspec.json.decode(raw, type=shape)
    except UNREADABLE as error:
        return whole(record, str(error), "misfit")


def whole(record: Record, why: str, mark: str) -> Whole:
    """Carry a record whole. Its data becomes a JSON string where jsonb could not hold it."""
    text = bytes(record.d).decode(errors="backslashreplace")
    kept: Raw | str = record.d if _fits_jsonb(text) else text.replace("\0", "\\0")
    kind = record.k.replace("\0", "\\0")
    fields = {"s": record.s, "t": record.t, "mono": record.mono, "tq": record.tq.replace("\0", ""), "k": kind, "d": kept}
    return Whole(kind[:200], msgspec.json.encode(fields).decode(), why, mark)


def whole_item(item: Item, why: str) -> Item:
    """Return an item with its data carried whole instead of typed, for data that the tables or the database refuse."""
    if isinstance(item.d, Whole):  # refused although whole: as one JSON string nothing is left to refuse
        return Item(item.s, item.t, Whole(item.d.kind, msgspec.json.encode(item.d.record).decode(), why, "misfit"), item.tq)
    kind = KIND_OF[type(item.d)]
    text = msgspec.json.encode({"s": item.s, "t": item.t, "tq": item.tq, "k": kind, "d": item.d}).decode()
    kept = text if _fits_jsonb(text) else msgspec.json.encode(text).decode()
    return Item(item.s, item.t, Whole(kind, kept, why, "misfit"), item.tq)


Y2000_US = 946_684_800_000_000

_UNSAFE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])|\\x|\0|[0-9]{300}|[eE][+-]?[0-9]{4}")


def _fits_jsonb(text: str) -> bool:
    """Tell, on the safe side, whether jsonb takes a well-formed JSON text: no NUL, lone surrogate, huge number or deep nesting."""
    return text.count("[") + text.count("{") < 500 and _UNSAFE.search(text) is None


def at(ms: int) -> datetime:
    """Return UTC milliseconds as a time. Raises ValueError, OverflowError or OSError outside of the years 1 to 9999."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def micros(ms: int) -> int:
    """Return UTC milliseconds as a binary timestamptz: microseconds since 2000. Raises OverflowError outside of the years 1 to 9999."""
    if not FIRST_MS <= ms <= LAST_MS:
        raise OverflowError(f"{ms} ms is outside of the years 1 to 9999")
    return ms * 1000 - Y2000_US
