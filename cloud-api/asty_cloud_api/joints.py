"""Where the board meets dispatch and roads: what it asks of them, put into their terms."""

import logging
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal

import msgspec
from asty_contracts.stream import PlanTrigger
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from asty_cloud_api.board.ports import Area, Closing, NotDoneError, Standing, TriggerKind
from asty_cloud_api.dispatch import reading, stored
from asty_cloud_api.dispatch.inbox import Outbox
from asty_cloud_api.dispatch.known import Measures, Point
from asty_cloud_api.dispatch.publishing import publish
from asty_cloud_api.dispatch.standing import standing
from asty_cloud_api.dispatch.ways import WaysAwayError
from asty_cloud_api.fleet import plan_models, plans
from asty_cloud_api.fleet.models import Vehicle
from asty_cloud_api.planner_process import TownWays
from asty_cloud_api.roads import closures
from asty_cloud_api.roads.service import Roads

log = logging.getLogger(__name__)
SOURCE: Literal["dispatcher"] = "dispatcher"


class Joints:
    """`changing` writes; without `valhalla_url` there is no what-if, and without `outbox` triggers go through the database alone."""

    def __init__(self, changing: AsyncEngine, outbox: Outbox | None, kept: closures.Closures, dsn: str, valhalla_url: str | None) -> None:
        self._changing, self._outbox, self._closures = changing, outbox, kept
        self._roads = Roads.at(valhalla_url, dsn) if valhalla_url else None

    async def close(self) -> None:
        if self._roads is not None:
            await self._roads.close()

    async def add(self, closings: Sequence[Closing]) -> None:
        """Keep closures; the planner hears of them when they begin. Raises NotDoneError when none can be kept.

        A block of a street that trucks may not use anyway is no street to the roads: the others are closed without it.
        """
        kept, last = 0, ""
        for c in closings:
            try:
                await self._closures.add([closures.Closing(c.name, c.kind, c.area, c.starts, c.ends, SOURCE, c.by)])
                kept += 1
            except closures.BadClosureError as error:
                last = error.expected
        if not kept:
            raise NotDoneError("This area can't be closed. Nothing was closed.", last)

    async def change(self, names: Sequence[uuid.UUID], name: str, kind: str, starts: datetime, ends: datetime, by: str) -> None:
        """Give closures another name, kind or time. Raises NotDoneError."""
        try:
            await self._closures.change(names, name, kind, starts, ends, by)
        except closures.BadClosureError as error:
            raise NotDoneError("The closure can't be changed so. Nothing was changed.", f"{error.field}: {error.expected}") from error

    async def end(self, names: Sequence[uuid.UUID], by: str) -> None:
        """Open streets now. Raises NotDoneError."""
        now = datetime.now(UTC)
        if not any([await self._closures.end(name, now, by) for name in names]):
            raise NotDoneError("This closure is no longer there. Nothing was changed.")

    async def tell(self, kind: TriggerKind, subject: str, detail: dict[str, Any]) -> None:
        """Raise a trigger. Raises SQLAlchemyError."""
        at = round(datetime.now(UTC).timestamp() * 1000)
        await publish(self._changing, self._outbox, PlanTrigger(uuid.uuid4(), at, kind, subject, SOURCE, detail))

    async def decide(self, plan: uuid.UUID, by: str, *, approve: bool) -> None:
        """Let a proposed plan run, or reject it. Raises NotDoneError."""
        table, now = plan_models.Plan, datetime.now(UTC)
        async with self._changing.begin() as connection:
            chosen = select(table.__table__).where(table.id == plan).with_for_update()
            row = (await connection.execute(chosen)).mappings().one_or_none()
            if row is None or row["state"] != "proposed":
                raise NotDoneError("This version no longer waits for a decision. Nothing was changed.")
            if not approve:
                await connection.execute(update(table).where(table.id == plan).values(state="rejected", decided=now, decided_by=by))
                await plans.notify(connection, "plan", id=plan, day=row["day"], version=row["version"], state="rejected")
                return
            done = [outcome["stop"] for outcome in await plans.outcomes(connection, row["day"])]
            prepared = msgspec.convert(row["result"]["prepared"], list[stored.Prepared])
            await stored.run(connection, plan, row["day"], row["version"], prepared, done, at=now, by=by)

    async def way(self, edge: str, here: tuple[float, float], there: tuple[float, float]) -> dict[str, Any] | None:
        """Directions for a truck, past what is closed now; None where the roads do not answer or lead nowhere."""
        if self._roads is None:
            return None
        table = Vehicle
        chosen = select(table.height_m, table.width_m, table.length_m, table.weight_t).where(table.edge == edge)
        async with self._changing.connect() as connection:
            measures = Measures(*((await connection.execute(chosen)).one_or_none() or ()))
            shut = await reading.closed_areas(connection, datetime.now(UTC))
        try:
            (leg,) = await TownWays(self._roads).legs(measures, [Point(*here), Point(*there)], shut)
        except WaysAwayError as error:
            log.warning("event=no_directions edge=%s why=%r", edge, str(error))
            return None
        return leg if leg["shape"] else None

    async def standing(self, day: date, closed: Sequence[Area]) -> Standing | None:
        """Where the day stands, with these areas closed besides; None without a plan in force. Raises NotDoneError."""
        if self._roads is None:
            raise NotDoneError("The roads are not set up on this server:", "ASTY_VALHALLA_URL")
        now = datetime.now(UTC)
        async with self._changing.connect() as connection:
            row = await plans.running_plan(connection, day)
            if row is None:
                return None
            running = stored.read_stored(row)
            known = await reading.known_town(connection, day, lifts=False)
            shut = [*await reading.closed_areas(connection, now), *closed]
        problem = standing(running.problem, known, running.plan, now)
        ways = TownWays(self._roads)
        try:
            profiles = sorted({truck.profile for truck in problem.trucks})
            roads = {name: await ways.matrix(problem.measures[name], problem.points, shut) for name in profiles}
        except WaysAwayError as error:
            raise NotDoneError("The roads do not answer. Nothing was worked out; try again in a minute.", str(error)) from error
        return Standing(problem.with_roads(roads), running.plan)
