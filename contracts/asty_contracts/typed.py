"""Records read by their kinds in one go: what a pack all of whose records fit their kinds is decoded to, once."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, NamedTuple, cast
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from asty_contracts import CONTRACT_VERSION
from asty_contracts.envelope import FIRST_MS, LAST_MS, MAX_RECORDS, TimeQuality
from asty_contracts.records import KINDS

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding can raise, whatever the bytes are."""


_LAST = (1 << 63) - 1
_SEQUENCE, _TIME, _CLOCK = (Annotated[int, Meta(ge=least, le=most)] for least, most in ((1, _LAST), (FIRST_MS, LAST_MS), (0, _LAST)))


def _item_type(kind: str, data: type[Struct]) -> type[Struct]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        ("s", _SEQUENCE), ("t", _TIME), ("d", data), ("mono", _CLOCK, 0), ("tq", TimeQuality, "none")
    ]  # fmt: skip
    return msgspec.defstruct(f"{kind}_item", fields, tag_field="k", tag=kind, frozen=True, gc=False)


ITEMS = {kind: _item_type(kind, data) for kind, data in KINDS.items()}
"""One record type per kind, as `envelope.Record` with its data read, so that a pack is read and checked in one call: `k` chooses."""
ITEM: Any = reduce(or_, cast("list[Any]", ITEMS.values()))
PACK = msgspec.defstruct("PackOfItems", [("ep", UUID), ("recs", list[ITEM]), ("v", int, CONTRACT_VERSION), ("h", bool, False)], frozen=True)
_decode = msgspec.json.Decoder(cast("type[Any]", PACK)).decode


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
    if pack.v != CONTRACT_VERSION or len(recs) > MAX_RECORDS:
        return None
    runs = _runs([record.s for record in recs])
    return None if runs is None else TypedPack(pack.ep, pack.h, runs, recs)


def _runs(numbers: list[int]) -> tuple[int, ...] | None:
    """Return sequences as runs; None when one is twice."""
    if not numbers:
        return ()
    first = numbers[0]
    if numbers == list(range(first, first + len(numbers))):
        return first, len(numbers)
    ordered = sorted(set(numbers))
    if len(ordered) < len(numbers):
        return None
    runs: list[int] = []
    for number in ordered:
        if runs and number == runs[-2] + runs[-1]:
            runs[-1] += 1
        else:
            runs += number, 1
    return tuple(runs)
