"""Whether a bin must be emptied today, or may be, and what that would be worth: from the chance of an overflow to a stop's must and prize.

A bin must be emptied when it would overflow before the next chance to empty it with more than the chance `risk`. Another one may be:
emptied d days before it must, an emptying loses d of the T days that it usually lasts, and a later visit is saved. Its prize is
visit x (1 - d / T) euro: the "may" bins of inventory routing (Mes, Schutten & Pérez Rivera 2014).
"""

from dataclasses import dataclass
from datetime import date, timedelta

from asty_cloud_api.forecast.fill import FillModel

HORIZON = 28
"""Days that are looked ahead; a bin that lasts longer counts as lasting so long."""


@dataclass(frozen=True, slots=True)
class Care:
    """How careful a town is. `risk`: the chance of an overflow that it takes; `visit`: euro that a visit on its own costs."""

    risk: float = 0.006
    visit: float = 1.0


@dataclass(frozen=True, slots=True)
class Urgency:
    """`days` it still holds after this evening within the risk; `prize` in euro, worth weighing also of a must."""

    days: int
    must: bool
    prize: float


def holds(model: FillModel, name: str, level: float, since: date, evening: date, risk: float) -> int:
    """For how many days after `evening` a bin that stood at `level` on `since` stays within the risk. Raises KeyError."""
    for days in range(1, HORIZON + 1):
        if model.overflow(name, level, since, evening + timedelta(days=days)) > risk:
            return days - 1
    return HORIZON


def lasts(model: FillModel, name: str, evening: date, care: Care) -> int:
    """How many days an emptying lasts: T above, at least 1. It changes as slowly as the model does."""
    return max(1, holds(model, name, 0.0, evening, evening, care.risk))


def urgency(model: FillModel, name: str, level: float, since: date, evening: date, wait: int, lasting: int, care: Care) -> Urgency:
    """Judge a bin for the morning after `evening`; the next chance comes `wait` days after it. `lasting` is what `lasts` told."""
    days = holds(model, name, level, since, evening, care.risk)
    early = max(0, days - wait)
    return Urgency(days, days < wait, care.visit * max(0.0, 1 - early / lasting))
