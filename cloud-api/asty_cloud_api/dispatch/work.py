"""The planner's process: hears of lifts and triggers, takes a turn, and goes on when Kafka, the database or the roads are away."""

import asyncio
import json
import logging
import time
from contextlib import suppress
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from asty_cloud_api.dispatch import reading, triggers
from asty_cloud_api.dispatch.inbox import Inbox, KafkaAwayError, Outbox, Taken
from asty_cloud_api.dispatch.making import NotAcceptedError
from asty_cloud_api.dispatch.planner import Planner
from asty_cloud_api.dispatch.publishing import publish
from asty_cloud_api.dispatch.ways import WaysAwayError

log = logging.getLogger(__name__)
AWAY = (SQLAlchemyError, psycopg.Error, OSError, WaysAwayError, KafkaAwayError)
EVERY = 5.0
"""Seconds between turns when nothing is heard."""
MARK_EVERY = 30.0
FORESEE_EVERY = 300.0
"""Seconds between two looks of the forecast at the running plan; only when a level sensor has said something."""
RETRY = 2.0
NOT_AGAIN_BEFORE = 60.0
"""Seconds until a day whose plan the checker refused is tried again."""


class Work:
    """Runs a planner until told to stop."""

    def __init__(self, dsn: str, engine: AsyncEngine, planner: Planner, inbox: Inbox | None, outbox: Outbox | None = None) -> None:
        self._dsn = dsn
        self._engine = engine
        self._planner = planner
        self._inbox = inbox
        self._outbox = outbox
        self._woken = asyncio.Event()
        self._lifted = True
        self._measured = True
        self._foreseen = 0.0
        self._asked: set[UUID] = set()
        self._marked = 0.0
        self._away: dict[str, str] = {}
        self._explaining: asyncio.Task[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work; what is under way when `stop` is set is either stored whole or left for the next start."""
        tasks = [asyncio.create_task(self._turns()), asyncio.create_task(self._listen())]
        if self._inbox is not None:
            tasks.append(asyncio.create_task(self._receive(self._inbox)))
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, *tasks, *((self._explaining,) if self._explaining else ())):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._inbox is not None:
            await asyncio.to_thread(self._inbox.close)
        for task in done - {stopping}:
            task.result()

    async def _turns(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._turn()
                self._is_back("planner")
            except NotAcceptedError:
                await asyncio.sleep(NOT_AGAIN_BEFORE)
            except AWAY as error:
                self._is_away("planner", error)
                await asyncio.sleep(RETRY)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), EVERY)

    async def _turn(self) -> None:
        if self._lifted or time.monotonic() - self._marked > MARK_EVERY:
            self._lifted = False
            await self._planner.mark_lifts()
            self._marked = time.monotonic()
        await self._planner.answer_waiting()
        await self._planner.plan_days()
        await self._planner.answer_waiting()
        if self._measured and time.monotonic() - self._foreseen > FORESEE_EVERY:
            self._measured = False
            self._foreseen = time.monotonic()
            await self._foresee()
        if not self._woken.is_set() and (self._explaining is None or self._explaining.done()):
            # beside the turns: a trigger does not wait for explanations
            self._explaining = asyncio.create_task(self._explain())

    async def _foresee(self) -> None:
        """Publish what the forecast asks for; an id that was published before is passed over here already."""
        for trigger in await self._planner.foresee():
            if trigger.id not in self._asked:
                await publish(self._engine, self._outbox, trigger)
                self._asked.add(trigger.id)
                log.info("event=overflow_foreseen bin=%s chance=%.2f", trigger.subject, trigger.detail["chance"])

    async def _explain(self) -> None:
        try:
            await self._planner.explain()
            self._is_back("explanations")
        except AWAY as error:
            self._is_away("explanations", error)

    async def _listen(self) -> None:
        """Wake the turns at news of telemetry and of triggers."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(
                    self._dsn, autocommit=True, connect_timeout=3, application_name="asty-cloud-api planner"
                )
                async with connection:
                    await connection.execute("LISTEN telemetry_changed")
                    await connection.execute("LISTEN fleet")
                    self._lifted = True
                    self._woken.set()
                    while True:
                        async for notice in connection.notifies(timeout=15):
                            self._hear(notice.channel, notice.payload)
                        await connection.execute("SELECT 1")
            except (psycopg.Error, OSError):
                await asyncio.sleep(RETRY)

    def _hear(self, channel: str, payload: str) -> None:
        with suppress(ValueError, AttributeError):
            said = json.loads(payload)
            if channel == "telemetry_changed" and "lift" in said.get("kinds", ()):
                self._lifted = True
                self._woken.set()
            elif channel == "telemetry_changed" and "level" in said.get("kinds", ()):
                self._measured = True
            elif channel == "fleet" and said.get("what") == "trigger" and said.get("state") == "waiting":
                self._woken.set()

    async def _receive(self, inbox: Inbox) -> None:
        """Keep triggers as they come; count them as read once nothing waits."""
        unanswered: list[Taken] = []
        while True:
            try:
                taken = await asyncio.to_thread(inbox.take, 0.3)
                self._is_back("kafka")
            except KafkaAwayError as error:
                self._is_away("kafka", error)
                unanswered.clear()  # they come again
                await asyncio.sleep(RETRY)
                continue
            if taken.offsets:
                unanswered.append(taken)
                await self._keep(taken)
            if unanswered and await self._all_answered():
                try:
                    for one in unanswered:
                        await asyncio.to_thread(inbox.answered, one)
                except KafkaAwayError as error:
                    self._is_away("kafka", error)
                unanswered.clear()

    async def _keep(self, taken: Taken) -> None:
        while True:
            try:
                async with self._engine.begin() as connection:
                    for trigger in taken.triggers:
                        await triggers.keep(connection, trigger)
            except AWAY as error:
                self._is_away("database", error)
                await asyncio.sleep(RETRY)
                continue
            self._is_back("database")
            self._woken.set()
            return

    async def _all_answered(self) -> bool:
        try:
            async with self._engine.connect() as connection:
                return not await reading.waiting_triggers(connection)
        except AWAY:
            return False

    def _is_away(self, who: str, error: Exception) -> None:
        why = str(error).split("\n", 1)[0]
        if self._away.get(who) is None:
            log.warning("event=away who=%s why=%r do=%r", who, why, "it is tried again; nothing is lost")
        self._away[who] = why

    def _is_back(self, who: str) -> None:
        if self._away.pop(who, None) is not None:
            log.info("event=back who=%s", who)
