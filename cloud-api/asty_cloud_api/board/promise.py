"""What a citizen is told of a truck: roughly when, and how many streets away. Never where it is, never who drives. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from asty_cloud_api.board.lanes import Lane, Line

STEP = timedelta(minutes=5)
EARLY, LATE = timedelta(minutes=3), timedelta(minutes=7)
EARLY_SHARE, LATE_SHARE = 0.1, 0.2
"""How much of the time that is left is added before and after the estimate."""
SILENT = timedelta(minutes=30)
"""Without a position or a stop for so long, what the board guesses is not told as if it were known."""

State = Literal["coming", "passed", "missed", "not_today", "no_news", "unknown_place"]


@dataclass(frozen=True, slots=True)
class Promise:
    """What is known of one stream at one place.

    `coming`: between `begins` and `ends`, `streets` away (0: on its way to you), `live` or only as planned. `passed`: at `at`.
    `missed`: the bin was not emptied. `no_news`: planned for today, but the truck has not been heard.
    """

    state: State
    stream: str | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    streets: int | None = None
    live: bool = False
    at: datetime | None = None


def promise(lane: Lane, line: Line, now: datetime) -> Promise:
    """Say what is known of one planned stop."""
    if line.state == "served":
        return Promise("passed", line.stream, at=line.at)
    if line.state == "missed":
        return Promise("missed", line.stream, at=line.at)
    if line.expected is None:
        return Promise("no_news" if line.state == "passed" else "not_today", line.stream)
    heard = max((one.at for one in lane.lines if one.at is not None), default=None)
    if lane.basis == "last_stop" and (heard is None or now - heard > SILENT):
        return Promise("no_news", line.stream)
    begins, ends = window(line.expected, now)
    live = lane.basis != "plan"
    return Promise("coming", line.stream, begins, ends, streets_between(lane.lines, line) if live else None, live)


def window(expected: datetime, now: datetime) -> tuple[datetime, datetime]:
    """Return from when until when a truck is promised, in whole five minutes; wider the farther it is."""
    left = max(expected - now, timedelta())
    begins = max(_floor(expected - max(EARLY, left * EARLY_SHARE)), _floor(now))
    return begins, _ceiling(expected + max(LATE, left * LATE_SHARE))


def streets_between(lines: Sequence[Line], target: Line) -> int:
    """How many streets a truck has yet to leave before it is in the target's street."""
    names: list[str] = []
    for line in lines:
        if line.state in ("next", "left") and line.kind == "bin":
            if not names or names[-1] != (line.street or ""):
                names.append(line.street or "")
            if line is target:
                return len(names) - 1
    return len(names)


def of_places(lanes: Iterable[Lane], bins: frozenset[str], now: datetime) -> tuple[Promise, ...]:
    """Say what is known of the bins at a place: for each stream the next time that a truck comes, else the last that it came."""
    best: dict[str | None, Promise] = {}
    for lane in lanes:
        for line in lane.lines:
            if line.kind == "bin" and line.id in bins and line.state != "withdrawn":
                found = promise(lane, line, now)
                known = best.get(line.stream)
                if known is None or _rank(found) < _rank(known):
                    best[line.stream] = found
    return tuple(best[stream] for stream in sorted(best, key=lambda stream: stream or ""))


def _rank(one: Promise) -> tuple[int, float]:
    order: dict[State, int] = {"coming": 0, "no_news": 1, "passed": 2, "missed": 3, "not_today": 4, "unknown_place": 5}
    time = one.begins or one.at
    return order[one.state], (time.timestamp() if one.state == "coming" else -time.timestamp()) if time else 0.0


def _floor(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond)


def _ceiling(at: datetime) -> datetime:
    down = _floor(at)
    return down if down == at else down + STEP
