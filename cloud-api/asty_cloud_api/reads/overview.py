"""The figures and the short lists of the live page, read together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.reads.alarms import OPEN_ALARMS
from asty_cloud_api.reads.bins import BINS
from asty_cloud_api.reads.completeness import COMPLETENESS
from asty_cloud_api.reads.edges import EDGES
from asty_cloud_api.reads.lifts import LIFTS
from asty_cloud_api.reads.listing import Row, day_bounds, first
from asty_cloud_api.reads.trucks import TRUCKS

_FIGURES = """
SELECT (SELECT count(*) FROM telemetry.v_lift WHERE t >= :today AND t <= :soon) AS lifts,
       (SELECT sum(net) FROM telemetry.v_lift WHERE t >= :today AND t <= :soon) AS net,
       (SELECT count(*) FROM fleet.bin) AS bins,
       (SELECT count(*) FROM fleet.bin AS b JOIN telemetry.v_bin_state AS s USING (tag) WHERE s.last_lift >= :today) AS bins_today,
       (SELECT count(*) FROM telemetry.v_alarm_open) AS alarms,
       (SELECT coalesce(sum(missing), 0) FROM telemetry.v_completeness WHERE day >= :day) AS missing
"""
_BINS = f"SELECT state, count(*) FROM ({BINS.source}) AS b WHERE id <> '' GROUP BY state"  # noqa: S608  the listing's own text


@dataclass(frozen=True, slots=True)
class Overview:
    """`figures`: lifts, net (kg) and bins_today of the local day; bins, alarms, missing (records of today and yesterday).

    `bins_by_state` counts the registered bins that are today, recent, old or unknown.
    """

    at: datetime
    figures: Row
    bins_by_state: dict[str, int]
    trucks: Sequence[Row]
    lifts: Sequence[Row]
    edges: Sequence[Row]
    completeness: Sequence[Row]
    alarms: Sequence[Row]


async def overview(connection: AsyncConnection, zone: ZoneInfo, now: datetime) -> Overview:
    """Read the live page."""
    day = now.astimezone(zone).date()
    values = {"today": day_bounds(day, zone)[0], "soon": now + timedelta(minutes=5), "day": day - timedelta(days=1)}
    at_now = {"today": values["today"], "now": now}
    bins_by_state: dict[str, int] = dict((await connection.execute(text(_BINS), at_now)).tuples().all())
    figures = (await connection.execute(text(_FIGURES), values)).mappings().one()

    return Overview(
        at=now,
        figures=figures,
        bins_by_state=bins_by_state,
        trucks=await first(connection, TRUCKS, zone, now, 100),
        lifts=await first(connection, LIFTS, zone, now, 12),
        edges=await first(connection, EDGES, zone, now, 100),
        completeness=await first(connection, COMPLETENESS, zone, now, 12),
        alarms=await first(connection, OPEN_ALARMS, zone, now, 8),
    )
