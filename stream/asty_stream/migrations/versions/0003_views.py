"""The published views: what others may read. docs/telemetry-store.md describes each column."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

VIEWS = """
CREATE VIEW telemetry.v_ledger AS
SELECT l.org, l.edge, l.ep, l.epoch, l.head AS produced, telemetry.span(l.stored) AS stored, telemetry.span(m.thinned) AS thinned,
       telemetry.span(m.missing) AS missing,
       CASE WHEN lower(l.stored + l.thinned) = 1
            THEN (SELECT upper(r) - 1 FROM unnest(l.stored + l.thinned) AS r ORDER BY r LIMIT 1) ELSE 0 END AS upto,
       m.missing AS missing_ranges, l.first_seen, l.last_seen
FROM telemetry.ledger AS l,
     LATERAL (SELECT l.thinned - l.stored AS thinned, int8multirange(int8range(1, l.head, '[]')) - l.stored - l.thinned AS missing) AS m
WHERE l.head > 0;

CREATE VIEW telemetry.v_missing AS
SELECT l.edge, l.ep, l.epoch, lower(r) AS first, upper(r) - 1 AS last, upper(r) - lower(r) AS n, l.last_seen
FROM telemetry.v_ledger AS l, unnest(l.missing_ranges) AS r;

CREATE VIEW telemetry.v_completeness AS
WITH ordered AS (
    SELECT t.*, CASE t.shift WHEN 'morning' THEN 1 WHEN 'afternoon' THEN 2 ELSE 3 END AS place FROM telemetry.tally AS t
), reached AS (
    SELECT o.*,
        max(o.highest) OVER (PARTITION BY o.epoch ORDER BY o.day, o.place) AS top,
        row_number() OVER (PARTITION BY o.epoch ORDER BY o.day DESC, o.place DESC) = 1 AS is_last
    FROM ordered AS o
), bounded AS (
    SELECT r.*, l.edge, l.stored AS have, l.thinned AS given_up,
        int8range(
            coalesce(lag(r.top) OVER (PARTITION BY r.epoch ORDER BY r.day, r.place), 0),
            CASE WHEN r.is_last THEN greatest(r.top, l.head) ELSE r.top END, '(]') AS stretch
    FROM reached AS r JOIN telemetry.ledger AS l USING (epoch)
), counted AS (
    SELECT b.edge, b.day, b.shift, b.place, b.stored, b.late,
        telemetry.span(int8multirange(b.stretch) * (b.given_up - b.have)) AS thinned,
        telemetry.span(int8multirange(b.stretch) - b.have - b.given_up) AS missing
    FROM bounded AS b
)
SELECT c.edge, c.day, c.shift, c.place AS shift_order,
    (sum(c.stored) + sum(c.thinned) + sum(c.missing))::bigint AS produced,
    sum(c.stored)::bigint AS stored, sum(c.missing)::bigint AS missing, sum(c.late)::bigint AS late, sum(c.thinned)::bigint AS thinned
FROM counted AS c GROUP BY c.edge, c.day, c.shift, c.place;

CREATE VIEW telemetry.v_edge AS
SELECT e.edge, e.org, e.kind, e.software, e.config, e.up, e.state_at, e.born, e.session, e.ep, e.last_record, e.last_seen,
    h.t AS health_t, h.up AS uptime_s, h.head, h.acked, h.held, h.bytes, h.rss, h.disk, e.birth -> 'devices' AS devices
FROM telemetry.edge AS e
LEFT JOIN LATERAL (
    SELECT * FROM telemetry.health AS h
    WHERE h.edge = e.edge AND h.marks IS NULL AND h.t > now() - interval '60 days' ORDER BY h.t DESC LIMIT 1
) AS h ON true;

CREATE VIEW telemetry.v_device_health AS
SELECT e.edge, d.key AS device, d.value ->> 'state' AS state, coalesce((d.value ->> 'frames')::numeric, 0) AS frames,
    coalesce((d.value ->> 'bad')::numeric, 0) AS bad,
    (d.value ->> 'heard')::numeric AS heard_ms, coalesce(d.value ->> 'why', '') AS why, h.t
FROM telemetry.edge AS e,
LATERAL (
    SELECT h.t, h.devices FROM telemetry.health AS h
    WHERE h.edge = e.edge AND h.marks IS NULL AND h.t > now() - interval '60 days' ORDER BY h.t DESC LIMIT 1
) AS h,
jsonb_each(h.devices) AS d;

CREATE VIEW telemetry.v_position_last AS
SELECT e.edge, p.t, p.lat, p.lon, p.v, p.course, p.alt, p.sats, p.hdop, p.fix, p.tq, p.late
FROM telemetry.edge AS e,
LATERAL (
    SELECT * FROM telemetry.position AS p
    WHERE p.edge = e.edge AND p.marks IS NULL AND p.t > now() - interval '60 days' ORDER BY p.t DESC LIMIT 1
) AS p;

CREATE VIEW telemetry.v_lift AS
SELECT l.edge, l.epoch, l.s, l.t, l.tq, l.late, l.marks, l.cycle, l.started, l.ended, l.tag, l.std, l.others,
    l.gross, l.tare, l.net, l.stable,
    l.lat, l.lon, l.fix, l.fix_age, l.flags, l.prev, l.hash, telemetry.service_day(l.t) AS day, telemetry.shift_of(l.t) AS shift, l.rx
FROM telemetry.lift AS l;

CREATE VIEW telemetry.v_lift_recent AS
SELECT * FROM telemetry.v_lift WHERE t > now() - interval '24 hours' AND t < now() + interval '5 minutes';

CREATE VIEW telemetry.v_alarm AS
SELECT edge, epoch, s, t, tq, late, marks, code, active, device, severity, info, rx FROM telemetry.alarm;

CREATE VIEW telemetry.v_alarm_open AS
SELECT edge, code, nullif(device, '') AS device, severity, info, since, t FROM telemetry.alarm_state WHERE active;

CREATE VIEW telemetry.v_bin_state AS
SELECT tag, t AS last_lift, edge AS last_edge, gross, tare, net, lat, lon, flags, lifts FROM telemetry.bin_state;

CREATE VIEW telemetry.v_ppe_last AS
SELECT DISTINCT ON (vest) vest, edge, t, worn, battery, seen, late FROM telemetry.ppe
WHERE marks IS NULL AND t > now() - interval '24 hours' ORDER BY vest, t DESC, s DESC;

CREATE VIEW telemetry.v_refused AS
SELECT source, edge, topic, reason, detail, size, payload, times, first_rx, last_rx FROM telemetry.refused;
"""

SUMMED = """
CREATE VIEW telemetry.v_{period} AS
SELECT bucket, {extra} edge, coalesce(l.lifts, 0) AS lifts, coalesce(l.weighed, 0) AS weighed, l.net, coalesce(l.untagged, 0) AS untagged,
    coalesce(l.unstable, 0) AS unstable, coalesce(p.positions, 0) AS positions, p.top_v,
    f.total_to - f.total_from AS fuel_l, f.level_low, e.dist_to - e.dist_from AS distance_m, e.hours_to - e.hours_from AS engine_h
FROM telemetry.lift_{period} AS l
FULL JOIN telemetry.position_{period} AS p USING (bucket, edge)
FULL JOIN telemetry.fuel_{period} AS f USING (bucket, edge)
FULL JOIN telemetry.engine_{period} AS e USING (bucket, edge);
"""


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run(VIEWS)
    run(SUMMED.format(period="hourly", extra=""))
    run(SUMMED.format(period="daily", extra="telemetry.service_day(bucket) AS day,"))


def downgrade() -> None:
    raise NotImplementedError("telemetry is not thrown away by a downgrade: restore a backup instead")
