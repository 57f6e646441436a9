"""Where the edge is: which fixes become records, and which one is nearest to a moment."""

from collections import deque

from asty_contracts.records import Position

from asty_edge.event import Event, Moment
from asty_edge.reading import Fix

MOVES = 1.0
STANDS = 0.5
"""m/s; between the two nothing changes, so that noise at a standstill is not a departure."""

TURN_DEG = 30.0
STANDING_FACTOR = 12
"""A standing truck is recorded that much less often."""

KEPT_MS = 120_000
NEAR_MS = 60_000
"""A fix further away in time says nothing about where a bin was emptied."""

LEAST_MS = 1000


class Positions:
    """Thins fixes to records, and remembers two minutes of them."""

    def __init__(self, every_s: float) -> None:
        self._every_ms = int(every_s * 1000)
        self._fixes: deque[Fix] = deque()
        self._last: Fix | None = None
        self._moving = False

    def feed(self, fix: Fix, when: Moment) -> list[Event]:
        """Take a fix; returns its position record when one is due: by time, at a turn, a stop or a start."""
        if not fix.valid or fix.lat is None or fix.lon is None:
            return []
        self._fixes.append(fix)
        while self._fixes[0].at < fix.at - KEPT_MS:
            self._fixes.popleft()
        changed = self._changes_motion(fix)
        if not self._is_due(fix, changed):
            return []
        self._last = fix
        place = Position(fix.lat, fix.lon, fix.v, fix.course, fix.alt, fix.sats, fix.hdop, fix.quality)
        return [Event(when, place)]

    def nearest(self, mono: int) -> Fix | None:
        """Return the valid fix nearest to a moment, None when there is none within a minute."""
        fix = min(self._fixes, key=lambda fix: abs(fix.at - mono), default=None)
        return fix if fix is not None and abs(fix.at - mono) <= NEAR_MS else None

    def _changes_motion(self, fix: Fix) -> bool:
        if fix.v is None:
            return False
        moving = fix.v > (STANDS if self._moving else MOVES)
        changed, self._moving = moving != self._moving, moving
        return changed

    def _is_due(self, fix: Fix, changed: bool) -> bool:
        if self._last is None:
            return True
        age = fix.at - self._last.at
        if age < LEAST_MS and not changed:
            return False
        every = self._every_ms if self._moving or fix.v is None else self._every_ms * STANDING_FACTOR
        return changed or age >= every or (self._moving and _turn(self._last.course, fix.course) > TURN_DEG)


def _turn(before: float | None, after: float | None) -> float:
    if before is None or after is None:
        return 0.0
    return abs((after - before + 180.0) % 360.0 - 180.0)
