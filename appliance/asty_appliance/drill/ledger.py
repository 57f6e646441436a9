"""The count at the end of a drill, in SQL that shares nothing with the store: truth files against rows, record by record.

A numbered record is found by its edge and its running number, wherever the store put it and under whatever sequence; what the agent
said of itself is found by epoch and sequence. Lost: its append returned and no row has it. Doubled: rows beyond the first. Altered: the
row says something else than the record did, or nobody ever recorded it.
"""

from collections.abc import Iterable

import psycopg
from msgspec import Struct
from psycopg import IsolationLevel

from asty_appliance.drill.outboxes import Destroyed
from asty_appliance.drill.truthfiles import Appended


class Count(Struct, frozen=True):
    """The sums. `destroyed`: lost with a deleted outbox that still held them; `damaged`: named in a gap record of the edge as unreadable.

    `unsure`: the append was interrupted; `recovered`: of those, the ones that are stored. `unbalanced`: epochs whose ledger row and
    rows disagree. `misreported`: records that an edge reported as lost by the store, which has them. `examples` name some of what is wrong.
    """

    produced: int
    stored: int
    lost: int
    doubled: int
    altered: int
    destroyed: int
    damaged: int
    thinned: int
    unsure: int
    recovered: int
    unbalanced: int
    misreported: int
    examples: list[str]

    @property
    def nothing_lost_or_doubled(self) -> bool:
        return self.produced > 0 and not (self.lost or self.doubled or self.altered or self.unbalanced or self.misreported)


_TRUTH = """
    CREATE TEMP TABLE truth (edge text, n bigint, ep uuid, t bigint, k text, s bigint, sure boolean);
    CREATE TEMP TABLE destroyed (edge text, ep uuid, s bigint);
"""

# What each kind of numbered record says, as text; and the others, by epoch and sequence alone.
_STORED = """
    CREATE TEMP TABLE found AS
    SELECT l.ep, r.* FROM telemetry.ledger l JOIN (
        SELECT edge, epoch, s, t, 'driver' AS k, CASE WHEN act = 'drill' AND note ~ '^[0-9]{1,18}$' THEN note::bigint ELSE 0 END AS n,
               concat_ws('|', bin, reason, photo, note) AS said FROM telemetry.driver
        UNION ALL SELECT edge, epoch, s, t, 'weight', kg::bigint, kg::text || '|' || net FROM telemetry.weight
        UNION ALL SELECT edge, epoch, s, t, 'pos', alt::bigint, concat_ws('|', lat, lon, v, course, alt, fix) FROM telemetry.position
        UNION ALL SELECT edge, epoch, s, t, 'alarm',
               CASE WHEN code = 'drill' AND info ~ ' [0-9]{1,18}$' THEN substring(info FROM '[0-9]+$')::bigint ELSE 0 END,
               concat_ws('|', active, device, severity, info) FROM telemetry.alarm
        UNION ALL SELECT edge, epoch, s, t, 'health', 0, '' FROM telemetry.health
        UNION ALL SELECT edge, epoch, s, t, 'gap', 0, '' FROM telemetry.gap
        UNION ALL SELECT edge, epoch, s, t, kind, -1, record::text FROM telemetry.other
    ) r USING (epoch);
    CREATE INDEX ON found (edge, n);
    CREATE INDEX ON found (ep, s);
    CREATE INDEX ON truth (edge, n);
    CREATE INDEX ON destroyed (ep, s);
    ANALYZE found;
    ANALYZE truth;
"""

_EXPECTED = """
    CASE k WHEN 'driver' THEN concat_ws('|', edge, ep, n)
           WHEN 'weight' THEN n::float8::text || '|false'
           WHEN 'pos' THEN concat_ws('|', 39.3621, 22.9421, n::float8, 'gps')
           WHEN 'alarm' THEN concat_ws('|', true, 'info', edge || ' ' || ep || ' ' || n) END
"""

_MISSING = """
    CREATE TEMP TABLE missing AS
    SELECT edge, n, ep, k, s, CASE
        WHEN EXISTS (SELECT FROM destroyed d WHERE d.ep = t.ep AND d.s = t.s) THEN 'destroyed'
        WHEN EXISTS (SELECT FROM telemetry.gap g JOIN telemetry.ledger l USING (epoch)
                     WHERE l.ep = t.ep AND g.ranges @> t.s AND g.why = 'damaged') THEN 'damaged'
        WHEN k = 'pos' AND (s = 0 OR EXISTS (SELECT FROM telemetry.gap g JOIN telemetry.ledger l USING (epoch)
                     WHERE l.ep = t.ep AND g.ranges @> t.s AND g.why = 'outbox_full')) THEN 'thinned'
        ELSE 'lost' END AS fate
    FROM (
        SELECT * FROM truth t WHERE sure AND n > 0 AND NOT EXISTS (SELECT FROM found f WHERE f.edge = t.edge AND f.n = t.n)
        UNION ALL
        SELECT * FROM truth t WHERE sure AND n = 0 AND NOT EXISTS (SELECT FROM found f WHERE f.ep = t.ep AND f.s = t.s)
    ) AS t
"""

_WRONG = f"""
    CREATE TEMP TABLE wrong AS
    SELECT 'doubled' AS how, edge, n, count(*) - 1 AS surplus, min(ep::text) AS ep, min(s) AS s
    FROM found WHERE n > 0 GROUP BY edge, n HAVING count(*) > 1
    UNION ALL
    SELECT 'doubled', min(edge), 0, count(*) - 1, ep::text, s FROM found WHERE n <= 0 GROUP BY ep, s HAVING count(*) > 1
    UNION ALL
    SELECT 'altered', f.edge, f.n, 1, f.ep::text, f.s
    FROM found f LEFT JOIN truth t ON t.edge = f.edge AND t.n = f.n
    WHERE f.n > 0 AND (t.n IS NULL OR f.k <> t.k OR f.t <> to_timestamp(t.t / 1000.0)
        OR f.said IS DISTINCT FROM (SELECT {_EXPECTED} FROM (SELECT t.k, t.edge, t.ep, t.n) AS e))
    UNION ALL
    SELECT 'altered', edge, n, 1, ep::text, s FROM found WHERE n < 0
"""  # noqa: S608 a constant of this module

_SUMS = """
    SELECT (SELECT count(*) FROM truth WHERE sure), (SELECT count(*) FROM found),
           (SELECT count(*) FROM missing WHERE fate = 'lost'),
           (SELECT coalesce(sum(surplus), 0) FROM wrong WHERE how = 'doubled'), (SELECT count(*) FROM wrong WHERE how = 'altered'),
           (SELECT count(*) FROM missing WHERE fate = 'destroyed'), (SELECT count(*) FROM missing WHERE fate = 'damaged'),
           (SELECT count(*) FROM missing WHERE fate = 'thinned'),
           (SELECT count(*) FROM truth WHERE NOT sure),
           (SELECT count(*) FROM truth t WHERE NOT sure AND EXISTS (SELECT FROM found f WHERE f.edge = t.edge AND f.n = t.n)),
           (SELECT count(*) FROM (
                SELECT l.ep FROM telemetry.ledger l LEFT JOIN found f USING (ep) GROUP BY l.ep, l.stored
                HAVING count(f.s) <> (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(l.stored) AS r)) AS unbalanced),
           (SELECT count(*) FROM telemetry.gap g JOIN telemetry.ledger l USING (epoch) JOIN found f USING (ep)
            WHERE g.why = 'not_held' AND g.ranges @> f.s)
"""

_NAMES = (
    "produced", "stored", "lost", "doubled", "altered", "destroyed", "damaged", "thinned", "unsure", "recovered", "unbalanced",
    "misreported",
)  # fmt: skip

_EXAMPLES = """
    (SELECT format('lost: %s n %s, %s, epoch %s sequence %s', edge, n, k, ep, s) FROM missing WHERE fate = 'lost' ORDER BY edge, n LIMIT 10)
    UNION ALL
    (SELECT format('%s: %s n %s, epoch %s sequence %s', how, edge, n, ep, s) FROM wrong ORDER BY edge, n LIMIT 10)
"""


def audit(dsn: str, truth: Iterable[Appended], destroyed: Iterable[Destroyed]) -> Count:
    """Count everything; leaves nothing behind in the database. Raises psycopg.Error while it is away."""
    with psycopg.connect(dsn) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ  # one moment, while records still arrive
        connection.execute(_TRUTH)
        with connection.cursor() as cursor:
            with cursor.copy("COPY truth FROM STDIN") as copy:
                for record in truth:
                    copy.write_row(record)
            with cursor.copy("COPY destroyed FROM STDIN") as copy:
                for outbox in destroyed:
                    for s in outbox.sequences:
                        copy.write_row((outbox.edge, outbox.ep, s))
        for statement in (_STORED, _MISSING, _WRONG):
            connection.execute(statement)
        sums = connection.execute(_SUMS).fetchone()
        assert sums is not None
        examples = [row[0] for row in connection.execute(_EXAMPLES)]
        connection.rollback()
    return Count(**dict(zip(_NAMES, map(int, sums), strict=True)), examples=examples)


def stored(dsn: str) -> int:
    """Count what the ledger says is stored; -1 while the database is away."""
    query = "SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM telemetry.ledger, unnest(stored) AS r"
    try:
        with psycopg.connect(dsn, connect_timeout=3) as connection:
            row = connection.execute(query).fetchone()
    except psycopg.OperationalError:
        return -1
    return int(row[0]) if row else 0
