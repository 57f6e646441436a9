"""Sets of sequence numbers as sorted, disjoint, inclusive ranges: a day of records in a few pairs of integers."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

Range = tuple[int, int]


class Ranges:
    """A set of integers; every pair is inclusive, and neighbours that touch are one pair."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Iterable[Range] = ()) -> None:
        self._pairs: list[Range] = []
        for first, last in pairs:
            self.add(first, last)

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "Ranges":
        """Gather single numbers."""
        made = cls()
        for number in numbers:
            made.add(number, number)
        return made

    def __iter__(self) -> Iterator[Range]:
        return iter(self._pairs)

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def __len__(self) -> int:
        """Count the numbers, not the pairs."""
        return sum(last - first + 1 for first, last in self._pairs)

    def __contains__(self, number: int) -> bool:
        at = bisect_left(self._pairs, number, key=lambda pair: pair[1])
        return at < len(self._pairs) and self._pairs[at][0] <= number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and self._pairs == other._pairs

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Ranges({self._pairs})"

    @property
    def first(self) -> int:
        """The smallest number. Raises IndexError when empty."""
        return self._pairs[0][0]

    @property
    def last(self) -> int:
        """The greatest number. Raises IndexError when empty."""
        return self._pairs[-1][1]

    def add(self, first: int, last: int) -> None:
        """Put in first..last; nothing when first > last."""
        if first > last:
            return
        pairs = self._pairs
        start = bisect_left(pairs, first - 1, key=lambda pair: pair[1])
        end = start
        while end < len(pairs) and pairs[end][0] <= last + 1:
            first, last = min(first, pairs[end][0]), max(last, pairs[end][1])
            end += 1
        pairs[start:end] = [(first, last)]

    def remove(self, first: int, last: int) -> None:
        """Take out first..last; nothing when first > last."""
        if first > last:
            return
        pairs = self._pairs
        start = bisect_left(pairs, first, key=lambda pair: pair[1])
        end, rest = start, []
        while end < len(pairs) and pairs[end][0] <= last:
            low, high = pairs[end]
            if low < first:
                rest.append((low, first - 1))
            if high > last:
                rest.append((last + 1, high))
            end += 1
        pairs[start:end] = rest

    def update(self, other: "Ranges") -> None:
        """Put in all of another set."""
        for first, last in other:
            self.add(first, last)

    def subtract(self, other: "Ranges") -> None:
        """Take out all of another set."""
        for first, last in other:
            self.remove(first, last)

    def within(self, first: int, last: int) -> "Ranges":
        """Return what lies in first..last."""
        cut = Ranges()
        start = bisect_left(self._pairs, first, key=lambda pair: pair[1])
        for low, high in self._pairs[start:]:
            if low > last:
                break
            cut.add(max(low, first), min(high, last))
        return cut

    def common(self, other: "Ranges") -> "Ranges":
        """Return the intersection with another set."""
        shared = Ranges()
        for first, last in other:
            shared.update(self.within(first, last))
        return shared

    def copy(self) -> "Ranges":
        """Return a set that changes apart from this one."""
        twin = Ranges()
        twin._pairs = list(self._pairs)
        return twin
