"""Sets of sequence numbers as sorted, disjoint, half-open ranges: the ledger's arithmetic, without a database."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import inf

Range = tuple[int, int]
"""Half-open: first, last + 1."""


class Sequences:
    """An immutable set of integers, cheap when it is a few long runs. Written and read as PostgreSQL's int8multirange."""

    __slots__ = ("ranges",)

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        """Take half-open ranges in any order; empty ones are ignored, touching and overlapping ones are joined."""
        merged: list[Range] = []
        for first, end in sorted(ranges):
            if first >= end:
                continue
            if merged and first <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((first, end))
        self.ranges: tuple[Range, ...] = tuple(merged)

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "Sequences":
        """Make the set of these numbers."""
        ordered = sorted(numbers)
        if ordered and ordered[-1] - ordered[0] + 1 == len(ordered) and len(set(ordered)) == len(ordered):
            return cls([(ordered[0], ordered[-1] + 1)])
        return cls((number, number + 1) for number in ordered)

    @classmethod
    def parse(cls, text: str) -> "Sequences":
        """Read the canonical text of an int8multirange, such as `{[1,101),[105,106)}`."""
        bounds = text.translate(_NO_BRACKETS).split(",") if len(text) > 2 else []
        numbers = [int(bound) for bound in bounds]
        return cls(zip(numbers[::2], numbers[1::2], strict=True))

    def __str__(self) -> str:
        return "{" + ",".join(f"[{first},{end})" for first, end in self.ranges) + "}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequences) and self.ranges == other.ranges

    def __hash__(self) -> int:
        return hash(self.ranges)

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self.ranges, (number, inf)) - 1
        return place >= 0 and number < self.ranges[place][1]

    def __len__(self) -> int:
        return sum(end - first for first, end in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for first, end in self.ranges:
            yield from range(first, end)

    def __or__(self, other: "Sequences") -> "Sequences":
        return Sequences(self.ranges + other.ranges)

    def __and__(self, other: "Sequences") -> "Sequences":
        """Return what both hold."""
        common: list[Range] = []
        mine, theirs = iter(self.ranges), iter(other.ranges)
        a, b = next(mine, None), next(theirs, None)
        while a is not None and b is not None:
            common.append((max(a[0], b[0]), min(a[1], b[1])))
            if a[1] < b[1]:
                a = next(mine, None)
            else:
                b = next(theirs, None)
        return Sequences(common)

    def __sub__(self, other: "Sequences") -> "Sequences":
        """Return what the other does not hold."""
        left: list[Range] = []
        for first, end in self.ranges:
            for low, high in other.ranges:
                if low >= end:
                    break
                if high > first:
                    left.append((first, low))
                    first = max(first, high)
            left.append((first, end))
        return Sequences(left)

    def plus(self, first: int, end: int) -> "Sequences":
        """Return the set with a half-open range, which is not empty; cheap when that goes on where the last one ends."""
        if not self.ranges or self.ranges[-1][1] != first:
            return Sequences((*self.ranges, (first, end)))
        grown = Sequences()
        grown.ranges = (*self.ranges[:-1], (self.ranges[-1][0], end))
        return grown

    def meets(self, first: int, end: int) -> bool:
        """Tell whether any number of a half-open range, which is not empty, is held."""
        place = bisect_right(self.ranges, (first, inf)) - 1
        if place >= 0 and first < self.ranges[place][1]:
            return True
        return place + 1 < len(self.ranges) and self.ranges[place + 1][0] < end

    @property
    def last(self) -> int:
        """The highest number; 0 for the empty set."""
        return self.ranges[-1][1] - 1 if self.ranges else 0

    @property
    def upto(self) -> int:
        """The end of the unbroken run that begins at 1; 0 when 1 is not held."""
        return self.ranges[0][1] - 1 if self.ranges and self.ranges[0][0] <= 1 else 0

    def inclusive(self, most: int) -> tuple[tuple[int, int], ...]:
        """Return the first `most` ranges, inclusive."""
        return tuple((first, end - 1) for first, end in self.ranges[:most])

    def holes(self) -> list[tuple[int, int]]:
        """Return the inclusive ranges above `upto` that are not held although later numbers are."""
        start: list[Range] = [] if self.upto else [(1, 1)]
        return [(end, first - 1) for (_, end), (first, _) in pairwise([*start, *self.ranges])]


_NO_BRACKETS = str.maketrans("", "", "{}[)")
