"""Refused records in the ledger: an edge is told of them, and completeness counts them."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE telemetry.ledger ADD COLUMN refused int8multirange NOT NULL DEFAULT '{}', ADD COLUMN alone int8multirange NOT NULL DEFAULT '{}';
COMMENT ON COLUMN telemetry.ledger.refused IS 'Refused although they came alone: their edge sets them aside.';
COMMENT ON COLUMN telemetry.ledger.alone IS 'Refused in the company of others: their edge sends each again alone.';
"""

VIEWS = """
CREATE OR REPLACE VIEW telemetry.v_ledger AS
SELECT l.org, l.edge, l.ep, l.epoch, l.head AS produced, telemetry.span(l.stored) AS stored, telemetry.span(m.thinned) AS thinned,
       telemetry.span(m.missing) AS missing,
       CASE WHEN lower(l.stored + l.thinned) = 1
            THEN (SELECT upper(r) - 1 FROM unnest(l.stored + l.thinned) AS r ORDER BY r LIMIT 1) ELSE 0 END AS upto,
       m.missing AS missing_ranges, l.first_seen, l.last_seen, telemetry.span(m.refused) AS refused
FROM telemetry.ledger AS l,
     LATERAL (SELECT int8multirange(int8range(1, l.head, '[]')) AS given) AS g,
     LATERAL (SELECT l.thinned - l.stored - l.refused AS thinned, g.given * l.refused - l.stored AS refused,
                     g.given - l.stored - l.thinned - l.refused AS missing) AS m
WHERE l.head > 0;

CREATE OR REPLACE VIEW telemetry.v_completeness AS
WITH ordered AS (
    SELECT t.*, CASE t.shift WHEN 'morning' THEN 1 WHEN 'afternoon' THEN 2 ELSE 3 END AS place FROM telemetry.tally AS t
), reached AS (
    SELECT o.*,
        max(o.highest) OVER (PARTITION BY o.epoch ORDER BY o.day, o.place) AS top,
        row_number() OVER (PARTITION BY o.epoch ORDER BY o.day DESC, o.place DESC) = 1 AS is_last
    FROM ordered AS o
), bounded AS (
    SELECT r.*, l.edge, l.stored AS have, l.thinned AS given_up, l.refused - l.stored AS refused,
        int8range(
            coalesce(lag(r.top) OVER (PARTITION BY r.epoch ORDER BY r.day, r.place), 0),
            CASE WHEN r.is_last THEN greatest(r.top, l.head) ELSE r.top END, '(]') AS stretch
    FROM reached AS r JOIN telemetry.ledger AS l USING (epoch)
), counted AS (
    SELECT b.edge, b.day, b.shift, b.place, b.stored, b.late,
        telemetry.span(int8multirange(b.stretch) * (b.given_up - b.have - b.refused)) AS thinned,
        telemetry.span(int8multirange(b.stretch) * b.refused) AS refused,
        telemetry.span(int8multirange(b.stretch) - b.have - b.given_up - b.refused) AS missing
    FROM bounded AS b
)
SELECT c.edge, c.day, c.shift, c.place AS shift_order,
    (sum(c.stored) + sum(c.thinned) + sum(c.missing) + sum(c.refused))::bigint AS produced,
    sum(c.stored)::bigint AS stored, sum(c.missing)::bigint AS missing, sum(c.late)::bigint AS late, sum(c.thinned)::bigint AS thinned,
    sum(c.refused)::bigint AS refused
FROM counted AS c GROUP BY c.edge, c.day, c.shift, c.place;
"""


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run(COLUMNS)
    run(VIEWS)


def downgrade() -> None:
    raise NotImplementedError("telemetry is not thrown away by a downgrade: restore a backup instead")
