"""Verification of service: every planned stop of a day with what became of it, and the lifts that nobody planned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.board.terms import REASONS, SAID_BY, STOP_STATES
from asty_cloud_api.fleet.plans import day_begins
from asty_cloud_api.reads.listing import Choice, Column, Exact, Listing
from asty_cloud_api.reads.terms import FLAGS, STREAMS

# A stop belongs to the newest route that names it. When that is not its truck's newest version and nothing became of it, it was taken out.
# The lift is the better witness: whatever was reported, a bin whose tag was lifted was served.
_SOURCE = """
SELECT s.*, coalesce(v.name, s.edge) AS vehicle
FROM (
    WITH version AS (
        SELECT r.edge, r.version, r.made, r.stops, r.version = max(r.version) OVER (PARTITION BY r.edge) AS newest
        FROM fleet.route AS r WHERE r.day = DATE '{day}'
    ), planned AS (
        SELECT DISTINCT ON (e.stop ->> 'id') e.stop ->> 'id' AS id, v.edge, v.version, v.newest, e.stop
        FROM version AS v, jsonb_array_elements(v.stops) AS e (stop)
        WHERE e.stop ->> 'kind' = 'bin'
        ORDER BY e.stop ->> 'id', v.made DESC, v.newest DESC, v.edge
    ), lift AS (
        SELECT l.*, b.id AS bin FROM telemetry.v_lift AS l LEFT JOIN fleet.bin AS b ON b.tag = l.tag
        WHERE l.t >= TIMESTAMPTZ '{begins}' AND l.t < TIMESTAMPTZ '{ends}'
    ), lifted AS (
        SELECT DISTINCT ON (bin) bin, t, edge, sum(net) OVER (PARTITION BY bin) AS net,
               coalesce(flags, '{{}}') || coalesce(marks, '{{}}') AS flags
        FROM lift WHERE bin IS NOT NULL ORDER BY bin, t
    ), outcome AS (
        SELECT DISTINCT ON (stop) stop, edge, outcome, reason, said_by, at, kg, photo, note, route_version
        FROM fleet.stop_outcome WHERE day = DATE '{day}' ORDER BY stop, outcome = 'lifted' DESC, at DESC
    )
    SELECT coalesce(o.edge, l.edge, p.edge) AS edge, p.edge AS planned_edge, (p.stop ->> 'n')::int AS n, p.id AS bin,
           coalesce(p.stop ->> 'street', b.street) AS street, coalesce(p.stop ->> 'stream', b.stream) AS stream,
           CASE WHEN l.t IS NOT NULL OR o.outcome = 'lifted' THEN 'served' WHEN o.outcome = 'missed' THEN 'missed'
                WHEN NOT p.newest THEN 'withdrawn' WHEN TIMESTAMPTZ '{ends}' <= CAST(:now AS timestamptz) THEN 'undone'
                ELSE 'left' END AS state,
           (p.stop ->> 'eta')::timestamptz AS eta, coalesce(l.t, o.at) AS at, coalesce(l.net, o.kg) AS kg,
           (p.stop ->> 'kg')::float AS planned_kg, coalesce((p.stop ->> 'must')::bool, false) AS must, p.stop ->> 'why' AS why,
           CASE WHEN l.t IS NULL THEN o.reason END AS reason, CASE WHEN l.t IS NOT NULL THEN 'lift' ELSE o.said_by END AS said_by,
           o.photo, o.note, l.flags, b.tag,
           coalesce((p.stop ->> 'lat')::float, b.lat) AS lat, coalesce((p.stop ->> 'lon')::float, b.lon) AS lon, p.version
    FROM planned AS p LEFT JOIN fleet.bin AS b ON b.id = p.id LEFT JOIN outcome AS o ON o.stop = p.id LEFT JOIN lifted AS l ON l.bin = p.id
    UNION ALL
    SELECT l.edge, NULL, NULL, l.bin, b.street, b.stream, 'unplanned', NULL, l.t, l.net, NULL, false, NULL, NULL, 'lift', NULL, NULL,
           coalesce(l.flags, '{{}}') || coalesce(l.marks, '{{}}'), l.tag, coalesce(l.lat, b.lat), coalesce(l.lon, b.lon), NULL
    FROM lift AS l LEFT JOIN fleet.bin AS b ON b.id = l.bin
    WHERE l.bin IS NULL OR NOT EXISTS (SELECT 1 FROM planned AS p WHERE p.id = l.bin)
) AS s
LEFT JOIN fleet.vehicle AS v ON v.edge = s.edge
"""

_TRUCKS = "SELECT edge, name FROM fleet.vehicle WHERE kind = 'truck' ORDER BY name"
_STREAMS = "SELECT DISTINCT stream, stream FROM fleet.bin ORDER BY 1"

SERVICE = Listing(
    name="service",
    title="Verification of service",
    source=_SOURCE,
    columns=(
        Column("n", "No.", "number"),
        Column("bin", "Bin", "code"),
        Column("street", "Street"),
        Column("stream", "Waste stream", "term", STREAMS),
        Column("vehicle", "Refuse truck"),
        Column("state", "State", "state", STOP_STATES),
        Column("eta", "Planned", "moment"),
        Column("at", "When it happened", "moment"),
        Column("kg", "Net", "kg"),
        Column("planned_kg", "Planned weight", "kg", shown=False),
        Column("reason", "Reason", "term", REASONS),
        Column("said_by", "Said by", "term", SAID_BY, shown=False),
        Column("flags", "Evidence", "terms", FLAGS),
        Column("photo", "Photo", "code"),
        Column("note", "Note", shown=False),
        Column("tag", "Tag", "code", shown=False),
        Column("must", "Must be served", "text", shown=False),
        Column("version", "Route version", "number", shown=False),
        Column("edge", "Gateway", "code", shown=False),
        Column("lat", "Latitude", "number", shown=False),
        Column("lon", "Longitude", "number", shown=False),
    ),
    search=("coalesce(bin, '')", "coalesce(street, '')", "coalesce(tag, '')", "vehicle", "coalesce(note, '')"),
    filters=(
        Exact("truck", "Refuse truck", "edge", _TRUCKS),
        Choice(
            "state",
            "State",
            {
                state: (STOP_STATES[state], f"state = '{state}'")
                for state in ("served", "missed", "left", "undone", "unplanned", "withdrawn")
            },
        ),
        Exact("stream", "Waste stream", "stream", _STREAMS),
        Choice("reason", "Reason", {reason: (term, f"reason = '{reason}'") for reason, term in REASONS.items()}),
    ),
    sort="at",
    descending=True,
    order="vehicle, n, at, bin",
    empty="No stop fits. Stops appear here with the day's plan, lifts as they happen.",
)


def of_day(day: date, zone: ZoneInfo) -> Listing:
    """The list of one service day; its source needs only :now."""
    begins, ends = bounds(day, zone)
    return replace(SERVICE, source=_SOURCE.format(day=day.isoformat(), begins=begins.isoformat(), ends=ends.isoformat()))


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a service day begins and ends, UTC."""
    return day_begins(day, zone), day_begins(day + timedelta(days=1), zone)


async def rows(connection: AsyncConnection, day: date, zone: ZoneInfo, now: datetime) -> list[dict[str, Any]]:
    """Every planned stop and unplanned lift of a day, by truck and order."""
    found = await connection.execute(text(of_day(day, zone).source + " ORDER BY s.edge, s.n NULLS LAST, s.at"), {"now": now})
    return [row._asdict() for row in found]


@dataclass(slots=True)
class Sum:
    """What became of the stops of one truck or stream. `kg` of served and unplanned lifts; metres are filled in for trucks only."""

    name: str
    planned: int = 0
    served: int = 0
    missed: int = 0
    open: int = 0
    unplanned: int = 0
    kg: float = 0.0
    unweighed: int = 0
    planned_m: float | None = None
    driven_m: float | None = None
    edges: set[str] = field(default_factory=set)

    @property
    def tonnes(self) -> float:
        return self.kg / 1000

    @property
    def share(self) -> float | None:
        """Served of planned."""
        return self.served / self.planned if self.planned else None


def sums(rows: Iterable[Mapping[str, Any]], by: str) -> list[Sum]:
    """Sum a day's rows by one of their columns, such as `vehicle` or `stream`. Stops taken out of the plan are not planned."""
    found: dict[str, Sum] = {}
    for row in rows:
        if row["state"] == "withdrawn":
            continue
        one = found.setdefault(row[by] or "", Sum(row[by] or ""))
        one.edges.add(row["edge"])
        state = row["state"]
        one.planned += state != "unplanned"
        one.served += state == "served"
        one.missed += state == "missed"
        one.unplanned += state == "unplanned"
        one.open += state in ("left", "undone")
        if state in ("served", "unplanned"):
            one.kg += row["kg"] or 0.0
            one.unweighed += row["kg"] is None
    return sorted(found.values(), key=lambda one: one.name)


_DRIVEN = """
SELECT edge, sum(distance_m) AS metres FROM telemetry.v_hourly WHERE bucket >= :begins AND bucket < :ends GROUP BY edge
"""
_PLANNED = """
SELECT DISTINCT ON (edge) edge, (figures ->> 'metres')::float AS metres FROM fleet.route WHERE day = :day ORDER BY edge, version DESC
"""


async def ways(connection: AsyncConnection, day: date, zone: ZoneInfo) -> tuple[dict[str, float], dict[str, float]]:
    """Planned and driven metres of each truck: the newest route's figure, and what the vehicle's own counter says (whole hours)."""
    begins, ends = bounds(day, zone)
    planned = await connection.execute(text(_PLANNED), {"day": day})
    driven = await connection.execute(text(_DRIVEN), {"begins": begins, "ends": ends})
    return {edge: m for edge, m in planned if m is not None}, {edge: m for edge, m in driven if m is not None}
