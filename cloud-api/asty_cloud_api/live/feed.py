"""Changes as a numbered feed: fed by LISTEN telemetry_changed and fleet, followed by every open page."""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Literal

import psycopg

log = logging.getLogger(__name__)
CHANNELS = ("telemetry_changed", "fleet")
MIN_INTERVAL = 0.5
URGENT = ("alarm",)
"""Kinds that don't wait for MIN_INTERVAL, only for URGENT_INTERVAL."""
URGENT_INTERVAL = 0.1
MOST_NAMED = 1000
RETRY_SECONDS = 2.0
ASK_SECONDS = 10.0
"""So often it is asked whether somebody may still follow."""


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed since a follower last heard: `number` grows; kinds and edges are a hint, empty when unknown."""

    number: int
    kinds: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()


@dataclass(slots=True)
class Changes:
    """The newest number, and with which number each kind and each edge last came."""

    number: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    edges: dict[str, int] = field(default_factory=dict)
    unsaid: int = 0
    """The number of the last change that named no kind."""

    def add(self, kinds: tuple[str, ...], edges: tuple[str, ...]) -> None:
        self.number += 1
        self.kinds |= dict.fromkeys(kinds, self.number)
        self.edges |= dict.fromkeys(edges, self.number)
        if not kinds:
            self.unsaid = self.number

    def since(self, number: int) -> Change | None:
        """Return all that came after `number` as one change; None when nothing did. More than MOST_NAMED edges are not named."""
        if number == self.number:
            return None
        if number > self.number or number < self.unsaid:
            return Change(self.number)
        edges = sorted(edge for edge, last in self.edges.items() if last > number)
        kinds = sorted(kind for kind, last in self.kinds.items() if last > number)
        return Change(self.number, tuple(kinds), tuple(edges) if len(edges) <= MOST_NAMED else ())

    def is_urgent_since(self, number: int) -> bool:
        """Tell whether something that nobody may wait for came after `number`."""
        return any(self.kinds.get(kind, 0) > number for kind in URGENT)


def read_payload(payload: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read a notification's kinds and edges; whatever else it holds is no reason to miss it."""
    try:
        said = json.loads(payload)
    except ValueError:
        return (), ()
    if not isinstance(said, dict):
        return (), ()
    return _texts(said.get("kinds", said.get("what"))), _texts(said.get("edges", said.get("edge")))


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


class Feed:
    """Keeps one LISTEN connection and wakes its followers. `away` tells that the database does not answer."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.token = secrets.token_hex(4)  # numbers of another life of this process mean nothing here
        self.changes = Changes()
        self.away = False
        self.followers = 0
        self._woken = asyncio.Condition()

    @property
    def position(self) -> str:
        """The id of the newest event: what a page made now has."""
        return f"{self.token}-{self.changes.number}"

    async def listen(self) -> None:
        """Listen until cancelled; a lost connection is made again, and what was missed meanwhile counts as a change."""
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                if not self.away:
                    log.warning("the database does not answer (%s); trying again every %.0f s", error, RETRY_SECONDS)
                await self._set_away(True)
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen_once(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self.dsn, autocommit=True, connect_timeout=3, application_name="asty-cloud-api live"
        )
        async with connection:
            for channel in CHANNELS:
                await connection.execute(f"LISTEN {channel}")
            await self._set_away(False)
            await self._add((), ())
            while True:
                # a round trip now and then, so that a server that vanished without a word is noticed
                async for notice in connection.notifies(timeout=15):
                    await self._add(*read_payload(notice.payload))
                await connection.execute("SELECT 1")

    async def _set_away(self, away: bool) -> None:
        async with self._woken:
            self.away = away
            self._woken.notify_all()

    async def _add(self, kinds: tuple[str, ...], edges: tuple[str, ...]) -> None:
        async with self._woken:
            self.changes.add(kinds, edges)
            self._woken.notify_all()

    async def follow(self, after: str | None, *, heartbeat: float = 15.0) -> AsyncGenerator[bytes]:
        """Yield server-sent events for one page: `changed` with what changed, `away`, and a comment when all is quiet.

        `after` is the id of the last event that the page has; unknown or from another life, everything counts as changed.
        """
        yield b"retry: 2000\n: asty\n\n"
        async with aclosing(self.news(after, heartbeat=heartbeat)) as heard:
            async for news in heard:
                match news:
                    case Change():
                        yield self.event(news, "changed", {"kinds": news.kinds, "edges": news.edges})
                    case "away":
                        yield b"event: away\ndata: {}\n\n"
                    case "quiet":
                        yield b": quiet\n\n"

    async def news(self, after: str | None, *, heartbeat: float = 15.0) -> AsyncGenerator[Change | Literal["away", "quiet"]]:
        """Yield each change after `after`, at most one in MIN_INTERVAL, but an alarm at once; `away` when the database goes, `quiet`
        when all is.
        """
        number, was_away = self._number(after), False
        self.followers += 1
        try:
            while True:
                if self.away != was_away:
                    was_away = self.away
                    if was_away:
                        yield "away"
                if not self.away and (change := self.changes.since(number)) is not None:
                    number = change.number
                    yield change
                    await self._rest(number)
                    continue
                if not await self._wait(number, was_away, heartbeat):
                    yield "quiet"
        finally:
            self.followers -= 1

    def event(self, change: Change, name: str, data: object) -> bytes:
        """Return one server-sent event under the change's id."""
        return f"id: {self.token}-{change.number}\nevent: {name}\ndata: {json.dumps(data, default=str)}\n\n".encode()

    async def _rest(self, number: int) -> None:
        """Let changes gather, unless one is urgent."""
        await asyncio.sleep(URGENT_INTERVAL)
        with suppress(TimeoutError):
            async with asyncio.timeout(MIN_INTERVAL - URGENT_INTERVAL), self._woken:
                await self._woken.wait_for(lambda: self.changes.is_urgent_since(number))

    async def _wait(self, number: int, was_away: bool, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._woken:
                await self._woken.wait_for(lambda: self.away != was_away or (not self.away and self.changes.number != number))
                return True
        return False

    def _number(self, after: str | None) -> int:
        token, _, number = (after or "").partition("-")
        return int(number) if token == self.token and number.isascii() and number.isdigit() else -1


async def while_allowed(
    events: AsyncGenerator[bytes], is_allowed: Callable[[], Awaitable[bool]], *, every: float = ASK_SECONDS
) -> AsyncIterator[bytes]:
    """Yield the events until whoever hears them may no longer: asked before one is said, at most once in `every` seconds."""
    asked = time.monotonic()
    async with aclosing(events) as heard:
        async for event in heard:
            if time.monotonic() - asked >= every:
                if not await is_allowed():
                    return
                asked = time.monotonic()
            yield event
