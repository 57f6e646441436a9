"""How a truck drives along a way: it speeds up, keeps the limit, slows for corners and stops at the end."""

from itertools import pairwise
from math import atan2, degrees, hypot, inf, pi, sqrt

_SPEED_UP = 1.0  # m/s2
_BRAKE = 1.3
_CLASS_SPEED = {"primary": 11.0, "secondary": 10.0, "tertiary": 9.0, "residential": 7.0, "living_street": 4.0, "service": 3.5}
_OTHER_SPEED = 12.0


def truck_speed(highway: str, maxspeed: float | None) -> float:
    """Return what a loaded refuse truck drives there, m/s; `maxspeed` is the street's own limit in km/h."""
    usual = _CLASS_SPEED.get(highway.removesuffix("_link"), _OTHER_SPEED)
    return min(usual, maxspeed / 3.6) if maxspeed else usual


class Drive:
    """One way to drive: `points` in metres (x, y), `limits` in m/s for each stretch between two of them."""

    def __init__(self, points: list[tuple[float, float]], limits: list[float]) -> None:
        kept = [(a, b, limit) for (a, b), limit in zip(pairwise(points), limits, strict=True) if hypot(b[0] - a[0], b[1] - a[1]) > 0.05]
        self._at = [a for a, _, _ in kept] + [kept[-1][1] if kept else points[-1]]
        self._limits = [limit for _, _, limit in kept]
        self._lengths = [hypot(b[0] - a[0], b[1] - a[1]) for a, b, _ in kept]
        self._angles = [atan2(b[1] - a[1], b[0] - a[0]) for a, b, _ in kept]
        self._ends = self._speed_at_ends()
        self._stretch = 0
        self._along = 0.0
        self.v = 0.0
        self.acceleration = 0.0

    def _speed_at_ends(self) -> list[float]:
        """Return the speed that is allowed at the end of each stretch, for its corner and all that follow."""
        ends = [0.0] * len(self._lengths)
        for k in range(len(ends) - 2, -1, -1):
            bend = abs((self._angles[k + 1] - self._angles[k] + pi) % (2 * pi) - pi)
            corner = inf if bend < 0.2 else max(1.5, 9.0 - 5.0 * bend)
            ends[k] = min(corner, self._limits[k + 1], sqrt(ends[k + 1] ** 2 + 2 * _BRAKE * self._lengths[k + 1]))
        return ends

    @property
    def metres(self) -> float:
        """The whole way."""
        return sum(self._lengths)

    @property
    def done(self) -> bool:
        """Whether it stands at the end."""
        return self._stretch >= len(self._lengths)

    def advance(self, seconds: float) -> float:
        """Drive on; return the metres driven."""
        if self.done:
            self.v = self.acceleration = 0.0
            return 0.0
        left = self._lengths[self._stretch] - self._along
        allowed = min(self._limits[self._stretch], sqrt(self._ends[self._stretch] ** 2 + 2 * _BRAKE * max(left, 0.0)))
        before = self.v
        self.v = max(min(allowed, before + _SPEED_UP * seconds), 0.35)
        self.acceleration = (self.v - before) / seconds
        driven = self.v * seconds
        self._along += driven
        while self._stretch < len(self._lengths) and self._along >= self._lengths[self._stretch] - 0.02:
            self._along -= self._lengths[self._stretch]
            self._stretch += 1
        if self._stretch == len(self._lengths):
            driven -= max(self._along, 0.0)
            self._along = self.v = 0.0
        return max(driven, 0.0)

    @property
    def place(self) -> tuple[float, float]:
        """Where it is, metres (x, y)."""
        if self.done:
            return self._at[-1]
        (ax, ay), (bx, by) = self._at[self._stretch], self._at[self._stretch + 1]
        share = max(self._along, 0.0) / self._lengths[self._stretch]
        return ax + (bx - ax) * share, ay + (by - ay) * share

    @property
    def course(self) -> float | None:
        """Direction of travel, degrees from north; None for a way without length."""
        if not self._angles:
            return None
        angle = self._angles[min(self._stretch, len(self._angles) - 1)]
        return (90 - degrees(angle)) % 360
