"""The worker: a thin Faust app. It takes packs, has them stored, and only then lets Kafka forget them and the edges hear of it."""

import asyncio
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import faust
import psycopg
from aiokafka.errors import KafkaError
from asty_contracts.topics import BACKLOG, EDGE_LIFE, REFUSED, TELEMETRY, URGENT, KafkaTopic

from asty_stream import kafka
from asty_stream.acks import AckSender
from asty_stream.announcer import Announcer
from asty_stream.incoming import takes
from asty_stream.precedence import Precedence
from asty_stream.settings import Settings
from asty_stream.store import life
from asty_stream.store.keeper import Keeper, connect, now_ms
from asty_stream.store.ledger import recent_acks
from asty_stream.store.maintain import maintain
from asty_stream.store.telemetry import telemetry_keeper
from asty_stream.store.transaction import Outcome
from asty_stream.transport import Transport
from asty_stream.urgent import Urgent, group_of
from asty_stream.watchdog import Watchdog

log = logging.getLogger(__name__)

STOP_SECONDS = 3.0
LEAVE_SECONDS = 4.0
MAINTAIN_SECONDS = 60.0
LOOK_SECONDS = 5.0
EXIT_STALLED = 3
STREAM_BUFFER = 64
"""Messages that Faust holds ready for each agent; a group of packs can be 256 KiB and more."""
HANDS = {TELEMETRY: 2, BACKLOG: 1, EDGE_LIFE: 1, REFUSED: 1}
"""Transactions at a time of each topic: while one waits for the database, the other is arranged. A backlog has time."""
BACKLOG_RECORDS = 2500
"""Of one transaction of the backlog: it is over soon when an alarm comes."""
SPACING_SECONDS = 0.04
"""Transactions that have little to do begin no sooner after one another: each costs some milliseconds, however little is in it."""
FEW = 16
"""With as many messages more there is enough to do, and no transaction waits."""
BATCH_BYTES = 512 * 1024
"""A batch that is as large takes no further message: about one transaction."""
COLLECT_EVERY = 20_000
"""New objects between two looks for cycles, which are few."""


type Tell = Callable[[], None]
"""Says what a batch brought about; called when the batch counts as read in Kafka."""
type Handle = Callable[[Sequence[bytes]], Awaitable[Tell]]
"""Has a batch stored; raises nothing."""


class WorkerCrashedError(Exception):
    """Nothing is taken any more: the process ends, to be started again by its supervisor."""


def run(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT; returns the exit code: 0, or 3 when the worker stalled and wants to be started again."""
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
    with TemporaryDirectory(prefix="asty-stream-") as scratch:
        return asyncio.run(Worker(settings, scratch).work())


class Worker:
    """The parts of one worker process and their beginning and end. `scratch` is a folder for what Faust insists on writing."""

    def __init__(self, settings: Settings, scratch: str) -> None:
        self._settings = settings
        self._scratch = scratch
        self._acks = AckSender(settings.org, settings.mqtt)
        self._announcer = Announcer(settings.database_dsn, settings.kafka_bootstrap)
        self._keepers: list[Keeper[Any, Any]] = []
        self._precedence = Precedence()
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
        self._leave_anyway()
        for part in parts:
            part.cancel()
        await asyncio.wait(parts, timeout=STOP_SECONDS)
        return self._exit

    def _leave_anyway(self) -> None:
        """End the process in time although Faust's threads wait for a silent Kafka: what is not committed comes again."""
        timer = threading.Timer(LEAVE_SECONDS, os._exit, [self._exit])
        timer.daemon = True
        timer.start()

    async def _take_and_watch(self) -> None:
        await self._ensure_topics()
        app = self._app()
        await self._greet()
        starting = asyncio.ensure_future(app.start())
        urgent = asyncio.ensure_future(Urgent(self._settings.kafka_bootstrap, self._settings.group, self._telemetry()).run())
        try:
            await self._watch(lambda: app.crashed or any(it.done() and it.exception() is not None for it in (starting, urgent)))
        finally:
            starting.cancel()
            urgent.cancel()
            await asyncio.wait({urgent}, timeout=1)  # it leaves its group, so that the next worker need not wait for a timeout
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
            datadir=self._scratch,
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
            stream_buffer_maxsize=STREAM_BUFFER,
            table_standby_replicas=0,
            web_enabled=False,
            worker_redirect_stdouts=False,
        )
        app.transport = Transport(app.conf.broker_consumer, app)
        self._agent(app, TELEMETRY, self._telemetry)
        self._agent(app, BACKLOG, self._backlog)
        self._agent(app, EDGE_LIFE, self._life)
        self._agent(app, REFUSED, self._refused)
        return app

    def _agent(self, app: faust.App, topic: KafkaTopic, handler: Callable[[], Handle]) -> None:
        """Take what waits of a topic, at once and without waiting for more; it counts as read in Kafka only after the database has it.

        Not `take()`: that one commits a batch also when the loop is left by an exception or by the end of the process.
        """
        hands = [handler() for _ in range(HANDS[topic])]

        async def take(stream: Any) -> None:
            stream.enable_acks = False
            async with asyncio.TaskGroup() as group:
                waiting: list[asyncio.Queue[Any]] = [asyncio.Queue(self._settings.batch_packs) for _ in hands]
                group.create_task(_pull(stream, waiting))
                for queue, handle in zip(waiting, hands, strict=True):
                    group.create_task(_store(stream, queue, handle))

        app.agent(app.topic(topic.name, value_serializer="raw", key_serializer="raw"), name=f"take-{topic.name}")(take)

    def _telemetry(self) -> Handle:
        keeper = self._keeper(telemetry_keeper(self._settings.database_dsn, self._settings.org, level_limit=self._settings.level_limit))

        async def handle(values: Sequence[bytes]) -> Tell:
            with self._precedence.live():
                outcomes = [outcome for take in takes(values) for outcome in await keeper.keep(take)]
            return partial(self._tell, outcomes)

        return handle

    def _backlog(self) -> Handle:
        keeper = self._keeper(telemetry_keeper(self._settings.database_dsn, self._settings.org))

        async def handle(values: Sequence[bytes]) -> Tell:
            outcomes: list[Outcome] = []
            for take in takes(values, BACKLOG_RECORDS):
                await self._precedence.give_way()
                outcomes += await keeper.keep(take)
            return partial(self._tell, outcomes)

        return handle

    def _tell(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._acks.put(outcome.acks)
            if outcome.announced:
                self._announcer.wake()

    def _life(self) -> Handle:
        work = partial(life.store_life, org=self._settings.org, clock=now_ms)
        keeper = self._keeper(Keeper(self._settings.database_dsn, work, life.divided))

        async def handle(values: Sequence[bytes]) -> Tell:
            born = [ack for acks in await keeper.keep(values) for ack in acks]
            return partial(self._acks.put, born)

        return handle

    def _refused(self) -> Handle:
        work = partial(life.store_refused, org=self._settings.org, clock=now_ms)
        keeper = self._keeper(Keeper(self._settings.database_dsn, work, life.divided))

        async def handle(values: Sequence[bytes]) -> Tell:
            refused = [ack for acks in await keeper.keep(values) for ack in acks]
            return partial(self._acks.put, refused)

        return handle

    def _keeper[M, R](self, keeper: Keeper[M, R]) -> Keeper[M, R]:
        self._keepers.append(keeper)
        return keeper

    async def _greet(self) -> None:
        """Acknowledge what earlier workers stored, for a broker that lost its retained messages meanwhile."""
        with suppress(psycopg.Error, OSError):
            async with await connect(self._settings.database_dsn) as connection:
                self._acks.put(await recent_acks(connection))

    async def _maintain(self) -> None:
        while True:
            try:
                if await maintain(self._settings.database_dsn, self._settings.gap_minutes):
                    self._announcer.wake()
            except (psycopg.Error, OSError) as error:
                log.warning("upkeep waits: %s", str(error).strip())
            await asyncio.sleep(MAINTAIN_SECONDS)

    async def _watch(self, has_crashed: Callable[[], bool]) -> None:
        """Look after the topics, which a broker without a disk forgets, and after the worker's own progress."""
        watchdog = Watchdog(self._settings.stall_seconds)
        it = self._settings
        groups = {it.group: (TELEMETRY, BACKLOG, EDGE_LIFE, REFUSED), group_of(it.group): (URGENT,)}
        look = partial(kafka.progress, it.kafka_bootstrap, groups)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if has_crashed():
                raise WorkerCrashedError("what takes from Kafka gave up; what it had not finished waits in Kafka")
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


async def _pull(stream: Any, waiting: Sequence[asyncio.Queue[Any]]) -> None:
    """Hand out what comes, by partition, so that it stays in order and no edge is in two hands."""
    async for event in stream.events():
        await waiting[event.message.partition % len(waiting)].put(event)


async def _store(stream: Any, waiting: asyncio.Queue[Any], handle: Handle) -> None:
    began = 0.0
    while True:
        events = [await waiting.get()]
        if waiting.qsize() < FEW:
            await asyncio.sleep(began + SPACING_SECONDS - time.monotonic())
        began = time.monotonic()
        while not waiting.empty() and sum(len(event.value or b"") for event in events) < BATCH_BYTES:
            events.append(waiting.get_nowait())
        tell = await handle([event.value for event in events if event.value is not None])
        for event in events:
            await stream.ack(event)
        tell()
