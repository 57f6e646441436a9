"""Records read by their kinds in one go: what a pack all of whose records fit their kinds is decoded to, once."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple, cast, get_args
from uuid import UUID

import msgspec
from msgspec import Struct

from asty_contracts import CONTRACT_VERSION
from asty_contracts.envelope import FIRST_MS, LAST_MS, MAX_RECORDS, TimeQuality, is_word
from asty_contracts.records import KINDS

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding can raise, whatever the bytes are."""


def _item_type(kind: str, data: type[Struct]) -> type[Struct]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [("s", int), ("t", int), ("d", data), ("mono", int, 0), ("tq", str, "none")]
    return msgspec.defstruct(f"{kind}_item", fields, tag_field="k", tag=kind, frozen=True)


ITEMS = {kind: _item_type(kind, data) for kind, data in KINDS.items()}
"""One record type per kind, as `envelope.Record` with its data read, so that a whole pack is read in one call: `k` chooses."""
ITEM: Any = reduce(or_, cast("list[Any]", ITEMS.values()))
PACK = msgspec.defstruct("PackOfItems", [("ep", UUID), ("recs", list[ITEM]), ("v", int, CONTRACT_VERSION), ("h", bool, False)], frozen=True)
_decode = msgspec.json.Decoder(cast("type[Any]", PACK)).decode
_QUALITIES = frozenset(get_args(TimeQuality))
_END = 1 << 63


class TypedPack(NamedTuple):
    """A pack whose records are read; `runs` are its sequences as first, count, first, count and so on, rising."""

    ep: UUID
    h: bool
    runs: tuple[int, ...]
    recs: Sequence[Any]


def read(text: bytes) -> TypedPack | None:
    """Read a pack as `envelope.json_text` gave it. None when it needs a closer look, by `envelope.decode_json`."""
    if b"\\u0000" in text:  # PostgreSQL's text holds no NUL
        return None
    try:
        pack = _decode(text)
    except UNREADABLE:
        return None
    recs = pack.recs
    if pack.v != CONTRACT_VERSION or len(recs) > MAX_RECORDS or not all(map(_fits, recs)):
        return None
    runs = _runs([record.s for record in recs])
    return None if runs is None else TypedPack(pack.ep, pack.h, runs, recs)


def _fits(record: Any) -> bool:
    return FIRST_MS <= record.t <= LAST_MS and 0 <= record.mono < _END and (record.tq in _QUALITIES or is_word(record.tq, 16))


def _runs(numbers: list[int]) -> tuple[int, ...] | None:
    """Return sequences as runs; None when one is twice, or out of range."""
    if not numbers:
        return ()
    first = numbers[0]
    if numbers == list(range(first, first + len(numbers))):
        return (first, len(numbers)) if first >= 1 and first + len(numbers) <= _END else None
    ordered = sorted(set(numbers))
    if len(ordered) < len(numbers) or ordered[0] < 1 or ordered[-1] >= _END:
        return None
    runs: list[int] = []
    for number in ordered:
        if runs and number == runs[-2] + runs[-1]:
            runs[-1] += 1
        else:
            runs += number, 1
    return tuple(runs)
