"""Latencies counted by the whole millisecond: exact percentiles of millions of readings in little memory."""

from collections import Counter

from msgspec import Struct


class Summary(Struct, frozen=True):
    """How many, and in ms what half of them, 99 of 100, and all of them do not exceed. None where nothing was measured."""

    n: int
    p50: int | None
    p99: int | None
    worst: int | None


class Latencies:
    """A histogram with bins of one millisecond."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, ms: float, n: int = 1) -> None:
        """Count `n` things that took `ms`; a clock's step back counts as zero."""
        self._counts[max(0, round(ms))] += n

    def percentile(self, q: float) -> int | None:
        """Return the smallest latency that `q` (0 to 1) of all do not exceed; None when nothing was counted."""
        total = self._counts.total()
        below = 0
        for ms in sorted(self._counts):
            below += self._counts[ms]
            if below >= q * total:
                return ms
        return None

    def summary(self) -> Summary:
        """Return count, median, p99 and the worst."""
        return Summary(self._counts.total(), self.percentile(0.5), self.percentile(0.99), max(self._counts, default=None))
