"""From fill levels: the state of each bin's sensor, and when a bin is to be emptied at once."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from asty_contracts.records import Level
from asty_contracts.stream import PlanTrigger, overflow_id

from asty_stream.rules.happened import Happened
from asty_stream.rules.timing import HOUR, shift_of_hour

LIMIT = 80.0
"""%, from which a bin is to be emptied at once, where its sensor brings no limit of its own."""
HYSTERESIS = 15.0
"""So much below its limit a bin is over it no more: what lies in a bin shifts, and a lid that is opened is heard as a rise."""


class LevelState(NamedTuple):
    """The newest reading of a bin, `over` its limit or not, and the service day on which that was last told (None: never)."""

    newest: Happened[Level]
    over: bool
    asked: date | None


class Known(NamedTuple):
    """What the store held of a bin before: the order of its newest reading, its state, when it was last lifted (UTC ms)."""

    order: tuple[int, int, int] = (0, 0, 0)
    over: bool = False
    asked: date | None = None
    lifted: int | None = None


def level_changes(levels: Iterable[Happened[Level]]) -> dict[str, list[Happened[Level]]]:
    """Group credible readings by bin, oldest first."""
    changes: dict[str, list[Happened[Level]]] = {}
    for reading in sorted((it for it in levels if it.credible), key=lambda it: it.order):
        changes.setdefault(reading.d.bin, []).append(reading)
    return changes


def judge_levels(readings: Sequence[Happened[Level]], known: Known, now: int, limit: float) -> tuple[LevelState | None, PlanTrigger | None]:
    """Fold one bin's readings, oldest first; return its new state, if any is news, and the trigger that it raises.

    A bin is over its limit from there until HYSTERESIS below, or until it is lifted. That is told once per service day, and only of the
    present one: what a backlog brings of yesterday is history.
    """
    news = [reading for reading in readings if reading.order > known.order]
    if not news:
        return None, None
    over, asked, trigger = known.over, known.asked, None
    if known.lifted is not None and known.order[0] <= known.lifted:
        over = False
    for reading in news:
        level = reading.d.level
        if level is None or reading.d.tilt == "yes":
            continue
        bound = limit if reading.d.full_at is None else reading.d.full_at
        over = level >= bound or (over and level > bound - HYSTERESIS)
        if known.lifted is not None and reading.t <= known.lifted:
            over = False
        day = _day(reading.t)
        if over and day == _day(now) and asked != day:
            asked = day
            trigger = _trigger(reading, level, bound, day)
    return LevelState(news[-1], over, asked), trigger


def _trigger(reading: Happened[Level], level: float, bound: float, day: date) -> PlanTrigger:
    d = reading.d
    detail = {"level": round(level, 1), "full_at": bound, "sensor": d.sensor, "edge": reading.edge}
    return PlanTrigger(overflow_id(d.bin, day), reading.t, "overflow", d.bin, "sensor", detail)


def _day(t: int) -> date:
    return shift_of_hour(t // HOUR).day
