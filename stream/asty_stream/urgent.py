"""Takes alarms from their own topic, by a consumer of its own: whatever waits or stalls in the other lanes stands behind it, not before."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from asty_contracts.topics import URGENT

log = logging.getLogger(__name__)

FETCH_WAIT_MS = 20
"""Tansu answers a waiting fetch when about half of the wait is over (`transport`); one partition is asked for, so each costs little."""
MOST_MESSAGES = 16
"""Of one transaction: it is over soon, also for the alarm after it."""
LOOK_MS = 1000
PAUSE_SECONDS = 1.0

type Handle = Callable[[Sequence[bytes]], Awaitable[Callable[[], None]]]


def group_of(group: str) -> str:
    """Name the consumer group of this lane beside the worker's own: members of one group share all that the group takes."""
    return f"{group}-urgent"


class Urgent:
    """Has each batch stored, tells of it, and only then counts it as read."""

    def __init__(self, bootstrap: str, group: str, handle: Handle) -> None:
        self._bootstrap = bootstrap
        self._group = group_of(group)
        self._handle = handle

    async def run(self) -> None:
        """Take until cancelled; what was stored and not yet counted as read when Kafka went away comes again, and is known."""
        while True:
            consumer = AIOKafkaConsumer(
                URGENT.name,
                bootstrap_servers=self._bootstrap,
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=FETCH_WAIT_MS,
                session_timeout_ms=6000,
                heartbeat_interval_ms=1000,
                metadata_max_age_ms=30_000,
            )
            try:
                await consumer.start()
                await self._take_for_ever(consumer)
            except (KafkaError, OSError) as error:
                log.warning("Kafka does not give alarms (%s); trying again", error or type(error).__name__)
            finally:
                await consumer.stop()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _take_for_ever(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            batches = await consumer.getmany(timeout_ms=LOOK_MS, max_records=MOST_MESSAGES)
            for messages in batches.values():
                tell = await self._handle([it.value for it in messages if it.value is not None])
                tell()
            if batches:
                await consumer.commit()
