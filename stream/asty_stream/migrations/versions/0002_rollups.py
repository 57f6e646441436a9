"""Hourly and daily rollups: continuous aggregates with TimescaleDB, else tables of the same names that `maintain` refreshes.

Records whose time can't be right (marked future or past) are left out. A day is a service day: 05:00 to 05:00 in Athens.
"""

from alembic import op

from asty_stream.engine import timescale_is_installed

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Column = tuple[str, str, str]
"""Name, type, how it is computed."""

HOURLY: dict[str, list[Column]] = {
    "lift": [
        ("lifts", "bigint", "count(*)"),
        ("weighed", "bigint", "count(net)"),
        ("net", "float8", "sum(net)"),
        ("untagged", "bigint", "count(*) FILTER (WHERE tag IS NULL)"),
        ("unstable", "bigint", "count(*) FILTER (WHERE NOT stable)"),
    ],
    "position": [("positions", "bigint", "count(*)"), ("top_v", "float8", "max(v)")],
    "fuel": [("total_from", "float8", "min(total)"), ("total_to", "float8", "max(total)"), ("level_low", "float8", "min(level)")],
    "engine": [
        ("dist_from", "float8", "min(dist)"),
        ("dist_to", "float8", "max(dist)"),
        ("hours_from", "float8", "min(hours)"),
        ("hours_to", "float8", "max(hours)"),
    ],
}
DAILY: dict[str, list[Column]] = {
    "lift": [(name, type_, f"sum({name})") for name, type_, _ in HOURLY["lift"]],
    "position": [("positions", "bigint", "sum(positions)"), ("top_v", "float8", "max(top_v)")],
    "fuel": [
        ("total_from", "float8", "min(total_from)"),
        ("total_to", "float8", "max(total_to)"),
        ("level_low", "float8", "min(level_low)"),
    ],
    "engine": [(name, type_, f"{'min' if name.endswith('from') else 'max'}({name})") for name, type_, _ in HOURLY["engine"]],
}
HOUR = "public.time_bucket(interval '1 hour', t)"
DAY = "public.time_bucket(interval '1 day', bucket, 'Europe/Athens', \"offset\" => interval '5 hours')"


def upgrade() -> None:
    make = _continuous if timescale_is_installed(op.get_bind()) else _refreshed
    for record in HOURLY:
        make(f"{record}_hourly", HOURLY[record], record, HOUR, "t", "(marks IS NULL OR NOT marks && '{future,past}')")
        make(f"{record}_daily", DAILY[record], f"{record}_hourly", DAY, "bucket", "true")
    op.get_bind().exec_driver_sql("CREATE TABLE telemetry.rollup_due (record text NOT NULL, hour timestamptz NOT NULL)")


def _continuous(name: str, columns: list[Column], source: str, bucket: str, _time: str, where: str) -> None:
    computed = ", ".join(f"{expression}::{type_} AS {column}" for column, type_, expression in columns)
    op.get_bind().exec_driver_sql(f"""
        CREATE MATERIALIZED VIEW telemetry.{name} WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
        SELECT {bucket} AS bucket, edge, {computed} FROM telemetry.{source} WHERE {where} GROUP BY 1, 2 WITH NO DATA
    """)  # noqa: S608


def _refreshed(name: str, columns: list[Column], source: str, bucket: str, time: str, where: str) -> None:
    """A table, and a function that computes its rows anew for a stretch of time."""
    typed = ", ".join(f"{column} {type_}" for column, type_, _ in columns)
    computed = ", ".join(f"{expression}::{type_}" for _, type_, expression in columns)
    op.get_bind().exec_driver_sql(f"CREATE TABLE telemetry.{name} (bucket timestamptz, edge text, {typed}, PRIMARY KEY (bucket, edge))")
    op.get_bind().exec_driver_sql(f"""
        CREATE FUNCTION telemetry.{name}_of(low timestamptz, high timestamptz) RETURNS SETOF telemetry.{name} LANGUAGE sql STABLE AS $$
            SELECT {bucket}, edge, {computed} FROM telemetry.{source} WHERE {time} >= low AND {time} < high AND {where} GROUP BY 1, 2
        $$
    """)  # noqa: S608


def downgrade() -> None:
    raise NotImplementedError("telemetry is not thrown away by a downgrade: restore a backup instead")
