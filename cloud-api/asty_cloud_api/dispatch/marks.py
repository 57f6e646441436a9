"""Lifts mark stops as done: each lift of a known tag becomes one outcome, however often this runs."""

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_MARK = """
WITH fresh AS (
    INSERT INTO fleet.stop_outcome (key, day, edge, stop, outcome, said_by, at, kg, lat, lon, route_version)
    SELECT md5(concat_ws(':', 'lift', l.edge, l.epoch, l.s))::uuid, l.day, l.edge, b.id, 'lifted', 'lift', l.t, l.net, l.lat, l.lon,
           (SELECT max(r.version) FROM fleet.route AS r WHERE r.edge = l.edge AND r.day = l.day AND r.made <= l.t)
    FROM telemetry.v_lift AS l JOIN fleet.bin AS b ON b.tag = l.tag
    WHERE l.day >= :since AND NOT coalesce(l.marks, '{}') && ARRAY['future', 'past']
    ON CONFLICT (key) DO NOTHING
    RETURNING edge, day, stop
)
SELECT pg_notify('fleet', json_build_object(
    'what', 'outcome', 'edge', edge, 'day', day, 'stop', stop, 'outcome', 'lifted')::text) FROM fresh
"""


async def mark_lifted(connection: AsyncConnection, since: date) -> int:
    """Store the outcomes of all lifts from a service day on that have none yet; tell how many were new."""
    return len((await connection.execute(text(_MARK), {"since": since})).all())
