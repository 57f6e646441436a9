"""How long each gap is open, and the alarms that the store itself raises."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE telemetry.open_gap (
    epoch int NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    since timestamptz NOT NULL,
    idle timestamptz NOT NULL,
    PRIMARY KEY (epoch, first)
);
COMMENT ON TABLE telemetry.open_gap IS
    'Missing ranges as the last round of upkeep found them: since when, and since when nothing of it came while the edge was connected.';

CREATE TABLE telemetry.store_alarm (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    edge text NOT NULL,
    epoch int NOT NULL,
    t timestamptz NOT NULL,
    code text NOT NULL,
    active boolean NOT NULL,
    severity text NOT NULL,
    info text NOT NULL
);
CREATE INDEX ON telemetry.store_alarm (t);
COMMENT ON TABLE telemetry.store_alarm IS 'Alarms about an edge that the store found, and no record of the edge tells.';
"""

VIEWS = """
CREATE OR REPLACE VIEW telemetry.v_alarm AS
SELECT edge, epoch, s, t, tq, late, marks, code, active, device, severity, info, rx FROM telemetry.alarm
UNION ALL
SELECT edge, epoch, 0, t, 'ntp', false, NULL, code, active, NULL, severity, info, t FROM telemetry.store_alarm;

CREATE OR REPLACE VIEW telemetry.v_missing AS
SELECT l.edge, l.ep, l.epoch, lower(r) AS first, upper(r) - 1 AS last, upper(r) - lower(r) AS n, l.last_seen,
    (SELECT min(g.since) FROM telemetry.open_gap AS g WHERE g.epoch = l.epoch AND int8range(g.first, g.last, '[]') && r) AS since,
    coalesce(l.ep = e.ep, true) AS present
FROM telemetry.v_ledger AS l LEFT JOIN telemetry.edge AS e USING (edge), unnest(l.missing_ranges) AS r;
"""


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run(TABLES)
    run(VIEWS)


def downgrade() -> None:
    raise NotImplementedError("telemetry is not thrown away by a downgrade: restore a backup instead")
