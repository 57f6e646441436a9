"""Closed streets: kept with their times, told to the planner when they close and when they open."""

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

from asty_contracts.stream import PlanTrigger, TriggerSource
from sqlalchemy import select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from asty_cloud_api.fleet.plan_models import Closure
from asty_cloud_api.roads import closed
from asty_cloud_api.roads.closed import BadAreaError
from asty_cloud_api.roads.errors import RoadsAwayError
from asty_cloud_api.roads.place import Profile
from asty_cloud_api.roads.valhalla import Ring, Valhalla

log = logging.getLogger(__name__)
Kind = Literal["works", "market", "event", "obstacle"]
Source = Literal["dispatcher", "citizen", "contract"]
Tell = Callable[[PlanTrigger], Awaitable[None]]
LOOK_SECONDS = 2.0
LONGEST_NAME = 120
_NAMESPACE = uuid.UUID("b1ae5a4c-6f0e-4d1c-9f6c-8f5f6a4a9d10")


class BadClosureError(Exception):
    """A closure that can't be kept: names the field, and says what was expected. Nothing was changed."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}; nothing was changed")
        self.field, self.expected = field, expected


@dataclass(frozen=True, slots=True)
class Closing:
    """A closure as it is asked for: `area` is a GeoJSON Polygon, times have an offset, `by` is a person's or a program's name."""

    name: str
    kind: str
    area: Any
    starts: datetime
    ends: datetime
    source: str = "dispatcher"
    by: str | None = None


class Closures:
    """The town's closures. Methods raise BadClosureError for what can't be kept, and SQLAlchemyError."""

    def __init__(self, engine: AsyncEngine, valhalla: Valhalla | None) -> None:
        self._engine, self._valhalla = engine, valhalla

    async def add(self, closings: Sequence[Closing]) -> list[uuid.UUID]:
        """Keep all of them or none; return their ids. The planner hears of one when it begins: at once, if it has begun."""
        for closing in closings:
            _check(closing.name, closing.kind, closing.starts, closing.ends)
            if closing.source not in get_args(Source):
                raise BadClosureError("source", f"expected one of {', '.join(get_args(Source))}")
            await self._check_area(closing.area)
        names = [uuid.uuid4() for _ in closings]
        async with self._engine.begin() as connection:
            for name, it in zip(names, closings, strict=True):
                row = {"id": name, "name": it.name.strip(), "kind": it.kind, "area": it.area, "starts": it.starts, "ends": it.ends}
                await connection.execute(Closure.__table__.insert().values(**row, source=it.source, made_by=it.by))  # type: ignore[attr-defined]
                await _notify(connection, name)
        return names

    async def change(
        self, names: Sequence[uuid.UUID], name: str, kind: str, starts: datetime, ends: datetime, by: str | None = None
    ) -> None:
        """Give closures another name, kind or time. The area stays: another area is another closure."""
        _check(name, kind, starts, ends)
        values = {"name": name.strip(), "kind": kind, "starts": starts, "ends": ends, "changed_by": by}
        async with self._engine.begin() as connection:
            found = await connection.execute(update(Closure).where(Closure.id.in_(names)).values(**values).returning(Closure.id))
            if len(found.all()) != len(set(names)):
                raise BadClosureError("id", "there is no such closure")
            for it in names:
                await _notify(connection, it)

    async def end(self, name: uuid.UUID, now: datetime, by: str | None = None) -> bool:
        """Open the street now; a closure that has not begun goes. Tell whether it was there."""
        async with self._engine.begin() as connection:
            row = (await connection.execute(select(Closure.starts, Closure.ends).where(Closure.id == name).with_for_update())).first()
            if row is None:
                return False
            if row.starts > now:
                await connection.execute(Closure.__table__.delete().where(Closure.id == name))  # type: ignore[attr-defined]
            elif row.ends > now:
                await connection.execute(update(Closure).where(Closure.id == name).values(ends=now, changed_by=by))
            await _notify(connection, name)
        return True

    async def listed(self, begins: datetime, ends: datetime) -> list[dict[str, Any]]:
        """Return the closures that are in force at some time between the two, the earliest first."""
        table = Closure.__table__
        chosen = select(table).where(table.c.starts < ends, table.c.ends > begins).order_by(table.c.starts, table.c.name)
        async with self._engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(chosen)).mappings()]

    async def rings(self, begins: datetime, ends: datetime) -> list[Ring]:
        """Return the areas in force at some time between the two, as `legs` and `matrix` take them."""
        return [ring_of_kept(row["area"]) for row in await self.listed(begins, ends)]

    async def _check_area(self, area: Any) -> None:
        """Check the shape and, where Valhalla answers, that a street of the town's map lies in it."""
        try:
            ring = closed.ring_of(area)
        except BadAreaError as error:
            raise BadClosureError("area", str(error)) from error
        if self._valhalla is None:
            return
        try:
            touched = closed.edges(ring, await self._valhalla.locate(Profile(), closed.grid(ring)))
        except RoadsAwayError as error:
            log.warning("event=closure_not_compared_with_the_map why=%r", str(error))
            return
        if not touched:
            raise BadClosureError("area", "no street of the town's map lies in it")

    async def tell(self, tell: Tell, now: datetime) -> int:
        """Raise a `street_closed` trigger for each closure that has begun or ended since the planner was last told; return how many.

        The trigger comes before its mark is kept: broken off in between it is raised again, with the same id.
        """
        async with self._engine.begin() as connection:
            in_force = (Closure.starts <= now) & (Closure.ends > now)
            table = Closure.__table__
            chosen = select(table, in_force.label("closed")).where(table.c.told != in_force).with_for_update(skip_locked=True)
            rows = (await connection.execute(chosen)).mappings().all()
            for row in rows:
                await tell(trigger_of(row["id"], row["name"], row["source"], row["starts"], row["ends"], closes=row["closed"], now=now))
                await connection.execute(update(Closure).where(Closure.id == row["id"]).values(told=row["closed"]))
        return len(rows)

    async def watch(self, tell: Tell) -> None:
        """Tell the planner, until cancelled; a database or a broker that is away delays it."""
        while True:
            try:
                await self.tell(tell, datetime.now(UTC))
            except (SQLAlchemyError, OSError) as error:
                log.warning("event=closures_not_told why=%r do=%r", str(error).split("\n", 1)[0], "it is tried again")
            await asyncio.sleep(LOOK_SECONDS)


def trigger_of(name: uuid.UUID, title: str, source: str, starts: datetime, ends: datetime, *, closes: bool, now: datetime) -> PlanTrigger:
    """Return the trigger of a closure's beginning or end. The same event has the same id."""
    event, at = ("closed", starts) if closes else ("opened", ends)
    detail = {"name": title, "event": event, "starts": starts.isoformat(), "ends": ends.isoformat()}
    its = uuid.uuid5(_NAMESPACE, f"{name} {event} {at.isoformat()}")
    said_by: TriggerSource = "citizen" if source == "citizen" else "dispatcher"
    return PlanTrigger(its, int(now.timestamp() * 1000), "street_closed", str(name), said_by, detail)


def ring_of_kept(area: Any) -> Ring:
    """Return the ring of an area that was checked when it was kept."""
    return [(lon, lat) for lon, lat, *_ in cast("list[list[float]]", area["coordinates"][0])]


def _check(name: str, kind: str, starts: datetime, ends: datetime) -> None:
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise BadClosureError("name", f"expected 1 to {LONGEST_NAME} characters that drivers understand")
    if kind not in get_args(Kind):
        raise BadClosureError("kind", f"expected one of {', '.join(get_args(Kind))}")
    if starts.tzinfo is None or ends.tzinfo is None:
        raise BadClosureError("starts, ends", "expected times with an offset, such as 2026-11-24T07:00:00+02:00")
    if ends <= starts:
        raise BadClosureError("ends", "expected a time after the start")


async def _notify(connection: AsyncConnection, name: uuid.UUID) -> None:
    await connection.execute(text("SELECT pg_notify('fleet', :body)"), {"body": json.dumps({"what": "closure", "id": str(name)})})
