"""When a term of days ends: whole days, moved on from Saturdays, Sundays and Greek public holidays, fixed and movable. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

ATHENS = ZoneInfo("Europe/Athens")
SATURDAY = 5


def end_of_term(last: datetime, zone: ZoneInfo = ATHENS) -> datetime:
    """Return when a term ends whose last day holds `last`: the end of that day, or of the next working day where it is none.

    UTC. Law 2690/1999, article 10: the day of the event does not count, the last day counts whole. No lawyer has confirmed it yet.
    """
    day = last.astimezone(zone).date()
    while not is_working_day(day):
        day += timedelta(days=1)
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)


def is_working_day(day: date) -> bool:
    """Tell whether public offices work; a town's own patron saint and strikes are not known here."""
    return day.weekday() < SATURDAY and day not in _holidays(day.year)


@lru_cache(maxsize=16)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GR", years=year))
