"""Fill levels of bins: their table, the newest of each bin, and the views on both."""

from alembic import op

from asty_stream.engine import timescale_is_installed

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RECORDS = """
CREATE TABLE telemetry.level (
    t timestamptz NOT NULL,
    edge text NOT NULL,
    epoch int NOT NULL,
    s bigint NOT NULL,
    tq text NOT NULL DEFAULT 'none',
    late boolean NOT NULL DEFAULT false,
    marks text[],
    rx timestamptz NOT NULL,
    bin text, sensor text, level float8, dist float8, full_at float8, battery float8, tilt text, rssi float8, n bigint
)
"""

TABLES = """
CREATE TABLE telemetry.bin_level (
    tag text PRIMARY KEY,
    t timestamptz NOT NULL,
    edge text NOT NULL,
    level_epoch int NOT NULL,
    level_s bigint NOT NULL,
    sensor text NOT NULL,
    level float8, dist float8, full_at float8, battery float8, tilt text, rssi float8,
    over boolean NOT NULL,
    asked date
) WITH (fillfactor = 70);
COMMENT ON TABLE telemetry.bin_level IS
    'The newest reading of each bin, whether it is over its limit, and the service day on which the planner was last told so.';
"""

VIEWS = """
CREATE VIEW telemetry.v_level AS
SELECT edge, epoch, s, t, tq, late, marks, bin, sensor, level, dist, full_at, battery, tilt, rssi, n, telemetry.service_day(t) AS day, rx
FROM telemetry.level;

CREATE VIEW telemetry.v_bin_level AS
SELECT tag, t, edge, sensor, level, dist, full_at, battery, tilt, rssi, over, asked FROM telemetry.bin_level;
"""


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    if timescale_is_installed(op.get_bind()):
        run(RECORDS)
        run(
            "SELECT public.create_hypertable('telemetry.level', 't', chunk_time_interval => interval '7 days',"
            " create_default_indexes => false)"
        )
        run(
            "ALTER TABLE telemetry.level SET (timescaledb.compress, timescaledb.compress_segmentby = 'edge',"
            " timescaledb.compress_orderby = 't DESC')"
        )
    else:
        run(f"{RECORDS} PARTITION BY RANGE (t)")
        run("CREATE TABLE telemetry.level_default PARTITION OF telemetry.level DEFAULT")
    run("INSERT INTO telemetry.retention VALUES ('level', interval '400 days')")
    run("CREATE INDEX level_edge_t ON telemetry.level (edge, t DESC)")
    run("CREATE INDEX level_bin_t ON telemetry.level (bin, t DESC)")
    run(TABLES)
    run(VIEWS)


def downgrade() -> None:
    raise NotImplementedError("telemetry is not thrown away by a downgrade: restore a backup instead")
