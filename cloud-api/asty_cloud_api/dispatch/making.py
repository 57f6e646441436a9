"""Plans made and checked: from a problem to a plan that the independent checker accepts. CPU-bound, and pure but for the budget."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from asty_contracts.stream import PlanTrigger

from asty_cloud_api.dispatch.problem import Problem
from asty_cloud_api.planning.checker import Violation, check
from asty_cloud_api.planning.model import Day, Roads
from asty_cloud_api.planning.plan import LeftOut, Plan, Reason
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.replan import StreetClosed, Trigger, replan
from asty_cloud_api.planning.stop import CpuSeconds, StoppingRule

KEPT = (Reason.SKIPPED, Reason.BROKEN_DOWN)
"""What stays out of the day once it is."""


class NotAcceptedError(Exception):
    """The checker refused every plan that was made; names the first violations."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("; ".join(f"{v.rule} {v.truck} {v.what}" for v in violations[:3]))


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """An accepted plan, the day that it is a plan of, and the problem to be stored with it."""

    problem: Problem
    day: Day
    plan: Plan


class Budget:
    """So many seconds of the thread's CPU, or of the wall when the machine is busy; `say` hears of the share used, about once a second."""

    def __init__(self, cpu: float, wall: float, say: Callable[[float], None] | None = None) -> None:
        self._cpu = CpuSeconds(cpu)
        self._wall = wall
        self._say = say
        self._began: float | None = None
        self._said = 0.0

    def __call__(self, best: float) -> float:
        now = time.monotonic()
        self._began = self._began or now
        used = max(self._cpu(best), (now - self._began) / self._wall)
        if self._say is not None and now - self._said >= 1.0:
            self._said = now
            self._say(min(used, 1.0))
        return used


def first_plan(problem: Problem, roads: dict[str, Roads], budget: StoppingRule, seed: int) -> Made:
    """Plan the day. Raises NotAcceptedError."""
    day = problem.with_roads(roads)
    plan = plan_day(day, budget, seed)
    return _accepted(problem, day, plan)


def next_plan(
    problem: Problem,
    roads: dict[str, Roads],
    running: Plan,
    changes: tuple[tuple[PlanTrigger, Trigger], ...],
    budget: StoppingRule,
    seed: int,
) -> Made:
    """Answer triggers with a new version of a running plan. Raises NotAcceptedError."""
    triggers = tuple(replace(change, roads=roads) if isinstance(change, StreetClosed) else change for _, change in changes)
    answer = replan(problem.with_roads(roads), running, triggers, budget, seed)
    return _accepted(problem, answer.day, answer.plan)


def _accepted(problem: Problem, day: Day, plan: Plan) -> Made:
    violations = check(day, plan)
    if violations:
        raise NotAcceptedError(violations)
    kept = tuple(item for item in plan.left_out if item.reason in KEPT)
    whole = replace(plan, left_out=tuple(_told(day, plan, item) for item in plan.left_out) + problem.left_out)
    return Made(replace(problem.of_day(day), left_out=problem.left_out + kept), day, whole)


def _told(day: Day, plan: Plan, item: LeftOut) -> LeftOut:
    """A stop for which there is no time because every truck for its stream carries another one is told so."""
    stop = next((s for s in day.stops if s.id == item.id), None)
    if stop is None or item.reason is not Reason.NO_TIME or any(route.stream == stop.stream for route in plan.routes):
        return item
    return LeftOut(
        "stop",
        item.id,
        Reason.NO_STREAM,
        f"the trucks that may take {stop.stream} carry another stream in this plan",
        {"stream": stop.stream, "today": True},
    )
