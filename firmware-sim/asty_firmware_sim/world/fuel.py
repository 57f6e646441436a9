"""Tank and engine of a truck."""

from dataclasses import dataclass
from math import sin


@dataclass(slots=True)
class Engine:
    """What the engine burns and counts. Litres, metres, hours since new."""

    tank: float  # l
    litres: float
    total: float
    dist: float
    hours: float
    ignition: bool = True
    pto: bool = False
    v: float = 0.0
    acceleration: float = 0.0

    def run(self, seconds: float, v: float, acceleration: float, metres: float) -> None:
        """Let it run (or stand) for a while."""
        self.v, self.acceleration = v, acceleration
        self.dist += metres
        if not self.ignition:
            return
        burnt = self.rate * seconds / 3600
        self.litres = max(0.0, self.litres - burnt)
        self.total += burnt
        self.hours += seconds / 3600

    @property
    def rate(self) -> float:
        """Fuel rate, l/h."""
        if not self.ignition:
            return 0.0
        if self.v > 0.3:
            return 8.0 + 1.5 * self.v + 8.0 * max(0.0, self.acceleration)
        return 9.5 if self.pto else 2.6

    @property
    def rpm(self) -> float:
        """Engine speed, 1/min."""
        if not self.ignition:
            return 0.0
        return 900 + 85 * self.v if self.v > 0.3 else 950.0 if self.pto else 650.0

    def level(self, now: int) -> float:
        """Return what a level probe shows, %: fuel sloshes by up to 2 % when the truck moves."""
        swing = 1.4 * sin(now / 730) * min(1.0, self.v / 5) + 0.8 * max(-1.0, min(1.0, self.acceleration))
        return max(0.0, min(100.0, 100 * self.litres / self.tank + swing))
