"""MQTT: one persistent session, held through any number of connections."""

import logging
import random
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from asty_ingest.settings import Settings

log = logging.getLogger(__name__)

KEEPALIVE_S = 30
SESSION_S = 24 * 3600
"""How long a broker keeps the session of an absent ingest. What it drops later comes again, since no edge was told that it is stored."""
BACKOFF_S = (1.0, 30.0)
HELD_S = 60.0
"""A connection that lived so long was no failure."""

OnOpen = Callable[["Connection"], None]
OnMessage = Callable[["Connection", MQTTMessage], None]


def backoff(failures: int, jitter: Callable[[float, float], float] = random.uniform) -> float:
    """Return the seconds to wait after so many failures in a row (0: none): full jitter below a doubling limit."""
    first, most = BACKOFF_S
    return jitter(0.1, min(most, first * 2 ** min(failures - 1, 16)))


def client_id(settings: Settings) -> str:
    """Name the session: the same after each restart, another for each shard."""
    return f"asty-ingest-{settings.org}-{settings.shard.index}of{settings.shard.count}"


class Connection:
    """One connection of the session. Callbacks run on paho's own thread; `ack` and `break_off` are called from any."""

    def __init__(
        self, settings: Settings, on_open: Callable[["Connection"], None], on_message: Callable[["Connection", MQTTMessage], None]
    ) -> None:
        self.ended = threading.Event()
        self.opened = False
        self.number = 0  # of this connection in the window, given by who listens
        self._settings = settings
        self._on_open = on_open
        self._on_message = on_message
        v5 = settings.mqtt_protocol == "5"
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id(settings),
            clean_session=None if v5 else False,
            protocol=MQTTv5 if v5 else MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        if settings.mqtt_username is not None:
            self._client.username_pw_set(settings.mqtt_username, settings.mqtt_password)
        if (tls := settings.mqtt_tls) is not None:
            context = ssl.create_default_context(cafile=str(tls.ca))
            if tls.cert and tls.key:
                context.load_cert_chain(tls.cert, tls.key)
            self._client.tls_set_context(context)

    def open(self) -> None:
        """Connect and start reading. Raises OSError."""
        host, port = self._settings.mqtt_host, self._settings.mqtt_port
        if self._settings.mqtt_protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_S
            properties.ReceiveMaximum = self._settings.max_in_flight
            self._client.connect(host, port, KEEPALIVE_S, clean_start=False, properties=properties)
        else:
            self._client.connect(host, port, KEEPALIVE_S)
        self._client.loop_start()

    def subscribe(self, filters: list[str]) -> None:
        self._client.subscribe([(name, 1) for name in filters])

    def ack(self, mids: list[int]) -> None:
        for mid in mids:
            self._client.ack(mid, 1)

    def break_off(self) -> None:
        """End the connection; the session, and what it has not acknowledged, stays with the broker."""
        with suppress(ValueError, OSError):
            self._client.disconnect()

    def close(self) -> None:
        """Break off, after what is queued was written, and wait for the thread."""
        self.break_off()
        self.ended.wait(2)

    def _connected(self, _client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _properties: object) -> None:
        if reason.is_failure:
            log.error(
                "event=mqtt_refused reason=%r do=%r",
                str(reason),
                "check ASTY_MQTT_USERNAME, the certificate and the broker's list of users",
            )
            return
        self.opened = True
        log.info("event=mqtt_connected client_id=%s session_present=%s", client_id(self._settings), flags.session_present)
        self._on_open(self)

    def _subscribed(self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object) -> None:
        for reason in reasons:
            if reason.is_failure:
                log.error("event=subscription_refused reason=%r do=%r", str(reason), "allow this client to read asty/1/<org>/+/up/#")

    def _message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._on_message(self, message)

    def _disconnected(self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: object) -> None:
        log.info("event=mqtt_disconnected reason=%r", str(reason))
        self.ended.set()


class Session:
    """Connects, and connects again after a back-off, until stopped."""

    def __init__(
        self, settings: Settings, on_open: Callable[[Connection], None], on_message: Callable[[Connection, MQTTMessage], None]
    ) -> None:
        self._settings = settings
        self._on_open = on_open
        self._on_message = on_message
        self._connection: Connection | None = None

    @property
    def connected(self) -> bool:
        connection = self._connection
        return connection is not None and connection.opened and not connection.ended.is_set()

    def run(self, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            connection = Connection(self._settings, self._on_open, self._on_message)
            try:
                connection.open()
            except OSError as error:
                log.warning("event=mqtt_away address=%s:%d error=%r", self._settings.mqtt_host, self._settings.mqtt_port, str(error))
            else:
                self._connection = connection
                connection.ended.wait()
            failures = 0 if time.monotonic() - began > HELD_S else failures + 1
            stop.wait(backoff(failures))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
