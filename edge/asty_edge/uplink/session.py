"""The shell over MQTT: it waits, and the machine decides. One connection at a time, for as long as the agent runs."""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import aiomqtt
from asty_contracts.life import Ack, Birth, State
from asty_contracts.topics import Down, EdgeTopic, Up
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from asty_edge.clock import mono_ms
from asty_edge.config import Config, TlsSettings
from asty_edge.event import Held
from asty_edge.ranges import Ranges
from asty_edge.uplink.machine import Lane, Uplink
from asty_edge.uplink.messages import CONTENT_TYPES, birth_bytes, pack_bytes, read_ack, read_command, state_bytes
from asty_edge.uplink.reconnect import Reconnect

PACK_BYTES = 200_000
"""Below the reader's limit of 256 KiB, with room for the JSON around the records."""

SESSION_EXPIRY_S = 7 * 86400
KEEPALIVE_S = 30
PUBACK_S = 60.0
STATE_EVERY_S = 30.0
STATE_AT_DRAIN_S = 5.0
FINISH_S = 3.0
MOST_INCOMING = 200

_log = logging.getLogger(__name__)


class Source(Protocol):
    """The part of the outbox that the uplink reads."""

    def peek(self, ranges: Ranges, limit: int, max_bytes: int) -> list[Held]:
        """Read held records of the given numbers."""
        ...


class Voice(Protocol):
    """What the agent says of itself, and what it hears."""

    def birth(self) -> Birth:
        """Describe the edge."""
        ...

    def state(self, *, up: bool) -> State:
        """Describe the session."""
        ...

    def hear_ack(self, ack: Ack, *, retained: bool) -> None:
        """Take an end-to-end acknowledgement."""
        ...


class Session:
    """Keeps the uplink connected and feeds it from the outbox. `machine` may be replaced when the epoch changes."""

    def __init__(
        self, config: Config, source: Source, machine: Uplink, voice: Voice, *, connect: Callable[..., aiomqtt.Client] = aiomqtt.Client
    ) -> None:
        self.machine = machine
        self._config = config
        self._source = source
        self._voice = voice
        self._connect = connect
        self._reconnect = Reconnect()
        self._wake = asyncio.Event()
        self._finishing: asyncio.Event = asyncio.Event()
        self._deadline: int | None = None
        self._state_at = 0
        self.is_connected = False
        """Whether the broker is there and knows us."""

    def wake(self) -> None:
        """Something was appended: look whether it can go."""
        self._wake.set()

    def finish(self) -> None:
        """Send what can be sent within 3 s, say goodbye, and let `run` return."""
        self._deadline = mono_ms() + int(FINISH_S * 1000)
        self.machine.flush()
        self._finishing.set()
        self._wake.set()

    async def run(self) -> None:
        """Connect, talk, and connect again with full jitter, until `finish`."""
        while not self._finishing.is_set():
            started = mono_ms()
            why = await self._one_connection()
            if self._finishing.is_set():
                return
            if mono_ms() - started > STATE_EVERY_S * 1000:
                self._reconnect.succeeded()
            delay = self._reconnect.failed(random.random())  # noqa: S311 - jitter, not a secret
            uplink = self._config.uplink
            _log.warning(
                "no uplink to %s:%s: %s; %d records wait in the outbox, next attempt in %.1f s",
                uplink.host, uplink.port, why, self.machine.unacknowledged, delay,
            )  # fmt: skip
            await _wait(self._finishing, delay)

    async def _one_connection(self) -> str:
        """Talk until the connection ends; returns why it did."""
        why = "the agent stops"
        try:
            async with self._client() as client:
                await self._talk(client)
        except* (aiomqtt.MqttError, OSError, ValueError) as errors:
            why = _first(errors)
        finally:
            self.is_connected = False
            self.machine.disconnected()
        return why

    def _client(self) -> aiomqtt.Client:
        edge, uplink = self._config.edge, self._config.uplink
        will = aiomqtt.Will(self._topic(Up.STATE), state_bytes(self._voice.state(up=False)), qos=1, retain=True)
        client = self._connect(
            uplink.host,
            uplink.port,
            username=uplink.username,
            password=uplink.password,
            identifier=f"asty-{edge.org}-{edge.id}",
            will=will,
            keepalive=KEEPALIVE_S,
            max_queued_incoming_messages=MOST_INCOMING,
            tls_context=_tls_context(uplink.tls) if uplink.tls else None,
            **_session_options(uplink.protocol),
        )
        client.pending_calls_threshold = 100
        return client

    async def _talk(self, client: aiomqtt.Client) -> None:
        for leaf in (Down.ACK, Down.COMMAND):
            await client.subscribe(self._topic(leaf), qos=1)
        await self._announce(client)
        self.is_connected = True
        self.machine.connected(mono_ms())
        _log.info("uplink stands; %d records are not acknowledged", self.machine.unacknowledged)
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(self._receive(client)), group.create_task(self._refresh(client))]
            await self._send(client, group)
            await self._say_state(client, up=False)
            for task in others:
                task.cancel()

    async def _announce(self, client: aiomqtt.Client) -> None:
        await client.publish(self._topic(Up.BIRTH), birth_bytes(self._voice.birth()), qos=1)
        await self._say_state(client, up=True)

    async def _say_state(self, client: aiomqtt.Client, *, up: bool) -> None:
        self._state_at = mono_ms()
        await client.publish(self._topic(Up.STATE), state_bytes(self._voice.state(up=up)), qos=1, retain=True)

    async def _send(self, client: aiomqtt.Client, group: asyncio.TaskGroup) -> None:
        """Publish what the machine wants, until the agent stops and nothing more can be sent in time."""
        while True:
            self._wake.clear()
            machine = self.machine
            while (want := machine.want(mono_ms())) is not None:
                held = self._source.peek(want.numbers, want.limit, PACK_BYTES)
                pack = machine.sent(want, [one.s for one in held], mono_ms())
                if pack is not None:
                    payload = pack_bytes(machine.epoch, held, historical=want.historical, encoding=self._config.uplink.encoding)
                    group.create_task(self._publish(client, machine, pack, payload, want.lane))
                    await asyncio.sleep(0)
            now = mono_ms()
            if self._deadline is not None and (machine.is_idle or now >= self._deadline):
                return
            times = [time for time in (machine.wake_at(now), self._deadline) if time is not None]
            await _wait(self._wake, (min(times) - now) / 1000 if times else None)

    async def _publish(self, client: aiomqtt.Client, machine: Uplink, pack: int, payload: bytes, lane: Lane) -> None:
        properties = None
        if self._config.uplink.protocol == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ContentType = CONTENT_TYPES[self._config.uplink.encoding]
        await client.publish(self._topic(Up.RECORDS), payload, qos=1, properties=properties, timeout=PUBACK_S)
        _log.debug("pack %d of lane %s is at the broker", pack, lane.value)
        machine.puback(pack, mono_ms())
        self._wake.set()

    async def _receive(self, client: aiomqtt.Client) -> None:
        acks, commands = self._topic(Down.ACK), self._topic(Down.COMMAND)
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            topic = message.topic.value
            if topic == acks:
                await self._take_ack(client, payload, retained=message.retain)
            elif topic == commands:
                await self._obey(client, payload)

    async def _take_ack(self, client: aiomqtt.Client, payload: bytes, *, retained: bool) -> None:
        if (ack := read_ack(payload)) is None:
            _log.warning("an acknowledgement could not be read and was ignored: %r", payload[:100])
            return
        waited = self.machine.unacknowledged
        self._voice.hear_ack(ack, retained=retained)
        self._reconnect.succeeded()
        self._wake.set()
        if waited and not self.machine.unacknowledged and mono_ms() - self._state_at > STATE_AT_DRAIN_S * 1000:
            await self._say_state(client, up=True)

    async def _obey(self, client: aiomqtt.Client, payload: bytes) -> None:
        command = read_command(payload)
        if command is None:
            _log.warning("a command could not be read, or is unknown here, and was ignored: %r", payload[:100])
        elif command.cmd == "rebirth":
            await self._announce(client)
        elif command.cmd == "flush":
            self.machine.flush()
            self._wake.set()

    async def _refresh(self, client: aiomqtt.Client) -> None:
        while True:
            await asyncio.sleep(STATE_EVERY_S)
            await self._say_state(client, up=True)

    def _topic(self, leaf: Up | Down) -> str:
        return str(EdgeTopic(self._config.edge.org, self._config.edge.id, leaf))


def _session_options(protocol: Literal["3.1.1", "5"]) -> dict[str, object]:
    """A session that outlives the connection, so that the broker keeps acknowledgements for us."""
    if protocol == "3.1.1":
        return {"protocol": aiomqtt.ProtocolVersion.V311, "clean_session": False}
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_EXPIRY_S
    return {"protocol": aiomqtt.ProtocolVersion.V5, "clean_start": False, "properties": properties}


def _tls_context(tls: TlsSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca)
    if tls.cert is not None:
        context.load_cert_chain(tls.cert, tls.key)
    return context


def _first(errors: BaseExceptionGroup[BaseException]) -> str:
    leaf: BaseException = errors
    causes: Sequence[BaseException] = errors.exceptions
    while causes:
        leaf = causes[0]
        causes = leaf.exceptions if isinstance(leaf, BaseExceptionGroup) else ()
    return str(leaf) or type(leaf).__name__


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
