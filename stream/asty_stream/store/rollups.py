"""Keeps the hourly and daily rollups: on native tables by computing touched hours anew, with TimescaleDB by a refresh."""

from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection, sql

ROLLED_UP = ("lift", "position", "fuel", "engine")
HOUR = timedelta(hours=1)
LONGEST_DAY = timedelta(hours=25)


async def refresh_tables(connection: AsyncConnection[Any]) -> None:
    """Compute the touched hours and the days they belong to anew, in one transaction."""
    async with connection.transaction():
        cursor = await connection.execute(
            """
            WITH due AS (DELETE FROM telemetry.rollup_due RETURNING record, hour)
            SELECT DISTINCT record, hour,
                public.time_bucket(interval '1 day', hour, 'Europe/Athens', "offset" => interval '5 hours') FROM due
            """
        )
        due: list[tuple[str, datetime, datetime]] = await cursor.fetchall()
        for record, hour in sorted({(record, hour) for record, hour, _ in due}):
            await _compute(connection, f"{record}_hourly", hour, hour + HOUR)
        for record, day in sorted({(record, day) for record, _, day in due}):
            await _compute(connection, f"{record}_daily", day, day + LONGEST_DAY)


async def _compute(connection: AsyncConnection[Any], name: str, low: datetime, high: datetime) -> None:
    """Replace the rows of one bucket; a longer stretch is narrowed to the bucket that begins at its start."""
    words = {"table": sql.Identifier(name), "compute": sql.Identifier(f"{name}_of")}
    await connection.execute(sql.SQL("DELETE FROM telemetry.{table} WHERE bucket = %s").format(**words), [low])
    insert = sql.SQL("INSERT INTO telemetry.{table} SELECT * FROM telemetry.{compute}(%s, %s) WHERE bucket = %s")
    await connection.execute(insert.format(**words), [low, high, low])


async def refresh_continuous(connection: AsyncConnection[Any]) -> None:
    """Refresh the continuous aggregates where records changed, hours before days; needs a connection outside of a transaction."""
    for period in ("hourly", "daily"):
        for record in ROLLED_UP:
            await connection.execute("CALL public.refresh_continuous_aggregate(%s::regclass, NULL, NULL)", [f"telemetry.{record}_{period}"])
    await connection.execute("DELETE FROM telemetry.rollup_due")
