"""Rollups: hours are continuous aggregates with TimescaleDB, else tables that `maintain` refreshes; days are views on them.

Records whose time can't be right (marked future or past) are left out. A day is a service day: 05:00 to 05:00 in Athens. TimescaleDB 2.23
counts a day doubly, or not at all, in a continuous aggregate of days with a time zone and an offset; a view over its hours does not.
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
BELIEVED = "(marks IS NULL OR NOT marks && '{future,past}')"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    make_hourly = _continuous if timescale_is_installed(op.get_bind()) else _refreshed
    for record in HOURLY:
        make_hourly(record)
        daily = ", ".join(f"{expression}::{type_} AS {column}" for column, type_, expression in DAILY[record])
        run(
            f"CREATE VIEW telemetry.{record}_daily AS SELECT {DAY} AS bucket, edge, {daily}"  # noqa: S608
            f" FROM telemetry.{record}_hourly GROUP BY 1, 2"
        )
    run("CREATE TABLE telemetry.rollup_due (record text NOT NULL, hour timestamptz NOT NULL)")


def _continuous(record: str) -> None:
    computed = ", ".join(f"{expression}::{type_} AS {column}" for column, type_, expression in HOURLY[record])
    op.get_bind().exec_driver_sql(f"""
        CREATE MATERIALIZED VIEW telemetry.{record}_hourly WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
        SELECT {HOUR} AS bucket, edge, {computed} FROM telemetry.{record} WHERE {BELIEVED} GROUP BY 1, 2 WITH NO DATA
    """)  # noqa: S608


def _refreshed(record: str) -> None:
    """A table, and a function that computes its rows anew for a stretch of time."""
    typed = ", ".join(f"{column} {type_}" for column, type_, _ in HOURLY[record])
    computed = ", ".join(f"{expression}::{type_}" for _, type_, expression in HOURLY[record])
    name = f"telemetry.{record}_hourly"
    op.get_bind().exec_driver_sql(f"CREATE TABLE {name} (bucket timestamptz, edge text, {typed}, PRIMARY KEY (bucket, edge))")
    op.get_bind().exec_driver_sql(f"""
        CREATE FUNCTION {name}_of(low timestamptz, high timestamptz) RETURNS SETOF {name} LANGUAGE sql STABLE AS $$
            SELECT {HOUR}, edge, {computed} FROM telemetry.{record} WHERE t >= low AND t < high AND {BELIEVED} GROUP BY 1, 2
        $$
    """)  # noqa: S608


def downgrade() -> None:
    raise NotImplementedError("telemetry is not thrown away by a downgrade: restore a backup instead")
