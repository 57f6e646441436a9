"""The days that figures are asked for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the municipality, both ends included; None is open."""

    begins: date | None = None
    ends: date | None = None

    @property
    def is_backwards(self) -> bool:
        return self.begins is not None and self.ends is not None and self.ends < self.begins

    def bounds(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """Return the moments that it begins with and ends before."""
        after = self.ends + timedelta(days=1) if self.ends else None
        return (_midnight(self.begins, zone), _midnight(after, zone))


def read(begins: str, ends: str) -> Period | None:
    """Read a period as a page sends it, ISO dates or nothing; None when a date is none or the end lies before the beginning."""
    try:
        found = Period(*(date.fromisoformat(text.strip()) if text.strip() else None for text in (begins, ends)))
    except ValueError:
        return None
    return None if found.is_backwards or found.ends == date.max else found


def quick(today: date) -> Mapping[str, Period]:
    """Return the periods that are asked for most, by their term."""
    month = today.replace(day=1)
    last = month - timedelta(days=1)
    return {
        "All": Period(),
        "This month": Period(month, today),
        "Last month": Period(last.replace(day=1), last),
        "This year": Period(today.replace(month=1, day=1), today),
        "Last year": Period(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    }


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time(), zone) if day else None
