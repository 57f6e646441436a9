"""Lets each address through so many times a minute, and a burst of as many."""

from dataclasses import dataclass, field

KEPT = 10_000


@dataclass(slots=True)
class Turnstile:
    """A token bucket per address; the time is the caller's (s, monotonic). It remembers the KEPT addresses that came last."""

    per_minute: int
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, address: str, now: float) -> float:
        """Take one turn; return 0.0, or how many seconds until the next one."""
        left, at = self._left.pop(address, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - at) * self.per_minute / 60)
        passes = left >= 1
        self._left[address] = (left - passes, now)
        while len(self._left) > KEPT:
            del self._left[next(iter(self._left))]
        return 0.0 if passes else (1 - left) * 60 / self.per_minute
