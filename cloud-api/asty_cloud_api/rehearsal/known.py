"""What the town knows of its bins: weighed lifts, and evening readings of the bins that have a level sensor. Nothing else reaches a policy.

A truck comes before the day's waste does, so a lift counts to the evening before: the forecast's days then hold the waste that lay in
the bin.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from asty_cloud_api.forecast.history import Bin, Level, Lift
from asty_cloud_api.rehearsal.ground import Site

WEIGHS = 0.12
"""Deviation of the logarithm of a lift's weight at the same volume: wet days, heavy things."""
DIVISION = 5.0
"""kg of the truck's scale."""
SENSOR = 0.02
"""Deviation of a level reading, share of the volume."""
LOST = 0.03
"""Share of readings that do not arrive."""


@dataclass(slots=True, eq=False)
class Known:
    """Grows as days pass; `sensors` tells which bins have one."""

    bins: tuple[Site, ...]
    sensors: NDArray[np.bool_]
    rng: np.random.Generator
    levels: list[Level] = field(default_factory=list)
    lifts: list[Lift] = field(default_factory=list)
    last: dict[str, tuple[date, float]] = field(default_factory=dict)

    def lifted(self, morning: date, index: int, content: float) -> float:
        """A bin with this content (share) was emptied that morning; returns kg on the scale."""
        site = self.bins[index]
        kg = content * site.kg_full * float(self.rng.lognormal(-(WEIGHS**2) / 2, WEIGHS))
        kg = round(kg / DIVISION) * DIVISION
        evening = morning - timedelta(days=1)
        self.lifts.append(Lift(site.id, evening, kg))
        self.last[site.id] = (evening, 0.0)
        return kg

    def read(self, evening: date, content: NDArray[np.float64]) -> None:
        """The sensors' readings of an evening; a sensor sees no higher than the rim."""
        seen = np.clip(content + self.rng.normal(0, SENSOR, len(content)), 0.0, 1.0)
        arrived = self.sensors & (self.rng.random(len(content)) >= LOST)
        for index in np.flatnonzero(arrived):
            name = self.bins[index].id
            self.levels.append(Level(name, evening, float(seen[index])))
            self.last[name] = (evening, float(seen[index]))


def with_sensors(bins: tuple[Site, ...], share: float, seed: int) -> Known:
    """Nothing is known yet; `share` of the bins, drawn by seed, have a sensor."""
    rng = np.random.default_rng((seed, 3))
    return Known(bins, rng.random(len(bins)) < share, rng)


def as_forecast(bins: tuple[Site, ...]) -> tuple[Bin, ...]:
    """The bins as the forecast knows them."""
    return tuple(Bin(b.id, f"{b.stream} {b.litres}", b.lat, b.lon, b.kg_full) for b in bins)
