"""The town's clock: it may start in the past and run faster than time until it meets now."""

from collections.abc import Callable
from time import time_ns


def utc_ms() -> int:
    """Return the machine's UTC time, ms."""
    return time_ns() // 1_000_000


class TownClock:
    """Starts at `start` (UTC ms), runs `speed` times faster than time until it meets now, then as fast as time; never ahead of it."""

    def __init__(self, start: int, speed: float = 1.0, *, now: Callable[[], int] = utc_ms) -> None:
        if speed < 1:
            raise ValueError(f"a town's clock can't run slower than time: speed {speed}, expected at least 1")
        self._now = now
        self._began = now()
        self._start = min(start, self._began)
        self.speed = speed
        self._last = self._start

    def now(self) -> int:
        """Return the town's UTC time, ms; it never goes back, even when the machine's clock is set back."""
        real = self._now()
        town = min(real, self._start + round((real - self._began) * self.speed))
        self._last = max(self._last, town)
        return self._last

    @property
    def lead(self) -> int:
        """How far behind now the town is, ms; 0 when it has met now."""
        return max(0, self._now() - self.now())
