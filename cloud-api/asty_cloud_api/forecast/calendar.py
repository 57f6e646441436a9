"""Which days are alike for waste: seven weekdays and public holidays (Greece: Orthodox Easter and what moves with it)."""

from datetime import date
from functools import lru_cache

import holidays
import numpy as np
from numpy.typing import NDArray

HOLIDAY = 7
CLASSES = 8


@lru_cache(maxsize=64)
def _of_year(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


def is_holiday(day: date, country: str = "GR") -> bool:
    """Tell whether it is a public holiday there."""
    return day in _of_year(country, day.year)


def kind_of_day(day: date, country: str = "GR") -> int:
    """0 Monday … 6 Sunday, 7 a public holiday."""
    return HOLIDAY if is_holiday(day, country) else day.weekday()


class DayCounts:
    """How many days of each kind lie between two days; built once for a range of dates."""

    def __init__(self, first: date, last: date, country: str = "GR") -> None:
        self._first = first.toordinal()
        ones = np.zeros((last.toordinal() - self._first + 2, CLASSES))
        for index in range(1, len(ones)):
            ones[index, kind_of_day(date.fromordinal(self._first + index - 1), country)] = 1
        self._sums = ones.cumsum(axis=0)

    def between(self, after: NDArray[np.int64], until: NDArray[np.int64]) -> NDArray[np.float64]:
        """Count the days in (after, until], given as ordinals within the range; n x CLASSES."""
        counts: NDArray[np.float64] = self._sums[until - self._first + 1] - self._sums[after - self._first + 1]
        return counts
