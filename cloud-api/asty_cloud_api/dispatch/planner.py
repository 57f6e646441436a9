"""The planner at work: makes the plan of the day, answers triggers, marks what lifts have done. Each answer is one transaction."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from asty_contracts.stream import PlanTrigger
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from asty_cloud_api.dispatch import asked, marks, reading, stored, triggers
from asty_cloud_api.dispatch.answers import Answer, Said, of_plan, said
from asty_cloud_api.dispatch.chances import chances
from asty_cloud_api.dispatch.explaining import explained
from asty_cloud_api.dispatch.foreseen import overflows
from asty_cloud_api.dispatch.known import Polygon
from asty_cloud_api.dispatch.making import Budget, Made, NotAcceptedError, first_plan, next_plan
from asty_cloud_api.dispatch.problem import Problem, Rules, local_seconds, problem_of
from asty_cloud_api.dispatch.sheet import Sheet, changed, path_of, sheet_of
from asty_cloud_api.dispatch.standing import standing
from asty_cloud_api.dispatch.stored import Prepared, Stored
from asty_cloud_api.dispatch.ways import Ways, WaysAwayError
from asty_cloud_api.fleet import fixed_routes, plans
from asty_cloud_api.planning.model import Roads

log = logging.getLogger(__name__)
Mode = Literal["auto", "approve"]
BY = "planner"


@dataclass(frozen=True, slots=True)
class Habits:
    """How the planner works: `plan_at` is the local time at which the next service day is planned; budgets in seconds."""

    mode: Mode = "auto"
    plan_at: str = "04:00"
    first_seconds: float = 10.0
    next_seconds: float = 2.2
    seed: int = 1
    rules: Rules = field(default_factory=Rules)


class Planner:
    """Turns what waits into plans. One turn at a time; whatever fails is tried again at the next one."""

    def __init__(
        self, engine: AsyncEngine, ways: Ways, zone: ZoneInfo, habits: Habits, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._ways = ways
        self._zone = zone
        self._habits = habits
        self._now = now
        self._unexplained: Stored | None = None
        self._thinking = asyncio.Lock()
        """One search or one step of an explanation at a time: two threads of Python would only slow each other."""

    async def mark_lifts(self) -> int:
        """Let lifts since yesterday mark their stops. Raises SQLAlchemyError."""
        async with self._engine.begin() as connection:
            since = plans.service_day(self._now(), self._zone) - timedelta(days=1)
            return await marks.mark_lifted(connection, since)

    async def plan_days(self) -> None:
        """Plan this service day when it has no plan, and the next one from `plan_at` on. Raises WaysAwayError, SQLAlchemyError."""
        now = self._now()
        today = plans.service_day(now, self._zone)
        await self._plan_day(today)
        if (now - plans.day_begins(today, self._zone)).total_seconds() >= local_seconds(self._habits.plan_at, today, self._zone):
            await self._plan_day(today + timedelta(days=1))

    async def _plan_day(self, day: date, *, again: bool = False) -> None:
        async with self._engine.connect() as connection:
            if not again and await _has_plan(connection, day):
                return
            known = await reading.known_town(connection, day, lifts=True)
            closed = await reading.closed_areas(connection, self._now())
        if not known.bins or not known.trucks:
            return
        log.info("event=planning day=%s bins=%d trucks=%d lifts=%d", day, len(known.bins), len(known.trucks), len(known.lifts))
        await self._say(day, "forecast", 0.0)
        rules = self._habits.rules
        foreseen = await asyncio.to_thread(chances, known.bins, known.lifts, day, next_visit=rules.next_visit, levels=known.levels)
        problem = problem_of(known, foreseen, day, self._zone, rules)
        problem = standing(problem, known, None, self._now())
        await self._say(day, "roads", 0.1)
        roads = await self._roads(problem, closed)
        budget = Budget(self._habits.first_seconds, 2 * self._habits.first_seconds, self._saying(day))
        try:
            made = await asyncio.to_thread(first_plan, problem, roads, budget, self._habits.seed)
        except NotAcceptedError as error:
            log.error("event=plan_not_accepted day=%s why=%r do=%r", day, str(error), "nothing is stored")  # noqa: TRY400  said whole
            raise
        reasons = [{"kind": "first_plan", "subject": str(day), "said_by": BY}]
        await self._store(made, None, reasons, None, closed, ())

    async def foresee(self) -> list[PlanTrigger]:
        """What the newest readings and lifts ask for beyond the running plan of today. Raises SQLAlchemyError."""
        now = self._now()
        day = plans.service_day(now, self._zone)
        async with self._engine.connect() as connection:
            running = await stored.newest(connection, day)
            if running is None:
                return []
            known = await reading.known_town(connection, day, lifts=True)
        rules = self._habits.rules
        async with self._thinking:
            found = await asyncio.to_thread(chances, known.bins, known.lifts, day, next_visit=rules.next_visit, levels=known.levels)
        problem = standing(running.problem, known, running.plan, now)
        return overflows(problem, running.plan, known, found, now, rules.must_from)

    async def answer_waiting(self) -> int:
        """Answer all triggers that wait with one plan, or with why none is needed; tell how many. Raises WaysAwayError, SQLAlchemyError."""
        async with self._thinking:
            return await self._answer_waiting()

    async def _answer_waiting(self) -> int:
        now = self._now()
        day = plans.service_day(now, self._zone)
        async with self._engine.connect() as connection:
            waiting = await reading.waiting_triggers(connection)
            if not waiting:
                return 0
            running = await stored.newest(connection, day)
            known = await reading.known_town(connection, day, lifts=False)
            closed = await reading.closed_areas(connection, now)
        if running is None:
            if known.bins and known.trucks:
                await self._plan_day(day, again=True)  # there is none, or it was rejected: a new one comes first
                return 0
            await self._answer(waiting, said("no_day"), ignored=True)
            return len(waiting)
        rules = self._habits.rules
        problem = standing(asked.joined(waiting, running.problem, known, self._zone, rules), known, running.plan, now)
        meant = asked.meant(waiting, problem, known, running.plan, self._zone, rules)
        for answer in meant.answers:
            log.info("event=trigger_changes_nothing id=%s why=%r", answer.trigger, answer.said.why)
        if not meant.changes:
            async with self._engine.begin() as connection:
                await self._answers(connection, meant.answers, now)
            return len(waiting)
        roads = await self._roads(meant.problem, closed)
        budget = Budget(self._habits.next_seconds, 1.2 * self._habits.next_seconds)
        try:
            made = await asyncio.to_thread(next_plan, meant.problem, roads, running.plan, meant.changes, budget, self._habits.seed)
        except (NotAcceptedError, LookupError, ValueError, ArithmeticError) as error:
            # a trigger that can't be planned must not hold up those behind it
            log.exception("event=trigger_not_planned day=%s do=%r", day, "the plan before goes on; the triggers are answered so")
            await self._answer(waiting, said("not_planned", error=str(error)), ignored=True)
            return len(waiting)
        await self._store(made, running, [_reason(trigger) for trigger, _ in meant.changes], meant, closed, waiting)
        return len(waiting)

    async def explain(self) -> None:
        """Store why the newest plan is as it is, step by step; triggers go between two steps. Raises WaysAwayError, SQLAlchemyError."""
        plan = self._unexplained
        if plan is None:
            return
        async with self._engine.connect() as connection:
            before = await plans.running_plan(connection, plan.problem.day - timedelta(days=1))
            closed = await reading.closed_areas(connection, self._now())
            rounds = await fixed_routes.of_day(connection, plan.problem.day)
        yesterday = stored.read_stored(before).plan if before is not None else None
        roads = await self._roads(plan.problem, closed)
        parts = explained(plan.problem, roads, plan.plan, yesterday, rounds, self._habits.seed)
        while True:
            async with self._thinking:
                part = await asyncio.to_thread(next, parts, None)
            if part is None:
                break
            if self._unexplained is not plan:
                return  # a newer one is asked for
            if part:
                async with self._engine.begin() as connection:
                    await stored.add_explanation(connection, plan.id, part)
        if self._unexplained is plan:
            self._unexplained = None

    async def _store(
        self,
        made: Made,
        parent: Stored | None,
        reasons: Sequence[dict[str, Any]],
        meant: asked.Meant | None,
        closed: Sequence[Polygon],
        waiting: Sequence[PlanTrigger],
    ) -> None:
        prepared = await self._prepared(made, closed)
        proposed = self._habits.mode == "approve"
        now = self._now()
        async with self._engine.begin() as connection:
            name, version, told = await stored.store(
                connection,
                made,
                prepared,
                parent=parent.id if parent else None,
                reasons=reasons,
                trigger=meant.changes[0][0].id if meant else None,
                at=now,
                by=BY,
                proposed=proposed,
            )
            if meant is not None:
                await self._answers(connection, meant.answers, now)
                for trigger, _ in meant.changes:
                    await triggers.answer(connection, [trigger.id], now, said=of_plan(version, [*told], proposed=proposed), plan=name)
        figures = stored.figures_of(made.plan)
        log.info(
            "event=plan_stored day=%s version=%d state=%s stops=%d left_out=%d km=%.1f triggers=%d routes=%s",
            made.problem.day, version, "proposed" if proposed else "running", figures["stops"], figures["left_out"],
            figures["metres"] / 1000, len(waiting), ",".join(told) or "-",
        )  # fmt: skip
        self._unexplained = Stored(name, "running", made.problem, made.plan)

    async def _prepared(self, made: Made, closed: Sequence[Polygon]) -> list[Prepared]:
        """The routes of trucks whose way ahead changes, with the ways to drive."""
        day = made.problem.day
        async with self._engine.connect() as connection:
            before = {row["edge"]: row["stops"] for row in await plans.newest_routes(connection, day)}
        done = frozenset(made.day.done_order)
        found: list[Prepared] = []
        for edge in sorted(before.keys() | {truck.id for truck in made.problem.trucks}):
            sheet = sheet_of(made.problem, made.day, made.plan, edge)
            if edge not in before and not sheet.order:
                continue
            if edge in before and not changed(sheet.order, before[edge], done):
                continue
            found.append(Prepared(edge, sheet.stops, await self._path(made, sheet, closed), sheet.figures, sheet.order))
        return found

    async def _path(self, made: Made, sheet: Sheet, closed: Sequence[Polygon]) -> list[dict[str, Any]] | None:
        truck = next((truck for truck in made.problem.trucks if truck.id == sheet.edge), None)
        if truck is None or len(sheet.points) < 2:
            return []
        try:
            legs = await self._ways.legs(made.problem.measures[truck.profile], sheet.points, closed)
        except WaysAwayError as error:
            log.warning("event=no_directions edge=%s why=%r do=%r", sheet.edge, str(error), "the route goes out without a path")
            return None
        return path_of(sheet, legs)

    async def _roads(self, problem: Problem, closed: Sequence[Polygon]) -> dict[str, Roads]:
        profiles = {truck.profile for truck in problem.trucks}
        return {profile: await self._ways.matrix(problem.measures[profile], problem.points, closed) for profile in sorted(profiles)}

    async def _answer(self, waiting: Sequence[PlanTrigger], why: Said, *, ignored: bool) -> None:
        async with self._engine.begin() as connection:
            await triggers.answer(connection, [trigger.id for trigger in waiting], self._now(), said=why, ignored=ignored)

    @staticmethod
    async def _answers(connection: AsyncConnection, answers: Sequence[Answer], now: datetime) -> None:
        for answer in answers:
            await triggers.answer(connection, [answer.trigger], now, said=answer.said, ignored=answer.ignored)

    def _saying(self, day: date) -> Callable[[float], None]:
        """Progress of the search from its thread."""
        loop = asyncio.get_running_loop()

        def say(share: float) -> None:
            log.info("event=searching day=%s share=%.0f%%", day, 100 * share)
            asyncio.run_coroutine_threadsafe(self._say(day, "search", 0.2 + 0.8 * share), loop)

        return say

    async def _say(self, day: date, step: str, share: float) -> None:
        async with self._engine.begin() as connection:
            await plans.notify(connection, "planning", day=day, step=step, share=round(share, 2))


async def _has_plan(connection: AsyncConnection, day: date) -> bool:
    """A day whose only plan was rejected has one: it is the dispatcher's word that counts."""
    return bool((await connection.execute(text("SELECT 1 FROM fleet.plan WHERE day = :day LIMIT 1"), {"day": day})).first())


def _reason(trigger: PlanTrigger) -> dict[str, Any]:
    return {"kind": trigger.kind, "subject": trigger.subject, "said_by": trigger.said_by}
