"""How good the forecast would have been: walking forward through readings, with persistence (it stays as it is) as the baseline.

Judged are stretches in which the bin was not emptied before their end: after a fall nobody can say how full it would have been.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from asty_cloud_api.forecast.fill import FillModel, fit_stretches
from asty_cloud_api.forecast.history import Bin, Level, Lift, Stretches, stretches

REFIT_DAYS = 7
LEARN_SHARE = 0.3
"""The share of the period that is only learnt from."""


class NothingToJudgeError(ValueError):
    """Too few readings or lifts for a backtest."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Of the level, in shares of the volume, and the Brier score of "full by then"."""

    mae: float
    rmse: float
    brier: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Forecasts of about the same chance: their mean, how often it came true, how many."""

    said: float
    came: float
    n: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """`always` says the base rate every time: a forecast worth having has a lower Brier score. `off` is the mean |said - came|."""

    n: int
    full_share: float
    ours: Errors
    persistence: Errors
    always: float
    calibration: tuple[CalibrationBin, ...]
    off: float


def backtest(
    rows: Iterable[Level],
    *,
    lifts: Iterable[Lift] = (),
    full: float = 0.8,
    bins: Iterable[Bin] = (),
    country: str = "GR",
    longest: int = 7,
) -> Backtest:
    """Forecast each stretch of up to `longest` days from what was known before it: between readings, and between a lift and a weighed one.

    Bins that are not given stand nowhere, of one kind. Raises NothingToJudgeError.
    """
    rows, lifts = tuple(rows), tuple(lifts)
    given = {b.id: b for b in bins}
    names = sorted({row.bin for row in rows} | {lift.bin for lift in lifts})
    towns = [given.get(name, Bin(name, "bin", math.nan, math.nan)) for name in names]
    found = stretches(towns, rows, lifts)
    judged = _judged(found, longest)
    if not judged:
        raise NothingToJudgeError("there is no stretch to judge: too few readings, or none without an emptying between")
    said, came, mean, base, now = [], [], [], [], []
    model: FillModel | None = None
    for index in judged:
        after, until = int(found.after[index]), int(found.until[index])
        if model is None or after - model.today.toordinal() >= REFIT_DAYS:
            model = fit_stretches(towns, _before(found, after), date.fromordinal(after), country=country)
        name = names[int(found.bin[index])]
        level = float(found.level[index])
        first, last = date.fromordinal(after), date.fromordinal(until)
        said.append(model.overflow(name, level, first, last, full=full))
        mean.append(min(1.0, level + model.expected(name, level, first, last)))
        base.append(float(level >= full))
        now.append(level)
        came.append(level + float(found.rise[index]))
    truth = np.array(came)
    event = (truth >= full).astype(np.float64)
    calibration = _calibration(np.array(said), event)
    return Backtest(
        len(judged),
        float(event.mean()),
        _errors(np.array(mean), truth, np.array(said), event),
        _errors(np.array(now), truth, np.array(base), event),
        float(np.mean((event.mean() - event) ** 2)),
        calibration,
        sum(c.n * abs(c.said - c.came) for c in calibration) / len(judged),
    )


def _judged(found: Stretches, longest: int) -> list[int]:
    """Stretches after the learning period, in the order in which they begin."""
    if not found.rise.size:
        return []
    begin = found.after.min() + LEARN_SHARE * (found.until.max() - found.after.min())
    order = np.argsort(found.after, kind="stable")
    return [int(i) for i in order if found.after[i] >= begin and found.until[i] - found.after[i] <= longest]


def _before(found: Stretches, day: int) -> Stretches:
    return found.where(found.until <= day)


def _errors(level: np.ndarray, truth: np.ndarray, said: np.ndarray, event: np.ndarray) -> Errors:
    wrong = level - truth
    return Errors(float(np.abs(wrong).mean()), float(np.sqrt((wrong**2).mean())), float(np.mean((said - event) ** 2)))


def _calibration(said: np.ndarray, event: np.ndarray) -> tuple[CalibrationBin, ...]:
    tenth = np.minimum((said * 10).astype(int), 9)
    return tuple(
        CalibrationBin(float(said[tenth == i].mean()), float(event[tenth == i].mean()), int((tenth == i).sum()))
        for i in range(10)
        if (tenth == i).any()
    )
