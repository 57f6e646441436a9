"""A day as the board shows it, read in one go: plan, lanes, trucks, closures, messages that wait for an answer."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.board import service
from asty_cloud_api.board.lanes import SIGNS, Lane, Line, Record, lane
from asty_cloud_api.reads.listing import folded
from asty_cloud_api.reads.trucks import TRUCKS

_ROUTES = """
SELECT DISTINCT ON (edge) edge, day, version, made, stops, path, figures, delivered, seen, accepted, accepted_by
FROM fleet.route WHERE day = :day ORDER BY edge, version DESC
"""
_PLANS = """
SELECT id, version, state, made, made_by, reasons, figures, parent FROM fleet.plan
WHERE day = :day AND state IN ('running', 'proposed') ORDER BY version DESC
"""
_CLOSURES = """
SELECT id, name, kind, area, starts, ends, source FROM fleet.closure WHERE starts < :ends AND ends > :begins ORDER BY starts, name
"""
_UNREAD = """
SELECT m.id, m.edge, coalesce(v.name, m.edge) AS vehicle, m.text, m.at
FROM fleet.message AS m LEFT JOIN fleet.vehicle AS v ON v.edge = m.edge
WHERE m.day = :day AND m.sender = 'driver' AND m.read IS NULL ORDER BY m.at DESC
"""
_UNLOADED = """
SELECT o.edge, o.stop, o.at FROM fleet.stop_outcome AS o
WHERE o.day = :day AND o.outcome = 'lifted' AND NOT EXISTS (SELECT 1 FROM fleet.bin AS b WHERE b.id = o.stop) ORDER BY o.at
"""
_LEFT_OUT = """
SELECT e.item ->> 'id' AS id, e.item ->> 'reason' AS reason, e.item -> 'params' AS params, e.item ->> 'why' AS why,
       b.street, b.lat, b.lon
FROM fleet.plan AS p, jsonb_array_elements(p.result -> 'plan' -> 'left_out') AS e (item) LEFT JOIN fleet.bin AS b ON b.id = e.item ->> 'id'
WHERE p.day = :day AND p.state = 'running' AND e.item ->> 'what' = 'stop' ORDER BY b.street, 1
"""


@dataclass(frozen=True, slots=True)
class Today:
    """`plan` is the one in force, None without one; `proposed` waits for a decision; `loose` are unplanned lifts and stops of no lane."""

    day: date
    at: datetime
    over: bool
    plan: Record | None
    proposed: tuple[Record, ...]
    lanes: tuple[Lane, ...]
    loose: tuple[Record, ...]
    left_out: tuple[Record, ...]
    closures: tuple[Record, ...]
    unread: tuple[Record, ...]

    def count(self, *states: str) -> int:
        return sum(one.count(*states) for one in self.lanes)

    @property
    def kg(self) -> float:
        return sum(one.kg for one in self.lanes) + sum(row["kg"] or 0.0 for row in self.loose if row["state"] == "unplanned")

    @property
    def planned_m(self) -> float:
        return sum(one.planned_m or 0.0 for one in self.lanes)

    @property
    def done_m(self) -> float:
        return sum(one.done_m or 0.0 for one in self.lanes)


async def read(connection: AsyncConnection, day: date, zone: ZoneInfo, now: datetime) -> Today:
    """Read a service day. One in the past is over: nothing is expected of it."""
    begins, ends = service.bounds(day, zone)
    rows = await service.rows(connection, day, zone, now)
    routes = await _read(connection, _ROUTES, day=day)
    plans = await _read(connection, _PLANS, day=day)
    trucks = {row["edge"]: row for row in await _read(connection, TRUCKS.source, today=begins, now=now, zone=zone.key)}
    unloaded = await _read(connection, _UNLOADED, day=day)
    lanes = put_together(routes, rows, trucks, unloaded, now, over=ends <= now)
    mine = {route["edge"] for route in routes}
    return Today(
        day=day,
        at=now,
        over=ends <= now,
        plan=next((row for row in plans if row["state"] == "running"), None),
        proposed=tuple(row for row in plans if row["state"] == "proposed"),
        lanes=lanes,
        loose=tuple(row for row in rows if row["state"] == "unplanned" or row["planned_edge"] not in mine),
        left_out=tuple(await _read(connection, _LEFT_OUT, day=day)),
        closures=tuple(await _read(connection, _CLOSURES, begins=begins, ends=ends)),
        unread=tuple(await _read(connection, _UNREAD, day=day)),
    )


def put_together(
    routes: Sequence[Record], rows: Sequence[Record], trucks: Mapping[str, Record], unloaded: Sequence[Record], now: datetime, *, over: bool
) -> tuple[Lane, ...]:
    """Give each route what became of its stops. A truck's colour and letter follow its place among all of the day's trucks."""
    by_edge: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        for edge in {row["edge"], row["planned_edge"]} - {None}:
            by_edge[edge].append(row)
    return tuple(
        lane(
            route,
            by_edge[route["edge"]],
            trucks.get(route["edge"]),
            unloaded=[row for row in unloaded if row["edge"] == route["edge"] and row["at"] >= route["made"]],
            sign=number % SIGNS,
            now=now,
            over=over,
        )
        for number, route in enumerate(sorted(routes, key=lambda route: route["edge"]))
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see of a day's stops: a truck's edge, a state, a street, and any words."""

    truck: str = ""
    state: str = ""
    street: str = ""
    q: str = ""

    def takes(self, lane: Lane, line: Line) -> bool:
        words = folded(" ".join((line.id, line.street or "", lane.vehicle)))
        return (
            self.truck in ("", lane.edge)
            and self.state in ("", line.state)
            and self.street in ("", line.street)
            and all(word in words for word in folded(self.q).split())
        )

    def takes_row(self, row: Record) -> bool:
        """Tell whether an unplanned lift, or a stop of no lane, fits."""
        words = folded(" ".join((row["bin"] or "", row["street"] or "", row["vehicle"] or "", row["tag"] or "")))
        return (
            self.truck in ("", row["edge"])
            and self.state in ("", row["state"])
            and self.street in ("", row["street"])
            and all(word in words for word in folded(self.q).split())
        )


async def _read(connection: AsyncConnection, sql: str, **values: Any) -> list[Record]:
    return [row._asdict() for row in await connection.execute(text(sql), values)]
