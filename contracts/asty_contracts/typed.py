"""Records read by their kinds in one go: what a pack all of whose records fit their kinds is decoded to, once."""

from collections.abc import Sequence
from functools import reduce
from operator import attrgetter, or_
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec
from msgspec import Struct

from asty_contracts import CONTRACT_VERSION
from asty_contracts.envelope import FIRST_MS, LAST_MS, MAX_RECORDS, is_word
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
_sequence, _time, _monotonic, _quality = (attrgetter(name) for name in ("s", "t", "mono", "tq"))


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
    if not recs:
        return TypedPack(pack.ep, pack.h, (), recs)
    numbers, times, clock = list(map(_sequence, recs)), list(map(_time, recs)), list(map(_monotonic, recs))
    fits = (
        min(numbers) >= 1
        and max(numbers) < 1 << 63
        and len(set(numbers)) == len(numbers)
        and min(times) >= FIRST_MS
        and max(times) <= LAST_MS
        and min(clock) >= 0
        and max(clock) < 1 << 63
        and all(is_word(word, 16) for word in set(map(_quality, recs)))
    )
    return TypedPack(pack.ep, pack.h, _runs(numbers), recs) if fits else None


def _runs(numbers: list[int]) -> tuple[int, ...]:
    first, last = min(numbers), max(numbers)
    if last - first + 1 == len(numbers):
        return first, len(numbers)
    runs: list[int] = []
    for number in sorted(numbers):
        if runs and runs[-2] + runs[-1] == number:
            runs[-1] += 1
        else:
            runs += number, 1
    return tuple(runs)
