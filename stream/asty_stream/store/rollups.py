"""Keeps the hourly rollups: native tables by computing touched hours anew, TimescaleDB by a refresh. Days are views over the hours."""

from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection, sql

ROLLED_UP = ("lift", "position", "fuel", "engine")


async def refresh_tables(connection: AsyncConnection[Any]) -> None:
    """Compute the touched hours anew, in one transaction."""
    async with connection.transaction():
        cursor = await connection.execute("DELETE FROM telemetry.rollup_due RETURNING record, hour")
        due: set[tuple[str, datetime]] = set(await cursor.fetchall())
        for record, hour in sorted(due):
            words = {"table": sql.Identifier(f"{record}_hourly"), "compute": sql.Identifier(f"{record}_hourly_of")}
            await connection.execute(sql.SQL("DELETE FROM telemetry.{table} WHERE bucket = %s").format(**words), [hour])
            insert = sql.SQL("INSERT INTO telemetry.{table} SELECT * FROM telemetry.{compute}(%s, %s)").format(**words)
            await connection.execute(insert, [hour, hour + timedelta(hours=1)])


async def refresh_continuous(connection: AsyncConnection[Any]) -> None:
    """Refresh the continuous aggregates where records changed; needs a connection outside of a transaction."""
    for record in ROLLED_UP:
        await connection.execute("CALL public.refresh_continuous_aggregate(%s::regclass, NULL, NULL)", [f"telemetry.{record}_hourly"])
    await connection.execute("DELETE FROM telemetry.rollup_due")
