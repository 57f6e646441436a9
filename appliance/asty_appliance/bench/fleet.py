"""Hundreds of virtual edges in one process of its own: `python -m asty_appliance.bench.fleet SPEC.json`, told by lines on stdin.

Each holds its own MQTT session, says birth and state, hears acknowledgements, and connects again with the agent's full jitter.
Words on stdin: `live` (begin to read), `rate 4000` (readings per second from now on), `home` (the trucks with a backlog connect),
`stop` (read no more, go on delivering), `end`.
On stdout, five times a second, one JSON line: a `Tick`. Beside the specification it leaves `packs.csv`, `alarms.csv` and `sent.csv`.
"""

import asyncio
import random
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import aiomqtt
import msgspec
from asty_contracts.life import Ack, Birth, State
from asty_contracts.topics import Down, EdgeTopic, Up
from msgspec import Struct
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from asty_appliance.bench.outbox import Outbox
from asty_appliance.bench.publisher import VirtualEdge

TICK_S = 0.2
PACK_S = 1.0
"""How long an edge collects readings for a live pack, as the agent does."""
READING_MS = 10_000
"""Between two readings of a backlog."""
RECONNECT_S = (1.0, 300.0)


class Spec(Struct, frozen=True):
    """`rate` is readings per second of all `edges` together, at first; `alarm_every` seconds between two alarms of the whole fleet."""

    org: str
    port: int
    protocol: str
    edges: int
    rate: float
    alarm_edges: int
    alarm_every: float
    returning: int
    hours: float


class Tick(Struct, frozen=True):
    """Counts of now: UTC s, connections that stand, records produced, and of those not acknowledged, live and backlog."""

    at: float
    connected: int
    produced: int
    held: int
    backlog: int


class Edge:
    """One virtual edge: its outbox and its connection."""

    def __init__(self, spec: Spec, name: str) -> None:
        self.outbox = Outbox(VirtualEdge(spec.org, name))
        self.connected = False
        self.wake = asyncio.Event()
        self.sent: TextIO | None = None
        """Where it is written down when a live pack is handed to the MQTT client."""
        self._spec = spec
        self._session = uuid4()

    def topic(self, leaf: Up | Down) -> str:
        return str(EdgeTopic(self._spec.org, self.outbox.edge.name, leaf))

    async def run(self) -> None:
        """Connect, deliver, and connect again, for ever."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._one_connection()
            except* (aiomqtt.MqttError, OSError):
                self.connected = False
            failures = 0 if time.monotonic() - began > 30 else failures + 1
            least, most = RECONNECT_S
            await asyncio.sleep(random.uniform(least, min(most, least * 2 ** min(failures, 16))))  # noqa: S311 jitter, no secret

    async def _one_connection(self) -> None:
        async with self._client() as client:
            await client.subscribe(self.topic(Down.ACK), qos=1)
            await self._announce(client)
            self.connected = True
            async with asyncio.TaskGroup() as group:  # a publish does not notice that its connection died: its sibling does
                group.create_task(self._hear(client))
                group.create_task(self._deliver(client))

    def _client(self) -> aiomqtt.Client:
        will = aiomqtt.Will(self.topic(Up.STATE), self._state(up=False), qos=1, retain=True)
        session: dict[str, Any]
        if self._spec.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 3600
            session = {"protocol": aiomqtt.ProtocolVersion.V5, "clean_start": False, "properties": properties}
        else:
            session = {"protocol": aiomqtt.ProtocolVersion.V311, "clean_session": False}
        identifier = f"asty-{self._spec.org}-{self.outbox.edge.name}"
        return aiomqtt.Client("127.0.0.1", self._spec.port, identifier=identifier, will=will, keepalive=30, **session)

    async def _announce(self, client: aiomqtt.Client) -> None:
        name, ep = self.outbox.edge.name, self.outbox.edge.ep
        birth = Birth(edge=name, kind="truck", software="bench", config="bench", session=self._session, ep=ep, at=_now())
        await client.publish(self.topic(Up.BIRTH), msgspec.json.encode(birth), qos=1)
        await client.publish(self.topic(Up.STATE), self._state(up=True), qos=1, retain=True)

    def _state(self, *, up: bool) -> bytes:
        return msgspec.json.encode(State(up=up, session=self._session, n=1, at=_now(), ep=self.outbox.edge.ep, head=self.outbox.head))

    async def _deliver(self, client: aiomqtt.Client) -> None:
        while True:
            self.wake.clear()
            while (packed := self.outbox.next(_now())) is not None:
                if self.sent is not None and not packed.backlog:
                    self.sent.write(f"{self.outbox.edge.name},{packed.last},{_now()}\n")
                try:
                    await client.publish(self.topic(Up.RECORDS), packed.payload, qos=1, timeout=30)
                except BaseException:
                    self.outbox.not_sent(packed)
                    raise
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), 2)

    async def _hear(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if isinstance(message.payload, bytes):
                self.outbox.acknowledge(msgspec.json.decode(message.payload, type=Ack), _now())
                self.wake.set()


class Fleet:
    """All edges of a specification, and what they were told."""

    def __init__(self, spec: Spec, folder: Path) -> None:
        self._spec = spec
        self._folder = folder
        self._rate = spec.rate
        self._edges = [Edge(spec, f"bench-{n:04}") for n in range(spec.edges)]
        self._alarming = [Edge(spec, f"bench-alarm-{n:02}") for n in range(spec.alarm_edges)]
        self._returning = [Edge(spec, f"bench-back-{n:02}") for n in range(spec.returning)]
        self._reading: list[asyncio.Task[None]] = []
        self._running: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Obey stdin until `end`, or until it is closed."""
        self._connect([*self._edges, *self._alarming])
        self._running.append(asyncio.create_task(self._tell()))
        words = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
        with (
            (self._folder / "packs.csv").open("w") as packs,
            (self._folder / "alarms.csv").open("w") as alarms,
            (self._folder / "sent.csv").open("w") as sent,
        ):
            for it in self._alarming:
                it.sent = sent
            while (word := (await words.readline()).decode().strip()) not in ("", "end"):
                self._obey(word, packs, alarms)
            await _cancelled(self._reading)
            for it in self._alarming:
                it.sent = None
        produced = {str(it.outbox.edge.ep): it.outbox.head for it in self._all}
        (self._folder / "produced.json").write_bytes(msgspec.json.encode(produced))
        await _cancelled(self._running)

    @property
    def _all(self) -> list[Edge]:
        return [*self._edges, *self._alarming, *self._returning]

    def _obey(self, word: str, packs: TextIO, alarms: TextIO) -> None:
        if word == "live":
            self._reading += [asyncio.create_task(self._read(it, packs)) for it in self._edges]
            self._reading.append(asyncio.create_task(self._alarm(alarms)))
        elif word == "home":
            for it in self._returning:
                it.outbox.fill(_now(), self._spec.hours, READING_MS)
            self._connect(self._returning)
        elif word.startswith("rate "):
            self._rate = float(word.removeprefix("rate "))
        elif word == "stop":
            for task in self._reading:
                task.cancel()

    def _connect(self, edges: list[Edge]) -> None:
        self._running += [asyncio.create_task(it.run()) for it in edges]

    async def _read(self, edge: Edge, packs: TextIO) -> None:
        """Read for ever: a pack each second, at a moment of its own."""
        due = time.monotonic() + random.random() * PACK_S  # noqa: S311 a phase, no secret
        while True:
            each = self._rate / self._spec.edges
            readings = max(1, round(each * PACK_S))
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += readings / each
            it = edge.outbox.read(_now(), readings, int(readings / each * 1000))
            packs.write(f"{edge.outbox.edge.name},{it.first},{it.last},{it.t_first},{it.t_last}\n")
            edge.wake.set()

    async def _alarm(self, alarms: TextIO) -> None:
        number = 0
        due = time.monotonic()
        while True:
            edge = self._alarming[number % len(self._alarming)]
            now = _now()
            packed = edge.outbox.alarm(now, number)
            alarms.write(f"{edge.outbox.edge.name},{number},{packed.last},{now}\n")
            edge.wake.set()
            number += 1
            due += self._spec.alarm_every
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _tell(self) -> None:
        while True:
            boxes = [it.outbox for it in self._all]
            backlog = sum(it.outbox.held for it in self._returning)
            tick = Tick(
                time.time(),
                sum(it.connected for it in self._all),
                sum(it.head for it in boxes),
                sum(it.held for it in boxes) - backlog,
                backlog,
            )
            sys.stdout.write(msgspec.json.encode(tick).decode() + "\n")
            sys.stdout.flush()
            await asyncio.sleep(TICK_S)


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _now() -> int:
    return time.time_ns() // 1_000_000


def main() -> None:
    """Run the fleet of a specification file."""
    path = Path(sys.argv[1])
    asyncio.run(Fleet(msgspec.json.decode(path.read_bytes(), type=Spec), path.parent).run())


if __name__ == "__main__":
    main()
