"""The count at the end of a run: what the edges produced against what the store holds, by SQL that knows nothing of the store's code.

It reads the telemetry tables themselves, not the published views: an auditor does not ask the audited for the sum.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

_TABLES = """
    SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'telemetry' AND c.column_name IN ('epoch', 's') AND t.table_type = 'BASE TABLE'
      AND NOT EXISTS (
        SELECT 1 FROM pg_inherits i JOIN pg_class k ON k.oid = i.inhrelid JOIN pg_namespace n ON n.oid = k.relnamespace
        WHERE n.nspname = 'telemetry' AND k.relname = c.table_name)
    GROUP BY c.table_name HAVING count(*) = 2 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store holds of one outbox epoch: distinct sequences, surplus copies, sequences given up by the edge itself."""

    distinct: int
    doubled: int
    thinned: int
    highest: int


def stored_by_epoch(dsn: str) -> dict[str, Stored]:
    """Count the stored records of each epoch (by its UUID)."""
    with psycopg.connect(dsn) as connection:
        tables = [row[0] for row in connection.execute(_TABLES)]
        if not tables:
            return {}
        union = sql.SQL(" UNION ALL ").join(sql.SQL("SELECT epoch, s FROM telemetry.{}").format(sql.Identifier(name)) for name in tables)
        counted = connection.execute(
            sql.SQL("""
                WITH every AS ({}), each AS (SELECT epoch, s, count(*) AS copies FROM every GROUP BY epoch, s),
                given_up AS (SELECT epoch, sum(n) AS n FROM telemetry.gap GROUP BY epoch)
                SELECT l.ep::text, count(e.s), coalesce(sum(e.copies - 1), 0), coalesce(max(g.n), 0), coalesce(max(e.s), 0)
                FROM telemetry.ledger l LEFT JOIN each e USING (epoch) LEFT JOIN given_up g USING (epoch) GROUP BY l.ep
            """).format(union)
        ).fetchall()
    return {ep: Stored(int(n), int(surplus), int(thinned), int(top)) for ep, n, surplus, thinned, top in counted}


@dataclass(frozen=True, slots=True)
class PlanCount:
    """The running plan of the newest day: `planned` stops of its newest routes, and how many of them were `served`."""

    version: int
    planned: int
    served: int
    left_out: int
    routes: dict[str, int]


def running_plan(dsn: str) -> PlanCount | None:
    """Count the plan that runs against what was lifted; None where none was made."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT day, version, (figures ->> 'left_out')::int FROM fleet.plan WHERE state = 'running' ORDER BY day DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        day, version, left_out = row
        routes = connection.execute(
            """
            SELECT r.edge, r.version, count(*), count(o.stop)
            FROM (SELECT DISTINCT ON (edge) * FROM fleet.route WHERE day = %(day)s ORDER BY edge, version DESC) AS r
            CROSS JOIN LATERAL jsonb_array_elements(r.stops) AS s
            LEFT JOIN (SELECT DISTINCT stop FROM fleet.stop_outcome WHERE day = %(day)s AND outcome = 'lifted') AS o ON o.stop = s ->> 'id'
            WHERE s ->> 'kind' = 'bin' GROUP BY r.edge, r.version ORDER BY r.edge
            """,
            {"day": day},
        ).fetchall()
    return PlanCount(
        version, sum(planned for _, _, planned, _ in routes), sum(served for *_, served in routes), left_out, {e: v for e, v, *_ in routes}
    )


def lifts(dsn: str, limit: int = 1000) -> list[dict[str, Any]]:
    """Return the stored lifts, oldest first, as the published view shows them."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT edge, cycle, t, tag, gross, tare, net, flags FROM telemetry.v_lift ORDER BY t LIMIT %s", [limit]
        ).fetchall()
    keys = ("edge", "cycle", "t", "tag", "gross", "tare", "net", "flags")
    return [dict(zip(keys, row, strict=True)) for row in rows]
