"""How long procedures and their steps take, and how much is late. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay of a case at a step of people. `due_at` is the term that ran; `ended_at` None while it waits."""

    procedure: str
    step: str
    since: datetime
    ended_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Course:
    """One case from its filing to its end; `ended_at` None while it runs."""

    procedure: str
    filed_at: datetime
    ended_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class StepFigures:
    """`median_hours` of finished stays, None without any. `late` is the share 0..1 of stays beyond their term."""

    step: str
    finished: int
    waiting: int
    median_hours: float | None
    late: float | None
    is_bottleneck: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """`median_days` from filing to end, None while no case has ended."""

    procedure: str
    filed: int
    running: int
    granted: int
    rejected: int
    median_days: float | None
    late: float | None
    steps: tuple[StepFigures, ...]


def figures(courses: Sequence[Course], stays: Sequence[Stay], now: datetime) -> list[Figures]:
    """Return the figures of each procedure that has cases, the most filed first."""
    found = []
    for procedure in dict.fromkeys(one.procedure for one in courses):
        of = [one for one in courses if one.procedure == procedure]
        its = [one for one in stays if one.procedure == procedure]
        ended = [(one.ended_at - one.filed_at).total_seconds() / 86400 for one in of if one.ended_at is not None]
        found.append(
            Figures(
                procedure, len(of), sum(one.ended_at is None for one in of), sum(one.state == "granted" for one in of),
                sum(one.state == "rejected" for one in of), median(ended) if ended else None, _late(its, now), _steps(its, now),
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (-one.filed, one.procedure))


def _steps(stays: Sequence[Stay], now: datetime) -> tuple[StepFigures, ...]:
    """Work out each step; the bottleneck is where all stays together, finished and running, took longest."""
    names = list(dict.fromkeys(one.step for one in stays))
    spent = {name: sum(((one.ended_at or now) - one.since).total_seconds() for one in stays if one.step == name) for name in names}
    slowest = max(spent, key=lambda name: spent[name]) if len(names) > 1 else None
    found = []
    for name in names:
        its = [one for one in stays if one.step == name]
        hours = [(one.ended_at - one.since).total_seconds() / 3600 for one in its if one.ended_at is not None]
        found.append(
            StepFigures(name, len(hours), len(its) - len(hours), median(hours) if hours else None, _late(its, now), name == slowest)
        )
    return tuple(found)


def _late(stays: Sequence[Stay], now: datetime) -> float | None:
    timed = [one for one in stays if one.due_at is not None]
    late = [one for one in timed if one.due_at is not None and (one.ended_at or now) > one.due_at]
    return len(late) / len(timed) if timed else None
