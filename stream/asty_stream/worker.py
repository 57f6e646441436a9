"""The worker: a thin Faust app. It takes packs, has them stored, and only then lets Kafka forget them and the edges hear of it."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import faust
import psycopg
from aiokafka.errors import KafkaError
from asty_contracts.topics import BACKLOG, EDGE_LIFE, REFUSED, TELEMETRY, KafkaTopic

from asty_stream import kafka
from asty_stream.acks import AckSender
from asty_stream.announcer import Announcer
from asty_stream.incoming import read
from asty_stream.settings import Settings
from asty_stream.store import life
from asty_stream.store.keeper import Keeper, connect, now_ms
from asty_stream.store.ledger import recent_acks
from asty_stream.store.maintain import maintain
from asty_stream.store.telemetry import telemetry_keeper
from asty_stream.watchdog import Watchdog

log = logging.getLogger(__name__)

STOP_SECONDS = 3.0
MAINTAIN_SECONDS = 60.0
LOOK_SECONDS = 5.0
EXIT_STALLED = 3


def run(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT; returns the exit code: 0, or 3 when the worker stalled and wants to be started again."""
    return asyncio.run(Worker(settings).work())


class Worker:
    """The parts of one worker process and their beginning and end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._acks = AckSender(settings.org, settings.mqtt)
        self._announcer = Announcer(settings.database_dsn, settings.kafka_bootstrap)
        self._keepers: list[Keeper[Any, Any]] = []
        self._stop = asyncio.Event()
        self._exit = 0

    async def work(self) -> int:
        """Start everything, wait for the end, stop within five seconds whatever is away. What was not committed comes again."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        parts = [
            asyncio.ensure_future(part) for part in (self._acks.run(), self._announcer.run(), self._maintain(), self._take_and_watch())
        ]
        stop = asyncio.ensure_future(self._stop.wait())
        done, _ = await asyncio.wait({stop, *parts}, return_when=asyncio.FIRST_COMPLETED)
        for part in done - {stop}:
            log.error("a part of the worker ended, so the worker does: %r", part.exception())
            self._exit = 1
        log.info("stopping")
        for part in parts:
            part.cancel()
        await asyncio.wait(parts, timeout=STOP_SECONDS)
        return self._exit

    async def _take_and_watch(self) -> None:
        await self._ensure_topics()
        app = self._app()
        await self._greet()
        starting = asyncio.ensure_future(app.start())
        try:
            await self._watch()
        finally:
            starting.cancel()
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(app.stop(), STOP_SECONDS)
            for keeper in self._keepers:
                with suppress(psycopg.Error, OSError):
                    await keeper.close()

    async def _ensure_topics(self) -> None:
        pause = 0.2
        while True:
            try:
                if created := await kafka.ensure_topics(self._settings.kafka_bootstrap, self._settings.kafka_replication):
                    log.info("created Kafka topics %s", ", ".join(created))
            except (KafkaError, OSError) as error:
                log.warning("Kafka is away (%s); trying again", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LOOK_SECONDS)
            else:
                return

    def _app(self) -> faust.App:
        it = self._settings
        app = faust.App(
            it.group,
            broker=[f"kafka://{address.strip()}" for address in it.kafka_bootstrap.split(",")],
            store="memory://",
            key_serializer="raw",
            value_serializer="raw",
            topic_replication_factor=it.kafka_replication,
            topic_disable_leader=True,
            topic_allow_declare=False,
            broker_session_timeout=6,
            broker_heartbeat_interval=1,
            broker_commit_interval=1.0,
            consumer_auto_offset_reset="earliest",
            stream_wait_empty=False,
            table_standby_replicas=0,
            web_enabled=False,
            worker_redirect_stdouts=False,
        )
        self._agent(app, TELEMETRY, self._telemetry())
        self._agent(app, BACKLOG, self._telemetry())
        self._agent(app, EDGE_LIFE, self._life())
        self._agent(app, REFUSED, self._refused())
        return app

    def _agent(self, app: faust.App, topic: KafkaTopic, handle: Callable[[Sequence[bytes]], Awaitable[None]]) -> None:
        """Take a topic's messages in batches. Nothing is raised in the loop: Faust would commit the batch as done."""

        async def take(stream: Any) -> None:
            batches: AsyncIterable[Sequence[bytes | None]] = stream.take(self._settings.batch_packs, within=self._settings.batch_seconds)
            async for batch in batches:
                await handle([value for value in batch if value is not None])

        app.agent(app.topic(topic.name, value_serializer="raw", key_serializer="raw"), name=f"take-{topic.name}")(take)

    def _telemetry(self) -> Callable[[Sequence[bytes]], Awaitable[None]]:
        keeper = telemetry_keeper(self._settings.database_dsn, self._settings.org)
        self._keepers.append(keeper)

        async def handle(values: Sequence[bytes]) -> None:
            for outcome in await keeper.keep([read(value) for value in values]):
                self._acks.put(outcome.acks)
                if outcome.announced:
                    self._announcer.wake()

        return handle

    def _life(self) -> Callable[[Sequence[bytes]], Awaitable[None]]:
        async def work(connection: psycopg.AsyncConnection[Any], words: Sequence[life.Word]) -> Any:
            return await life.store_life(connection, words, org=self._settings.org, now=now_ms())

        keeper = Keeper(self._settings.database_dsn, work, life.divided)
        self._keepers.append(keeper)

        async def handle(values: Sequence[bytes]) -> None:
            for acks in await keeper.keep(values):
                self._acks.put(acks)

        return handle

    def _refused(self) -> Callable[[Sequence[bytes]], Awaitable[None]]:
        async def work(connection: psycopg.AsyncConnection[Any], words: Sequence[life.Word]) -> None:
            await life.store_refused(connection, words, now=now_ms())

        keeper = Keeper(self._settings.database_dsn, work, life.divided)
        self._keepers.append(keeper)

        async def handle(values: Sequence[bytes]) -> None:
            await keeper.keep(values)

        return handle

    async def _greet(self) -> None:
        """Acknowledge what earlier workers stored, for a broker that lost its retained messages meanwhile."""
        with suppress(psycopg.Error, OSError):
            async with await connect(self._settings.database_dsn) as connection:
                self._acks.put(await recent_acks(connection))

    async def _maintain(self) -> None:
        while True:
            try:
                await maintain(self._settings.database_dsn)
            except (psycopg.Error, OSError) as error:
                log.warning("upkeep waits: %s", str(error).strip())
            await asyncio.sleep(MAINTAIN_SECONDS)

    async def _watch(self) -> None:
        """Look after the topics, which a broker without a disk forgets, and after the worker's own progress."""
        watchdog = Watchdog(self._settings.stall_seconds)
        look = partial(kafka.progress, self._settings.kafka_bootstrap, self._settings.group)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._ensure_topics()
            try:
                progress = await look()
            except (KafkaError, OSError) as error:
                log.warning("Kafka does not say how far it is read: %s", error)
                continue
            away = any(keeper.waiting_since is not None for keeper in self._keepers)
            if watchdog.observe(time.monotonic(), progress, excused=away):
                log.error("%d messages wait in Kafka and none was taken for %.0f s: ending, to be started again", progress.waiting,
                          self._settings.stall_seconds)  # fmt: skip
                self._exit = EXIT_STALLED
                self._stop.set()
                return
