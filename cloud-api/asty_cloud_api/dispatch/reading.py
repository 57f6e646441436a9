"""Reads what is known of the town: the register, the day's outcomes, and the views of telemetry."""

from datetime import date, datetime, timedelta
from typing import Any, get_args

from asty_contracts.stream import PlanTrigger, TriggerKind
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.dispatch.known import (
    Known,
    KnownBin,
    KnownLevel,
    KnownLift,
    KnownOutcome,
    KnownPlace,
    KnownPosition,
    KnownTruck,
    Measures,
    Point,
    Polygon,
)
from asty_cloud_api.fleet import plan_models, plans
from asty_cloud_api.fleet.models import Bin, Place, Vehicle

HISTORY = timedelta(days=180)
LEVELS = timedelta(days=60)
"""Sensors speak often: two months of them say more of a bin than half a year of lifts."""
_LIFTS = """
SELECT b.id AS bin, l.edge, l.day, l.t AS at, l.net AS kg FROM telemetry.v_lift AS l JOIN fleet.bin AS b ON b.tag = l.tag
WHERE l.day >= :since AND NOT coalesce(l.marks, '{}') && ARRAY['future', 'past']
"""
_LEVELS = """
SELECT DISTINCT ON (b.id, l.day) b.id AS bin, l.day, l.t AS at, l.level / 100 AS level
FROM telemetry.v_level AS l JOIN fleet.bin AS b ON b.tag = l.bin
WHERE l.t >= :since AND l.level IS NOT NULL AND NOT coalesce(l.marks, '{}') && ARRAY['future', 'past']
ORDER BY b.id, l.day, l.t DESC
"""
_POSITIONS = "SELECT edge, t AS at, lat, lon FROM telemetry.v_position_last"
KINDS: tuple[str, ...] = get_args(TriggerKind)


async def known_town(connection: AsyncConnection, day: date, *, lifts: bool) -> Known:
    """Read it; with the lifts and levels of the last months only where a forecast is to be made."""
    bins = [
        KnownBin(
            row.id, row.stream, row.volume_l, Point(row.lat, row.lon), row.tag, row.street, row.service_s, row.must,
            tuple((begins, ends) for begins, ends in row.windows or ()), row.business,
        )
        for row in await connection.execute(select(Bin.__table__).order_by(Bin.id))
    ]  # fmt: skip
    trucks = [
        KnownTruck(
            row.edge, row.name, row.capacity_kg, row.capacity_l, tuple(row.streams or ()), tuple(row.skills or ()),
            (row.shift_start, row.shift_end) if row.shift_start and row.shift_end else None,
            Measures(row.height_m, row.width_m, row.length_m, row.weight_t),
        )
        for row in await connection.execute(select(Vehicle.__table__).where(Vehicle.kind == "truck").order_by(Vehicle.edge))
    ]  # fmt: skip
    places = [
        KnownPlace(row.kind, row.name or row.kind, Point(row.lat, row.lon)) for row in await connection.execute(select(Place.__table__))
    ]
    return Known(
        bins=tuple(bins),
        trucks=tuple(trucks),
        places=tuple(places),
        lifts=await _lifts(connection, day - HISTORY) if lifts else (),
        levels=await _levels(connection, day - LEVELS) if lifts else (),
        positions=tuple([KnownPosition(row.edge, row.at, Point(row.lat, row.lon)) for row in await connection.execute(text(_POSITIONS))]),
        outcomes=tuple(
            [
                KnownOutcome(row["stop"], row["edge"], row["outcome"] == "lifted", row["at"], row["kg"])
                for row in await plans.outcomes(connection, day)
            ]
        ),
    )


async def closed_areas(connection: AsyncConnection, now: datetime) -> tuple[Polygon, ...]:
    """The areas that are closed now, GeoJSON polygons."""
    table = plan_models.Closure
    chosen = select(table.area).where(table.starts <= now, table.ends > now).order_by(table.id)
    return tuple((await connection.execute(chosen)).scalars())


async def waiting_triggers(connection: AsyncConnection) -> tuple[PlanTrigger, ...]:
    """The triggers that nobody has answered, oldest first."""
    table = plan_models.PlanTrigger
    rows = (await connection.execute(select(table.__table__).where(table.state == "waiting").order_by(table.at, table.id))).mappings()
    return tuple(_trigger(dict(row)) for row in rows)


def _trigger(row: dict[str, Any]) -> PlanTrigger:
    at = round(row["at"].timestamp() * 1000)
    return PlanTrigger(row["id"], at, row["kind"], row["subject"], row["said_by"], row["detail"])


async def _lifts(connection: AsyncConnection, since: date) -> tuple[KnownLift, ...]:
    rows = await connection.execute(text(_LIFTS), {"since": since})
    return tuple([KnownLift(row.bin, row.edge, row.day, row.at, row.kg) for row in rows])


async def _levels(connection: AsyncConnection, since: date) -> tuple[KnownLevel, ...]:
    rows = await connection.execute(text(_LEVELS), {"since": since})
    return tuple([KnownLevel(row.bin, row.day, row.at, row.level) for row in rows])
