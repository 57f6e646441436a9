"""Quiet hours: no short message wakes anybody up, unless it can't wait. Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

BEGINS, ENDS = time(22), time(8)


def not_before(now: datetime, zone: ZoneInfo, *, urgent: bool = False) -> datetime:
    """Return when a short message may go: `now` outside of quiet hours (22:00 to 08:00 local) or when urgent, else the next 08:00."""
    local = now.astimezone(zone)
    if urgent or ENDS <= local.time() < BEGINS:
        return now
    day = local.date() + timedelta(days=1) if local.time() >= BEGINS else local.date()
    return datetime.combine(day, ENDS, zone)
