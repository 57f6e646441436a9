"""Tells the edges what is stored: retained acknowledgements over MQTT, which outlive a lost broker."""

import asyncio
import logging
import random
import ssl
from collections.abc import Iterable
from uuid import UUID

import aiomqtt
import msgspec
from asty_contracts.life import Ack
from asty_contracts.topics import Down, EdgeTopic

from asty_stream.settings import MqttSettings

log = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0
KEEPALIVE = 15


class AckSender:
    """Publishes the newest acknowledgement of every epoch; after a reconnect, again those of every edge touched so far."""

    def __init__(self, org: str, settings: MqttSettings) -> None:
        self._org = org
        self._settings = settings
        self._newest: dict[tuple[str, UUID], Ack] = {}
        self._due: dict[tuple[str, UUID], Ack] = {}
        self._wake = asyncio.Event()

    def put(self, acks: Iterable[tuple[str, Ack]]) -> None:
        """Take acknowledgements; one that is still unsent is replaced by a newer one of the same epoch."""
        for edge, ack in acks:
            key = (edge, ack.ep)
            # the newest goes to the end, so that what stays retained is the epoch that was touched last
            self._newest.pop(key, None)
            self._due.pop(key, None)
            self._newest[key] = self._due[key] = ack
        self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled; a lost broker costs a pause, never an acknowledgement."""
        pause = 0.5
        while True:
            try:
                async with self._client() as client:
                    log.info("acknowledging over MQTT at %s:%d", self._settings.host, self._settings.port)
                    self._due = dict(self._newest)
                    pause = 0.5
                    await self._publish_for_ever(client)
            except (aiomqtt.MqttError, OSError) as error:
                log.warning("MQTT is away (%s); acknowledgements are kept and sent after the reconnect", error)
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _publish_for_ever(self, client: aiomqtt.Client) -> None:
        lost = asyncio.ensure_future(_until_lost(client))
        try:
            while not lost.done():
                self._wake.clear()
                await self._publish_due(client)
                wake = asyncio.ensure_future(self._wake.wait())
                await asyncio.wait({wake, lost}, return_when=asyncio.FIRST_COMPLETED)
                wake.cancel()
            await lost
        finally:
            lost.cancel()

    async def _publish_due(self, client: aiomqtt.Client) -> None:
        while self._due:
            key = next(iter(self._due))
            ack = self._due[key]
            topic = str(EdgeTopic(self._org, key[0], Down.ACK))
            await client.publish(topic, msgspec.json.encode(ack), qos=1, retain=True, timeout=10)
            if self._due.get(key) is ack:
                del self._due[key]

    def _client(self) -> aiomqtt.Client:
        it = self._settings
        return aiomqtt.Client(
            it.host,
            it.port,
            username=it.username,
            password=it.password,
            identifier=f"asty-stream-{self._org}-{random.getrandbits(32):08x}",
            protocol=aiomqtt.ProtocolVersion.V5 if it.protocol == "5" else aiomqtt.ProtocolVersion.V311,
            keepalive=KEEPALIVE,
            timeout=10,
            tls_context=_tls(it),
        )


async def _until_lost(client: aiomqtt.Client) -> None:
    """Wait for the end of the connection, which a sender with nothing to send would not notice. Raises MqttError."""
    async for _ in client.messages:
        pass


def _tls(settings: MqttSettings) -> ssl.SSLContext | None:
    if settings.ca is None:
        return None
    context = ssl.create_default_context(cafile=settings.ca)
    if settings.cert is not None and settings.key is not None:
        context.load_cert_chain(settings.cert, settings.key)
    return context
