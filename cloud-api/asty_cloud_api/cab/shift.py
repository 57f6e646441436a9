"""The whole shift as one document: all that a tablet needs to go on without coverage."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.cab.models import DriverAction
from asty_cloud_api.cab.session import ON_DUTY, SignIn
from asty_cloud_api.fleet import plans
from asty_cloud_api.fleet.models import Bin, Place, Vehicle
from asty_cloud_api.fleet.plan_models import Duty, Message, StopOutcome

EARLY = timedelta(hours=2)
ATHENS = (23.73, 37.98)
_LIFTS = """
SELECT l.t, l.rx, b.id AS bin, l.net FROM telemetry.v_lift AS l LEFT JOIN fleet.bin AS b ON b.tag = l.tag
WHERE l.edge = :edge AND l.t >= :since AND l.t < :until ORDER BY l.t
"""
_POSITION = "SELECT t, lat, lon, v, course FROM telemetry.v_position_last WHERE edge = :edge"
_MILESTONES = ("unload", "break_start", "break_end", "end")


async def document(connection: AsyncConnection, who: SignIn, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return the truck, its route, what became of it so far, messages; times are ISO 8601 UTC, null is unknown."""
    duty = await _duty(connection, who, now)
    day, route = await _route(connection, who.edge, duty, now, zone)
    begins = plans.day_begins(day, zone) - EARLY
    span = {"edge": who.edge, "since": begins, "until": begins + timedelta(days=1)}
    stops = route["stops"] if route is not None else []
    return {
        "edge": who.edge,
        "day": day,
        "now": now,
        "vehicle": await _first(
            connection, select(Vehicle.name, Vehicle.plate, Vehicle.capacity_kg).where(Vehicle.edge == who.edge)
        ),
        "duty": duty,
        "route": None if route is None else {name: route[name] for name in _ROUTE},
        "volumes": await _volumes(connection, stops),
        "outcomes": await _outcomes(connection, who.edge, day, stops),
        "lifts": [dict(row) for row in (await connection.execute(text(_LIFTS), span)).mappings()],
        "actions": await _milestones(connection, who.edge, day),
        "messages": await _messages(connection, who.edge, day),
        "places": await _all(connection, select(Place.kind, Place.name, Place.lat, Place.lon)),
    }  # fmt: skip


_ROUTE = ("version", "made", "stops", "path", "figures", "delivered", "seen", "accepted")


async def position(connection: AsyncConnection, edge: str) -> dict[str, Any] | None:
    """Return where the truck's own receiver last was: t, lat, lon, v (m/s), course (degrees)."""
    row = (await connection.execute(text(_POSITION), {"edge": edge})).mappings().first()
    return None if row is None else dict(row)


async def trucks(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Return the vehicles that can be driven: edge, name, plate."""
    chosen = select(Vehicle.edge, Vehicle.name, Vehicle.plate).where(Vehicle.kind == "truck")
    return await _all(connection, chosen.order_by(Vehicle.name, Vehicle.edge))


async def centre(connection: AsyncConnection) -> tuple[float, float]:
    """Return the middle of the town's bins as lon, lat; Athens while there is none: where the sun is looked up without a position."""
    lon, lat = (await connection.execute(select(func.avg(Bin.lon), func.avg(Bin.lat)))).one()
    return ATHENS if lon is None else (lon, lat)


async def _route(
    connection: AsyncConnection, edge: str, duty: dict[str, Any] | None, now: datetime, zone: ZoneInfo
) -> tuple[date, RowMapping | None]:
    """Return the day that the truck works and its newest route; a crew that comes before the service day begins gets that day's."""
    day, ahead = plans.service_day(now, zone), plans.service_day(now + EARLY, zone)
    if ahead != day and (duty is None or duty["began"] > now - EARLY):
        route = await plans.newest_route(connection, edge, ahead)
        if route is not None:
            return ahead, route
    return day, await plans.newest_route(connection, edge, day)


async def _duty(connection: AsyncConnection, who: SignIn, now: datetime) -> dict[str, Any] | None:
    open_now = select(Duty.id, Duty.began).where(
        Duty.edge == who.edge, Duty.driver == who.driver, Duty.ended.is_(None), Duty.began > now - ON_DUTY
    )  # fmt: skip
    return await _first(connection, open_now.order_by(Duty.began.desc()).limit(1))


async def _volumes(connection: AsyncConnection, stops: Sequence[dict[str, Any]]) -> dict[str, int]:
    wanted = [stop["id"] for stop in stops if stop["kind"] == "bin"]
    rows = await connection.execute(select(Bin.id, Bin.volume_l).where(Bin.id.in_(wanted)))
    return dict(rows.tuples().all())


async def _outcomes(connection: AsyncConnection, edge: str, day: date, stops: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was said today by this truck, or of its bins by anybody."""
    bins = [stop["id"] for stop in stops if stop["kind"] == "bin"]
    o = StopOutcome
    wanted = select(o.key, o.edge, o.stop, o.outcome, o.reason, o.said_by, o.at, o.kg, o.photo, o.received)
    return await _all(connection, wanted.where(o.day == day, or_(o.edge == edge, o.stop.in_(bins))).order_by(o.at))


async def _milestones(connection: AsyncConnection, edge: str, day: date) -> list[dict[str, Any]]:
    a = DriverAction
    said = select(a.key, a.kind, a.at, a.body).where(a.edge == edge, a.day == day, a.kind.in_(_MILESTONES)).order_by(a.at)
    return [{"key": row.key, "kind": row.kind, "at": row.at, **row.body} for row in await connection.execute(said)]


async def _messages(connection: AsyncConnection, edge: str, day: date) -> list[dict[str, Any]]:
    m = Message
    return await _all(connection, select(m.id, m.sender, m.text, m.at, m.read).where(m.edge == edge, m.day == day).order_by(m.at))


async def _all(connection: AsyncConnection, statement: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


async def _first(connection: AsyncConnection, statement: Any) -> dict[str, Any] | None:
    row = (await connection.execute(statement)).mappings().first()
    return None if row is None else dict(row)
