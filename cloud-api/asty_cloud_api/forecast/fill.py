"""The forecast: each bin's rate times what the day is, with the spread of what was otherwise; from it the chance of an overflow.

rate_b = (sum of its rises + K prior_b) / (sum of its day factors + K), older stretches counting less; prior_b from neighbours and kind, so
that a new bin begins where bins like it are. Factors of days and of the level it starts from, and residuals per level, are pooled over
all bins: a bin that has waste in it is in use, one that stands at nothing often stays there.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from asty_cloud_api.forecast.calendar import CLASSES, DayCounts, kind_of_day
from asty_cloud_api.forecast.history import Bin, Floats, Ints, Level, Lift, Stretches, stretches

HALF_LIFE = 45.0
"""Days after which a stretch counts half."""
PRIOR_DAYS = 5.0
"""How many days of own history weigh as much as the prior."""
NEAR = 300.0
"""Metres at which a neighbour's weight has fallen to 1/e."""
OWN_RESIDUALS = 40
"""How many own residuals weigh as much as the pooled ones."""
RATE_UNKNOWN = 0.15
"""Share of the volume per day where there is no history at all: a bin that fills in a week."""
EARTH = 6_371_000.0
BANDS = (0.05, 0.45)
"""Where the bands of starting levels end: as good as empty, partly full, and above."""
COARSE = 21
"""Up to so many different rises, readings are in steps."""
_LEAST = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class FillModel:
    """What was learnt up to `today`. Rates are shares of the volume per mean day; `factors` by kind of day, `bands`
    and `pooled` residuals by band of the starting level; `own` residuals by bin and band;
    `step` the resolution of readings."""

    today: date
    country: str
    bins: tuple[Bin, ...]
    rates: Floats
    factors: Floats
    bands: Floats
    pooled: tuple[Floats, ...]
    own: tuple[tuple[Floats, ...], ...]
    step: float = 0.0

    def rate(self, name: str) -> float:
        """Share of the volume per mean day. Raises KeyError for a bin that is not known."""
        return float(self.rates[self._index(name)])

    def expected(self, name: str, level: float, after: date, until: date) -> float:
        """The expected rise over the days in (after, until] of a bin that begins at `level`."""
        days = (until - after).days
        factors = sum(float(self.factors[kind_of_day(after + timedelta(days=i), self.country)]) for i in range(1, days + 1))
        return self.rate(name) * factors * float(self.bands[np.searchsorted(BANDS, level, side="right")])

    def overflow(self, name: str, level: float, after: date, until: date, *, full: float = 1.0) -> float:
        """The chance that a bin which stood at `level` on a day reaches `full` by another, if nobody empties it."""
        if level >= full:
            return 1.0
        mean = self.expected(name, level, after, until)
        if mean <= 0:
            return 0.0
        need = (full - self.step / 2 - level - mean) / math.sqrt(mean)
        band = int(np.searchsorted(BANDS, level, side="right"))
        own, others = self.own[self._index(name)][band], self.pooled[band]
        pooled = float(np.mean(others >= need)) if others.size else float(mean >= full - level)
        mine = float(np.mean(own >= need)) if own.size else pooled
        return (own.size * mine + OWN_RESIDUALS * pooled) / (own.size + OWN_RESIDUALS)

    def _index(self, name: str) -> int:
        for index, known in enumerate(self.bins):
            if known.id == name:
                return index
        raise KeyError(name)


def fit(bins: Iterable[Bin], levels: Iterable[Level], lifts: Iterable[Lift], today: date, *, country: str = "GR") -> FillModel:
    """Learn from everything up to and including `today`; later readings are not looked at."""
    bins = tuple(bins)
    known = stretches(bins, [r for r in levels if r.day <= today], [r for r in lifts if r.day <= today])
    return fit_stretches(bins, known, today, country=country)


def fit_stretches(bins: Sequence[Bin], known: Stretches, today: date, *, country: str = "GR") -> FillModel:
    """Learn from stretches that all end by `today`."""
    bins = tuple(bins)
    if not known.rise.size:
        none = (np.zeros(0),) * (len(BANDS) + 1)
        rates, bands = np.full(len(bins), RATE_UNKNOWN), np.ones(len(BANDS) + 1)
        return FillModel(today, country, bins, rates, np.ones(CLASSES), bands, none, (none,) * len(bins))
    counts = DayCounts(date.fromordinal(int(known.after.min())), today, country).between(known.after, known.until)
    weights = 0.5 ** ((today.toordinal() - known.until) / HALF_LIFE)
    near = _nearness(bins)
    band = np.searchsorted(BANDS, known.level, side="right")
    factors, bands, rates = np.ones(CLASSES), np.ones(len(BANDS) + 1), np.full(len(bins), RATE_UNKNOWN)
    for _ in range(4):
        rates = _rates(known, (counts @ factors) * bands[band], weights, near)
        factors = _factors(known, counts, rates[known.bin] * bands[band], factors)
        bands = _bands(known, rates[known.bin] * (counts @ factors), band)
    mean = np.maximum(rates[known.bin] * (counts @ factors) * bands[band], _LEAST)
    residuals = (known.rise - mean) / np.sqrt(mean)
    all_of = [_sample(residuals) if (band == b).sum() < OWN_RESIDUALS else _sample(residuals[band == b]) for b in range(len(BANDS) + 1)]
    own = tuple(tuple(residuals[(known.bin == i) & (band == b)][-400:] for b in range(len(BANDS) + 1)) for i in range(len(bins)))
    return FillModel(today, country, bins, rates, factors, bands, tuple(all_of), own, _step(known.rise))


def _step(rise: Floats) -> float:
    """The resolution of the readings, 0 where they are as good as continuous: half of it corrects for what lies between two steps."""
    values = np.unique(np.round(rise, 4))
    return float(np.diff(values).min()) if 1 < values.size <= COARSE else 0.0


def _sample(residuals: Floats) -> Floats:
    quantiles: Floats = np.quantile(residuals, np.linspace(0.0025, 0.9975, 200))
    return quantiles


def _rates(known: Stretches, days: Floats, weights: Floats, near: Floats) -> Floats:
    """Each bin's rate, shrunk to its prior: the rate of bins of its kind, near ones more."""
    size = near.shape[0]
    rise = np.bincount(known.bin, weights * known.rise, size)
    time = np.bincount(known.bin, weights * days, size)
    overall = rise.sum() / max(time.sum(), _LEAST)
    prior = (near @ rise + PRIOR_DAYS * overall) / (near @ time + PRIOR_DAYS)
    rates: Floats = np.maximum((rise + PRIOR_DAYS * prior) / (time + PRIOR_DAYS), _LEAST)
    return rates


def _factors(known: Stretches, counts: Floats, rates: Floats, factors: Floats) -> Floats:
    """One step of the multiplicative update: what rose on days of a kind over what was expected of them; few such days stay near 1."""
    share = counts * factors
    expected = np.maximum(rates * share.sum(axis=1), _LEAST)
    explained = (share * (known.rise / expected * rates)[:, None]).sum(axis=0)
    plain = (share * rates[:, None]).sum(axis=0)
    shrink = float(rates.mean()) * 30
    updated = factors * (explained + shrink) / (plain + shrink)
    scaled: Floats = updated * counts.sum() / max(float((counts * updated).sum()), _LEAST)
    return scaled


def _bands(known: Stretches, mean: Floats, band: Ints) -> Floats:
    """What rose from each band of levels over what was expected without bands; few stretches stay near 1."""
    size = len(BANDS) + 1
    shrink = float(mean.mean()) * 30
    bands: Floats = (np.bincount(band, known.rise, size) + shrink) / (np.bincount(band, mean, size) + shrink)
    return bands


def _nearness(bins: Sequence[Bin]) -> Floats:
    """Weights between bins of one kind, 1 at no distance; a bin is no neighbour of itself. Without a place it is near to none."""
    lat = np.radians(np.array([b.lat for b in bins]))
    lon = np.radians(np.array([b.lon for b in bins]))
    x = (lon[:, None] - lon[None]) * np.cos((lat[:, None] + lat[None]) / 2)
    metres = EARTH * np.hypot(x, lat[:, None] - lat[None])
    kinds = np.array([b.kind for b in bins])
    weights = np.where(kinds[:, None] == kinds[None], np.exp(-np.nan_to_num(metres, nan=np.inf) / NEAR) + 0.01, 0.0)
    np.fill_diagonal(weights, 0.0)
    nearness: Floats = weights
    return nearness
