"""Rows for PostgreSQL's binary COPY, out of columns. Pure.

A row is a count of fields and, for each, its length and its bytes. Rows that lack the same fields and whose texts have the same
lengths are equally wide: numpy lays them out all at once.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"


class Numbers(NamedTuple):
    """A field of fixed width, big-endian; `null` marks the rows that lack it, if any does."""

    values: NDArray[Any]
    null: NDArray[np.bool_] | None = None


class Texts(NamedTuple):
    """A field of text: the different ones, UTF-8, None for null, and for each row which it is."""

    words: Sequence[bytes | None]
    numbers: NDArray[np.int64]


type Field = Numbers | Texts | None
"""None: null in every row."""


def rows(count: int, fields: Sequence[Field]) -> bytes:
    """Lay out `count` rows, grouped by their pattern of widths, in their order within each."""
    pattern = np.zeros(count, np.int64)
    for field in fields:
        if isinstance(field, Texts):
            widths, of_word = np.unique([-1 if word is None else len(word) for word in field.words], return_inverse=True)
            if len(widths) > 1:
                pattern = pattern * len(widths) + of_word[field.numbers]
        elif field is not None and field.null is not None:
            pattern = pattern * 2 + field.null
    if not count or (pattern == pattern[0]).all():
        return _alike(count, fields)
    order = np.argsort(pattern, kind="stable")
    begins = np.flatnonzero(np.diff(pattern[order], prepend=-1))
    return b"".join(_alike(len(part), [_of(field, part) for field in fields]) for part in np.split(order, begins[1:]))


def _of(field: Field, part: NDArray[np.intp]) -> Field:
    if isinstance(field, Texts):
        return Texts(field.words, field.numbers[part])
    if field is None:
        return None
    return Numbers(field.values[part], None if field.null is None else field.null[part])


def _alike(count: int, fields: Sequence[Field]) -> bytes:
    """Lay out rows of one pattern."""
    if not count:
        return b""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    fill: list[tuple[str, Any]] = [("fields", len(fields))]
    for at, field in enumerate(fields):
        dtype, width, values = _laid(field)
        layout.append((f"w{at}", ">i4"))
        fill.append((f"w{at}", width))
        if width > 0:
            layout.append((f"v{at}", dtype))
            fill.append((f"v{at}", values()))
    table = np.empty(count, layout)
    for name, values in fill:
        table[name] = values
    return table.tobytes()


def _laid(field: Field) -> tuple[str, int, Callable[[], Any]]:
    """Return the type, width and values of a field that is equally wide in all rows; a width of -1 is null."""
    if field is None or (isinstance(field, Numbers) and field.null is not None and field.null[0]):
        return "", -1, lambda: None
    if isinstance(field, Numbers):
        return field.values.dtype.str, field.values.dtype.itemsize, lambda: field.values
    word = field.words[field.numbers[0]]
    if word is None:
        return "", -1, lambda: None
    width = len(word)

    def texts() -> Any:
        used, numbers = np.unique(field.numbers, return_inverse=True)
        return np.array([field.words[number] for number in used], f"S{width}")[numbers]

    return f"S{width}", width, texts
