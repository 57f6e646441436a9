"""Does work on the database until it is done: tries again while the database is away, divides a batch whose data it refuses."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import AsyncConnection

log = logging.getLogger(__name__)

_DATA = frozenset({"21", "22", "23", "54"})
"""SQLSTATE classes that say that the data, not the database, is at fault: cardinality, data, constraint, program limit."""
_OPERATOR = frozenset({"28", "3D", "3F", "42"})
"""Classes that need a person: wrong password, no such database or schema, a table that is not migrated or not granted."""
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


def now_ms() -> int:
    """Return the time, UTC ms."""
    return int(datetime.now(UTC).timestamp() * 1000)


async def connect(dsn: str) -> AsyncConnection[Any]:
    """Open a connection that notices a dead server and waits for nothing for ever. Raises psycopg.OperationalError."""
    return await AsyncConnection.connect(
        dsn,
        autocommit=True,
        connect_timeout=5,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        options="-c lock_timeout=30s -c idle_in_transaction_session_timeout=60s",
        application_name="asty-stream",
    )


class Keeper[M, R]:
    """Does one kind of work, batch after batch, on a connection of its own.

    `work` does a batch in the database, at most once in effect. `divide` cuts a batch whose data was refused into smaller ones,
    and sets a single message aside; it returns nothing when nothing is left to set aside.
    """

    def __init__(
        self,
        dsn: str,
        work: Callable[[AsyncConnection[Any], Sequence[M]], Awaitable[R]],
        divide: Callable[[Sequence[M], Exception], list[Sequence[M]]],
    ) -> None:
        self._dsn = dsn
        self._work = work
        self._divide = divide
        self._connection: AsyncConnection[Any] | None = None
        self.waiting_since: float | None = None
        """Since when (monotonic s) the database is known to be away."""

    async def keep(self, messages: Sequence[M]) -> list[R]:
        """Return the results, in order, when every message is done. Raises nothing but CancelledError."""
        pause = FIRST_PAUSE
        while True:
            try:
                result = await self._work(await self._connected(), messages)
            except (psycopg.Error, OSError) as error:
                fault: Exception = error
                parts = self._divide(messages, error) if _is_data(error) else []
            except Exception as error:
                log.exception("a batch of %d messages failed: looking for the one at fault", len(messages))
                fault = error
                parts = self._divide(messages, error)
            else:
                self.waiting_since = None
                return [result]
            if parts:
                return [result for part in parts for result in await self.keep(part)]
            await self._lost(fault)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _connected(self) -> AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await connect(self._dsn)
        return self._connection

    async def _lost(self, error: Exception) -> None:
        if self.waiting_since is None:
            self.waiting_since = time.monotonic()
        state = getattr(error, "sqlstate", None) or ""
        if state[:2] in _OPERATOR:
            log.error(
                "the database refuses: %s; messages are kept in Kafka. Run `asty-stream migrate`, check the DSN and the grants", error
            )
        else:
            log.warning("the database is away (%s); messages are kept in Kafka, trying again", str(error).strip() or type(error).__name__)
        await self.close()


def halves[M](messages: Sequence[M]) -> list[Sequence[M]]:
    """Cut a batch of two or more in two."""
    middle = len(messages) // 2
    return [messages[:middle], messages[middle:]]


def _is_data(error: Exception) -> bool:
    state = getattr(error, "sqlstate", None)
    return state[:2] in _DATA if state else isinstance(error, psycopg.DataError)
