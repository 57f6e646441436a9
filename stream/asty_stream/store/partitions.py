"""Native partitions, one a week per record table, made before they are needed. With TimescaleDB there is nothing to do."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from psycopg import AsyncConnection, sql

from asty_stream.engine import engine_of
from asty_stream.incoming import Received, Unreadable
from asty_stream.packed import Ints, Packed
from asty_stream.rules.timing import BEHIND, DAY
from asty_stream.store.tables import TABLES

WEEK = 7 * DAY
_MONDAY = 4 * DAY  # 1970-01-05
AHEAD = 2 * DAY
LOCK = 0x61737479_0002
"""Advisory lock held while a partition is made."""


def week_of[T: (int, Ints)](t: T) -> T:
    """Return the number of a time's week (UTC ms, weeks begin on Monday, UTC)."""
    return (t - _MONDAY) // WEEK


def weeks_of(messages: Iterable[Packed | Received | Unreadable], now: int) -> set[int]:
    """Return the weeks for which these packs need partitions: from 60 days ago to 2 days ahead. Strays go to the default partition."""
    weeks: set[int] = set()
    for message in messages:
        if isinstance(message, Packed):
            for times in message.times():
                weeks |= _weeks_between(int(times.min()), int(times.max())) or set(np.unique(week_of(times)).tolist())
        elif isinstance(message, Received) and message.items:
            stamps = [item.t for item in message.items]
            weeks |= _weeks_between(min(stamps), max(stamps)) or {week_of(t) for t in stamps}
    return {week for week in weeks if week_of(now - BEHIND) <= week <= week_of(now + AHEAD)}


def _weeks_between(first: int, last: int) -> set[int]:
    """Return the weeks of two times that are less than a week apart; none of others."""
    return {week_of(first), week_of(last)} if last - first < WEEK else set()


class Partitions:
    """Remembers which weeks stand, so that a batch rarely has to ask."""

    def __init__(self) -> None:
        self._standing: set[int] = set()

    async def ensure(self, connection: AsyncConnection[Any], weeks: set[int]) -> None:
        """Make the missing partitions of these weeks, each in a transaction of its own; needs a connection outside of one."""
        for week in sorted(weeks - self._standing):
            if await engine_of(connection) == "native":
                for table in sorted(table.name for table in TABLES.values()):
                    await _ensure(connection, table, week)
            self._standing.add(week)


async def _ensure(connection: AsyncConnection[Any], table: str, week: int) -> None:
    """Make one partition; what strayed into the default one moves over."""
    low = datetime.fromtimestamp((week * WEEK + _MONDAY) / 1000, UTC)
    high = low + timedelta(days=7)
    name = f"{table}_{low:%Y%m%d}"
    if await _stands(connection, name):
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if await _stands(connection, name):
            return
        words = {"table": sql.Identifier(table), "new": sql.Identifier(name), "default": sql.Identifier(f"{table}_default"),
                 "low": sql.Literal(low.isoformat()), "high": sql.Literal(high.isoformat())}  # fmt: skip
        for statement in _STATEMENTS:
            await connection.execute(statement.format(**words))


_STATEMENTS = tuple(
    sql.SQL(text)
    for text in (
        "LOCK TABLE telemetry.{table} IN SHARE UPDATE EXCLUSIVE MODE",
        "LOCK TABLE telemetry.{default} IN ACCESS EXCLUSIVE MODE",
        "CREATE TABLE telemetry.{new} (LIKE telemetry.{table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        """WITH moved AS (DELETE FROM telemetry.{default} WHERE t >= {low} AND t < {high} RETURNING *)
           INSERT INTO telemetry.{new} SELECT * FROM moved""",
        "ALTER TABLE telemetry.{table} ATTACH PARTITION telemetry.{new} FOR VALUES FROM ({low}) TO ({high})",
    )
)


async def _stands(connection: AsyncConnection[Any], name: str) -> bool:
    cursor = await connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f"telemetry.{name}"])
    return await cursor.fetchone() == (True,)
