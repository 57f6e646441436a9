"""The record tables, one per kind, and what is folded from them.

With TimescaleDB they are hypertables; without it, range partitions on time with a default partition for strays.
"""

from alembic import op

from asty_stream.engine import timescale_is_installed

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PREFIX = """
    t timestamptz NOT NULL,
    edge text NOT NULL,
    epoch int NOT NULL,
    s bigint NOT NULL,
    tq text NOT NULL DEFAULT 'none',
    late boolean NOT NULL DEFAULT false,
    marks text[],
    rx timestamptz NOT NULL,
"""

RECORDS = {
    "position": "lat float8, lon float8, v float8, course float8, alt float8, sats bigint, hdop float8, fix text",
    "lift": """
        cycle bigint, started timestamptz, ended timestamptz, tag text, std text, others text[], gross float8, tare float8, net float8,
        stable boolean, lat float8, lon float8, fix text, fix_age bigint, flags text[], prev text, hash text
    """,
    "bin_seen": "tag text, std text, lat float8, lon float8",
    "weight": "kg float8, net boolean",
    "fuel": "level float8, litres float8, rate float8, total float8, ignition text, pto text, src text",
    "engine": "rpm float8, v float8, dist float8, hours float8",
    "ppe": "vest text, worn text, battery float8, seen timestamptz",
    "alarm": "code text, active boolean, device text, severity text, info text",
    "gap": "ranges int8multirange, n bigint, kind text, why text",
    "health": "up bigint, head bigint, acked bigint, held bigint, bytes bigint, rss bigint, disk bigint, devices jsonb",
    "driver": "act text, bin text, reason text, photo text, note text",
    "other": "kind text, record jsonb, why text",
}

KEPT_DAYS = {
    "position": 90, "ppe": 90, "health": 90, "bin_seen": 400, "weight": 400, "fuel": 400, "engine": 400, "other": 400,
    "lift": 1830, "alarm": 1830, "gap": 1830, "driver": 1830,
}  # fmt: skip

TABLES = """
CREATE TABLE telemetry.retention (record text PRIMARY KEY, keep interval NOT NULL CHECK (keep >= interval '62 days'));
COMMENT ON TABLE telemetry.retention IS
    'How long each kind is kept; an operator may change it. Not below 62 days: an edge may deliver what is 60 days old.';

CREATE TABLE telemetry.ledger (
    epoch int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org text NOT NULL,
    edge text NOT NULL,
    ep uuid NOT NULL UNIQUE,
    stored int8multirange NOT NULL DEFAULT '{}',
    thinned int8multirange NOT NULL DEFAULT '{}',
    head bigint NOT NULL DEFAULT 0,
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_seen timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE INDEX ON telemetry.ledger (edge, last_seen);

CREATE TABLE telemetry.tally (
    epoch int NOT NULL REFERENCES telemetry.ledger,
    day date NOT NULL,
    shift text NOT NULL,
    stored bigint NOT NULL,
    late bigint NOT NULL,
    highest bigint NOT NULL,
    PRIMARY KEY (epoch, day, shift)
) WITH (fillfactor = 70);

CREATE TABLE telemetry.edge (
    edge text PRIMARY KEY,
    org text NOT NULL,
    kind text,
    software text,
    config text,
    birth jsonb,
    born timestamptz,
    ep uuid,
    session uuid,
    n bigint,
    up boolean,
    state_at timestamptz,
    last_record timestamptz,
    last_seen timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

CREATE TABLE telemetry.bin_state (
    tag text PRIMARY KEY,
    t timestamptz NOT NULL,
    edge text NOT NULL,
    lift_epoch int NOT NULL,
    lift_s bigint NOT NULL,
    gross float8, tare float8, net float8,
    lat float8, lon float8,
    flags text[],
    lifts bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE telemetry.alarm_state (
    edge text NOT NULL,
    code text NOT NULL,
    device text NOT NULL,
    active boolean NOT NULL,
    since timestamptz NOT NULL,
    t timestamptz NOT NULL,
    alarm_epoch int NOT NULL,
    alarm_s bigint NOT NULL,
    severity text NOT NULL,
    info text NOT NULL,
    PRIMARY KEY (edge, code, device)
) WITH (fillfactor = 70);

CREATE TABLE telemetry.refused (
    digest bytea PRIMARY KEY,
    source text NOT NULL,
    edge text,
    topic text,
    reason text NOT NULL,
    detail text NOT NULL,
    size bigint NOT NULL,
    payload bytea NOT NULL,
    times bigint NOT NULL DEFAULT 1,
    first_rx timestamptz NOT NULL,
    last_rx timestamptz NOT NULL
);
CREATE INDEX ON telemetry.refused (last_rx);

CREATE TABLE telemetry.announcement (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    value bytea NOT NULL
);
COMMENT ON TABLE telemetry.announcement IS
    'Alerts and town events that Kafka does not have yet: written with the records, removed when delivered.';
"""

FUNCTIONS = """
CREATE FUNCTION telemetry.service_day(t timestamptz) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((t AT TIME ZONE 'Europe/Athens') - interval '5 hours')::date;
COMMENT ON FUNCTION telemetry.service_day IS
    'The local day to which a time belongs: it runs from 05:00 to 05:00, so that a night shift is one.';

CREATE FUNCTION telemetry.shift_of(t timestamptz) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN extract(hour FROM t AT TIME ZONE 'Europe/Athens') BETWEEN 5 AND 12 THEN 'morning'
    WHEN extract(hour FROM t AT TIME ZONE 'Europe/Athens') BETWEEN 13 AND 20 THEN 'afternoon'
    ELSE 'night' END;
COMMENT ON FUNCTION telemetry.shift_of IS 'morning (πρωινή) 05-13, afternoon (απογευματινή) 13-21, night (βραδινή) 21-05, local time.';

CREATE FUNCTION telemetry.span(m int8multirange) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(sum(upper(r) - lower(r)), 0)::bigint FROM unnest(m) AS r);
COMMENT ON FUNCTION telemetry.span IS 'How many sequences a multirange holds.';
"""

TIME_BUCKET = """
CREATE OR REPLACE FUNCTION public.time_bucket(bucket_width interval, ts timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_bin(bucket_width, ts, timestamptz '2000-01-03 00:00:00+00');

CREATE OR REPLACE FUNCTION public.time_bucket(
    bucket_width interval, ts timestamptz, timezone text, origin timestamptz DEFAULT NULL, "offset" interval DEFAULT NULL
) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    date_bin(
        bucket_width,
        (ts AT TIME ZONE timezone) - coalesce("offset", interval '0'),
        coalesce(origin AT TIME ZONE timezone, timestamp '2000-01-03 00:00:00')
    ) + coalesce("offset", interval '0')
) AT TIME ZONE timezone;
"""


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    timescale = timescale_is_installed(op.get_bind())
    for name, columns in RECORDS.items():
        create = f"CREATE TABLE telemetry.{name} ({PREFIX} {columns})"
        if timescale:
            run(create)
            run(
                f"SELECT public.create_hypertable('telemetry.{name}', 't', chunk_time_interval => interval '7 days',"
                " create_default_indexes => false)"
            )
            run(
                f"ALTER TABLE telemetry.{name} SET (timescaledb.compress, timescaledb.compress_segmentby = 'edge',"
                " timescaledb.compress_orderby = 't DESC')"
            )
        else:
            run(f"{create} PARTITION BY RANGE (t)")
            run(f"CREATE TABLE telemetry.{name}_default PARTITION OF telemetry.{name} DEFAULT")
        run(f"CREATE INDEX {name}_edge_t ON telemetry.{name} (edge, t DESC)")
    run("CREATE INDEX lift_tag_t ON telemetry.lift (tag, t DESC)")
    run("CREATE INDEX lift_t ON telemetry.lift (t DESC)")
    if not timescale:
        run(TIME_BUCKET)
    run(TABLES)
    run(FUNCTIONS)
    for record, days in KEPT_DAYS.items():
        run(f"INSERT INTO telemetry.retention VALUES ('{record}', interval '{days} days')")  # noqa: S608


def downgrade() -> None:
    raise NotImplementedError("telemetry is not thrown away by a downgrade: restore a backup instead")
