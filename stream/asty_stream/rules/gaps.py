"""From missing ranges: which of them stay open although their edge is connected, and when that is an alarm. Times are UTC ms."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from asty_stream.rules.timing import MINUTE


class OpenGap(NamedTuple):
    """A missing range, both ends inclusive: first seen at `since`; since `idle` nothing of it came while its edge was connected."""

    first: int
    last: int
    since: int
    idle: int


class GapAlarm(NamedTuple):
    """Whether an edge's alarm is on, and what it says."""

    on: bool
    info: str


def observe(known: Iterable[OpenGap], missing: Sequence[tuple[int, int]], now: int, *, connected: bool) -> list[OpenGap]:
    """Return the gaps as they stand now; `missing` are ascending inclusive ranges.

    A range that is what was left of a known one is as old as that one. It is idle only as long as it does not shrink: of a
    backlog that drains, something arrives all the time. An edge that is away has no chance to fill it.
    """
    former = sorted(known)
    gaps = []
    at = 0
    for first, last in missing:
        while at < len(former) and former[at].last < first:
            at += 1
        met = []
        for gap in former[at:]:
            if gap.first > last:
                break
            met.append(gap)
        since = min((gap.since for gap in met), default=now)
        kept = [gap.idle for gap in met if connected and first <= gap.first and gap.last <= last]
        gaps.append(OpenGap(first, last, since, min(kept, default=now)))
    return gaps


def judge_gaps(gaps: Sequence[OpenGap], now: int, minutes: float, *, was_on: bool) -> GapAlarm:
    """Decide an edge's alarm: it begins when a gap was idle for longer than `minutes`, and ends when all older ones are filled."""
    limit = minutes * MINUTE
    old = [gap for gap in gaps if now - (gap.since if was_on else gap.idle) > limit]
    if not old:
        return GapAlarm(False, "")
    count = sum(gap.last - gap.first + 1 for gap in old)
    ranges = f"{old[0].first}-{old[0].last}" + (f" and {len(old) - 1} more" if len(old) > 1 else "")
    return GapAlarm(True, f"{count} records are missing: {ranges}")
