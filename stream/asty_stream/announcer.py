"""Tells Kafka what was written down with the records: alerts, town events and plan triggers, each at least once."""

import asyncio
import logging

import psycopg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from asty_stream.store.keeper import connect

log = logging.getLogger(__name__)

LOCK = 0x61737479_0004
"""Advisory lock held while announcing, so that two workers do not change the order of a key."""
AT_ONCE = 500
LOOK_AGAIN_SECONDS = 30.0


class Announcer:
    """Moves rows of telemetry.announcement to their topics; `wake()` after a commit that wrote some."""

    def __init__(self, dsn: str, bootstrap: str) -> None:
        self._dsn = dsn
        self._bootstrap = bootstrap
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Say that there is something to announce."""
        self._wake.set()

    async def run(self) -> None:
        """Announce until cancelled; what could not be announced stays written down."""
        while True:
            try:
                producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all", request_timeout_ms=10_000)
                try:
                    await producer.start()
                    await self._announce_for_ever(producer)
                finally:
                    await producer.stop()
            except (KafkaError, psycopg.Error, OSError) as error:
                log.warning(
                    "alerts, town events and plan triggers wait in telemetry.announcement (%s); trying again", error or type(error).__name__
                )
            await asyncio.sleep(1)

    async def _announce_for_ever(self, producer: AIOKafkaProducer) -> None:
        async with await connect(self._dsn) as connection:
            while True:
                self._wake.clear()
                while await announce(connection, producer):
                    pass
                try:
                    await asyncio.wait_for(self._wake.wait(), LOOK_AGAIN_SECONDS)
                except TimeoutError:
                    continue


async def announce(connection: psycopg.AsyncConnection[tuple[object, ...]], producer: AIOKafkaProducer) -> int:
    """Announce what is written down, oldest first; returns how many. Raises psycopg.Error, KafkaError."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor = await connection.execute("SELECT id, topic, key, value FROM telemetry.announcement ORDER BY id LIMIT %s", [AT_ONCE])
        rows = await cursor.fetchall()
        deliveries = [await producer.send(str(topic), value, key=str(key).encode()) for _, topic, key, value in rows]
        await asyncio.gather(*deliveries)
        await connection.execute("DELETE FROM telemetry.announcement WHERE id = ANY(%s)", [[row[0] for row in rows]])
    return len(rows)
