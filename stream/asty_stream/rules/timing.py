"""What a record's time says: too late for a live page, impossible, and which shift it belongs to. UTC ms throughout."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

LATE = 5 * MINUTE
"""Arrived longer than this after its time: late, and no live alarm."""
AHEAD = 5 * MINUTE
"""A time further ahead of its receipt can't be: marked future."""
BEHIND = 60 * DAY
"""A time further behind its receipt is not believed: marked past."""
FIRST = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""A time before this is not believed: a receiver without a fix, or a rollover of 1024 weeks."""

LOCAL = ZoneInfo("Europe/Athens")


class Shift(NamedTuple):
    """The service day (05:00 to 05:00, local) and the shift, as telemetry.service_day and telemetry.shift_of have them."""

    day: date
    name: str


def believable(rx: int) -> tuple[int, int]:
    """Return the lowest and the highest time that a record received at `rx` can have."""
    return max(FIRST, rx - BEHIND), rx + AHEAD


def marks_of(t: int, rx: int) -> list[str]:
    """Return what is wrong with a time: future, past, or nothing."""
    low, high = believable(rx)
    if t > high:
        return ["future"]
    return ["past"] if t < low else []


@lru_cache(maxsize=4096)
def shift_of_hour(hour: int) -> Shift:
    """Return the shift of a UTC hour, given as hours since 1970. Shifts and Athens' offsets change on whole hours."""
    local = datetime.fromtimestamp(hour * 3600, UTC).astimezone(LOCAL)
    day = (local.replace(tzinfo=None) - timedelta(hours=5)).date()
    name = "morning" if 5 <= local.hour < 13 else "afternoon" if 13 <= local.hour < 21 else "night"
    return Shift(day, name)
