"""One round of upkeep: gaps that stay open, partitions ahead, rollups, compression, retention. Only one process does it at a time."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import AsyncConnection, sql

from asty_stream.engine import engine_of
from asty_stream.rules.timing import DAY
from asty_stream.settings import GAP_MINUTES
from asty_stream.store import rollups
from asty_stream.store.gaps import watch_gaps
from asty_stream.store.keeper import connect, now_ms
from asty_stream.store.partitions import AHEAD, Partitions, week_of

log = logging.getLogger(__name__)

LOCK = 0x61737479_0003
"""Advisory lock held by the one that maintains."""
COMPRESS_AFTER = timedelta(days=21)
"""Later than an edge is ever offline (14 days), so that late records rarely meet compressed ones."""


async def maintain(dsn: str, gap_minutes: float = GAP_MINUTES) -> bool:
    """Do one round; false when another process is at it. A gap open for `gap_minutes` is an alarm. Raises psycopg.Error."""
    async with await connect(dsn) as connection:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if await cursor.fetchone() != (True,):
            return False
        now = now_ms()
        await watch_gaps(connection, minutes=gap_minutes, now=now)
        engine = await engine_of(connection)
        if engine == "native":
            await Partitions().ensure(connection, {week_of(now), week_of(now + AHEAD), week_of(now + AHEAD + 5 * DAY)})
            await rollups.refresh_tables(connection)
        else:
            await rollups.refresh_continuous(connection)
            await _compress(connection)
        await _forget(connection, native=engine == "native")
        await connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    return True


async def _compress(connection: AsyncConnection[Any]) -> None:
    """Compress chunks that no offline edge will still fill."""
    cursor = await connection.execute(
        """
        SELECT format('%%I.%%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks
        WHERE hypertable_schema = 'telemetry' AND NOT is_compressed AND range_end < now() - %s ORDER BY range_start
        """,
        [COMPRESS_AFTER],
    )
    for (chunk,) in await cursor.fetchall():
        await connection.execute("SELECT public.compress_chunk(%s::regclass, if_not_compressed => true)", [chunk])


async def _forget(connection: AsyncConnection[Any], *, native: bool) -> None:
    """Drop what is older than its kind is kept, and strays of an impossible future that were received so long ago."""
    cursor = await connection.execute("SELECT record, now() - keep FROM telemetry.retention ORDER BY record")
    for record, before in await cursor.fetchall():
        if native:
            await _drop_partitions(connection, record, before)
        else:
            await connection.execute(
                "SELECT public.drop_chunks(%s::regclass, older_than => %s::timestamptz)", [f"telemetry.{record}", before]
            )
        strays = sql.SQL("DELETE FROM telemetry.{} WHERE t > now() + interval '7 days' AND rx < %s").format(sql.Identifier(record))
        await connection.execute(strays, [before])
    await connection.execute("DELETE FROM telemetry.refused WHERE last_rx < now() - interval '400 days'")
    await connection.execute(
        "DELETE FROM telemetry.store_alarm WHERE t < now() - (SELECT keep FROM telemetry.retention WHERE record = 'alarm')"
    )


async def _drop_partitions(connection: AsyncConnection[Any], record: str, before: datetime) -> None:
    cursor = await connection.execute(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = %s::regclass ORDER BY relname",
        [f"telemetry.{record}"],
    )
    for (name,) in await cursor.fetchall():
        day = name.removeprefix(f"{record}_")
        if day != "default" and datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) + timedelta(days=7) <= before:
            log.info("dropping telemetry.%s: everything in it is older than %s is kept", name, record)
            await connection.execute(sql.SQL("DROP TABLE telemetry.{}").format(sql.Identifier(name)))
    await connection.execute(sql.SQL("DELETE FROM telemetry.{} WHERE t < %s").format(sql.Identifier(f"{record}_default")), [before])
