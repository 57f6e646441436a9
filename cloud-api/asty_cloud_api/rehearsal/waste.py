"""How bins really fill in a rehearsal. The forecast never sees this: it gets readings and weights (`known.py`).

A day's rise of a bin, as a share of its volume, is a compound Poisson sum of bags with the mean
rate x weekday x holiday x what its neighbourhood and itself drift by (AR(1) of the logarithm), and now and then a burst: somebody clears a
cellar. The spread of rates between bins (sigma of the logarithm 0.45) is that of the street bins of Wyndham City; the rest is plausible
and invented. Parameters were set before the first run and not changed since.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from asty_cloud_api.forecast.calendar import is_holiday
from asty_cloud_api.rehearsal.ground import Site

RATE = {"residual": (0.08, 0.16), "recycling": (0.06, 0.12)}
"""Median share of the volume per day, at the edge of the town and in its middle."""
SPREAD = 0.45
WEEKDAY = {
    "residual": (1.05, 0.95, 0.95, 1.0, 1.05, 1.15, 0.85),
    "recycling": (1.05, 0.95, 1.0, 1.0, 1.1, 1.2, 0.7),
}
HOLIDAY = 1.25
BAG_LITRES = 35.0
NEIGHBOURHOOD = 350.0
"""Metres of a square whose bins drift together."""
DRIFT = (0.9, 0.12, 0.08)
"""Memory from day to day, and the lasting deviation of a bin and of a neighbourhood."""
BURST_DAYS = 300.0
BURST = (0.1, 0.4)
HEAP = 1.6
"""More than that does not lie in and beside one bin: people carry it to the next street."""


@dataclass(frozen=True, slots=True, eq=False)
class Waste:
    """`rise[i, d]`: what bin i gets on day `first` + d, share of its volume."""

    first: date
    rise: NDArray[np.float64]

    def on(self, day: date) -> NDArray[np.float64]:
        """What each bin gets on a day."""
        column: NDArray[np.float64] = self.rise[:, (day - self.first).days]
        return column


def make(bins: tuple[Site, ...], first: date, days: int, seed: int, *, country: str = "GR") -> Waste:
    """Draw every bin's every day; the same seed, the same waste, whoever collects it."""
    rng = np.random.default_rng((seed, 2))
    low, high = np.array([RATE[b.stream] for b in bins]).T
    core = np.array([b.core for b in bins])
    rates = (low + (high - low) * core) * rng.lognormal(0, SPREAD, len(bins))
    dates = [first + timedelta(days=i) for i in range(days)]
    week = np.array([[WEEKDAY[b.stream][day.weekday()] for day in dates] for b in bins])
    festive = np.array([HOLIDAY if is_holiday(day, country) else 1.0 for day in dates])
    squares = {key: n for n, key in enumerate(dict.fromkeys(_square(b) for b in bins))}
    memory, own, shared = DRIFT
    together = _drift(len(squares), days, memory, shared, rng)[[squares[_square(b)] for b in bins]]
    mean = rates[:, None] * week * festive * np.exp(_drift(len(bins), days, memory, own, rng) + together)
    bag = BAG_LITRES / np.array([b.litres for b in bins])[:, None]
    bags = rng.poisson(mean / bag)
    rise = rng.gamma(np.maximum(2.0 * bags, 1e-9), bag / 2)
    burst = (rng.random(rise.shape) < 1 / BURST_DAYS) * rng.uniform(*BURST, rise.shape)
    return Waste(first, rise + burst)


def _square(site: Site) -> tuple[int, int]:
    return int(site.x // NEIGHBOURHOOD), int(site.y // NEIGHBOURHOOD)


def _drift(count: int, days: int, memory: float, deviation: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """AR(1) with a lasting deviation, count x days."""
    noise = rng.normal(0, deviation * (1 - memory**2) ** 0.5, (count, days))
    path = np.empty((count, days))
    now = rng.normal(0, deviation, count)
    for day in range(days):
        now = memory * now + noise[:, day]
        path[:, day] = now
    return path
