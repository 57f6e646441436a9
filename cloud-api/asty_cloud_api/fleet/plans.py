"""Plans, routes and outcomes as several rooms read and write them. Each change says NOTIFY fleet in its own transaction."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.fleet.plan_models import Plan, Route, StopOutcome

CHANNEL = "fleet"
DAY_BEGINS = 5
"""The hour at which a service day begins, local: that of telemetry.service_day, so that a night shift belongs to one day."""
LIFTS = uuid.UUID("0a3c2f0e-6a0f-5d4e-9d1c-5b7f2f1c9a10")
"""The namespace of outcomes that a lift said: the same lift always has the same key."""

Mark = Literal["delivered", "seen", "accepted"]


def service_day(now: datetime, zone: ZoneInfo) -> date:
    """Return the service day of an instant: from 05:00 to 05:00, local."""
    return (now.astimezone(zone).replace(tzinfo=None) - timedelta(hours=DAY_BEGINS)).date()


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """Return when a service day begins, UTC."""
    return datetime.combine(day, time(DAY_BEGINS), zone).astimezone(UTC)


async def notify(connection: AsyncConnection, what: str, **said: Any) -> None:
    """Tell followers of channel `fleet`, when the transaction commits; at most 8000 bytes."""
    body = json.dumps({"what": what, **said}, ensure_ascii=False, default=str)
    await connection.execute(text("SELECT pg_notify(:channel, :body)"), {"channel": CHANNEL, "body": body})


async def running_plan(connection: AsyncConnection, day: date) -> RowMapping | None:
    """Return the row of fleet.plan that runs on a day."""
    found = await connection.execute(select(Plan.__table__).where(Plan.day == day, Plan.state == "running"))
    return found.mappings().one_or_none()


async def newest_route(connection: AsyncConnection, edge: str, day: date) -> RowMapping | None:
    """Return the row of fleet.route that a truck is to drive: a route is stored only once its plan runs."""
    chosen = select(Route.__table__).where(Route.edge == edge, Route.day == day).order_by(Route.version.desc()).limit(1)
    return (await connection.execute(chosen)).mappings().one_or_none()


async def newest_routes(connection: AsyncConnection, day: date) -> Sequence[RowMapping]:
    """Return the newest row of fleet.route of each truck, by edge."""
    chosen = select(Route.__table__).ext(distinct_on(Route.edge)).where(Route.day == day).order_by(Route.edge, Route.version.desc())
    return (await connection.execute(chosen)).mappings().all()


async def store_route(connection: AsyncConnection, row: Mapping[str, Any]) -> int:
    """Store a truck's next route (edge, day, plan, made, stops, path, figures) under its next version, which is returned."""
    newest = await newest_route(connection, row["edge"], row["day"])
    version = 1 if newest is None else newest["version"] + 1
    await connection.execute(insert(Route).values(**row, version=version))
    await notify(connection, "route", edge=row["edge"], day=row["day"], version=version)
    return version


async def mark_route(
    connection: AsyncConnection, edge: str, day: date, version: int, mark: Mark, at: datetime, *, by: str | None = None
) -> bool:
    """Note that a route version was delivered, seen or accepted (`by` whom); tell whether that was new. The first time counts."""
    column = getattr(Route, mark)
    values: dict[str, Any] = {mark: at} | ({"accepted_by": by} if mark == "accepted" else {})
    done: CursorResult[Any] = await connection.execute(
        update(Route).where(Route.edge == edge, Route.day == day, Route.version == version, column.is_(None)).values(**values)
    )
    if done.rowcount:
        await notify(connection, "route", edge=edge, day=day, version=version, mark=mark)
    return bool(done.rowcount)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a stop; see plan_models.StopOutcome. `stop` is a bin's id, or a station's when the truck unloaded there."""

    key: uuid.UUID
    day: date
    edge: str
    stop: str
    outcome: Literal["lifted", "missed"]
    said_by: Literal["lift", "driver", "dispatcher"]
    at: datetime
    reason: str | None = None
    kg: float | None = None
    lat: float | None = None
    lon: float | None = None
    photo: uuid.UUID | None = None
    route_version: int | None = None
    note: str | None = None


async def store_outcome(connection: AsyncConnection, outcome: Outcome) -> bool:
    """Store an outcome; tell whether it was new: the same key said again changes nothing."""
    stored: CursorResult[Any] = await connection.execute(
        insert(StopOutcome).values(**asdict(outcome)).on_conflict_do_nothing(index_elements=["key"])
    )
    if stored.rowcount:
        await notify(connection, "outcome", edge=outcome.edge, day=outcome.day, stop=outcome.stop, outcome=outcome.outcome)
    return bool(stored.rowcount)


async def outcomes(connection: AsyncConnection, day: date, edge: str | None = None) -> Sequence[RowMapping]:
    """Return the rows of fleet.stop_outcome of a day in the order in which they happened, of one truck or all."""
    chosen = select(StopOutcome.__table__).where(StopOutcome.day == day).order_by(StopOutcome.at, StopOutcome.key)
    if edge is not None:
        chosen = chosen.where(StopOutcome.edge == edge)
    return (await connection.execute(chosen)).mappings().all()
