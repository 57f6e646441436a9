"""MQTT: one persistent session, held through any number of connections."""

import logging
import random
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from mqtt5 import ConnAckPacket, ConnAckReasonCode, ConnectPacket, DisconnectPacket, Packet, PublishPacket, SubAckPacket

from asty_ingest import codec
from asty_ingest.codec import Codec, ProtocolError
from asty_ingest.settings import Settings, Tls
from asty_ingest.verify import Incoming

log = logging.getLogger(__name__)

KEEPALIVE_S = 30
SESSION_S = 24 * 3600
"""How long a broker keeps the session of an absent ingest. What it drops later comes again, since no edge was told that it is stored."""
CONNECT_S = 10.0
BACKOFF_S = (1.0, 30.0)
HELD_S = 60.0
"""A connection that lived so long was no failure."""
READ_BYTES = 256 * 1024
_FAILURE = 0x80
"""From here on a reason code is one."""

OnOpen = Callable[["Connection"], None]
OnMessages = Callable[["Connection", Sequence[Incoming]], None]


def backoff(failures: int, jitter: Callable[[float, float], float] = random.uniform) -> float:
    """Return the seconds to wait after so many failures in a row (0: none): full jitter below a doubling limit."""
    first, most = BACKOFF_S
    return jitter(0.1, min(most, first * 2 ** min(failures - 1, 16)))


def client_id(settings: Settings) -> str:
    """Name the session: the same after each restart, another for each shard."""
    return f"asty-ingest-{settings.org}-{settings.shard.index}of{settings.shard.count}"


def now_ms() -> int:
    """Return UTC milliseconds."""
    return time.time_ns() // 1_000_000


class Connection:
    """One connection of the session. `run` reads and writes on its caller's thread; the other methods are for any thread."""

    def __init__(self, settings: Settings, on_open: OnOpen, on_messages: OnMessages) -> None:
        self.ended = threading.Event()
        self.opened = False
        self.number = 0  # of this connection in the window, given by who listens
        self._settings = settings
        self._on_open = on_open
        self._on_messages = on_messages
        self._codec = Codec(settings.mqtt_protocol)
        self._lock = threading.Lock()
        self._to_write = bytearray()
        self._subscriptions = 0
        self._leaving = False
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)  # when it is full, the loop is woken anyway

    def run(self) -> None:
        """Connect, and read until the connection ends. Raises nothing but what listeners raise."""
        try:
            with self._connect() as link, selectors.DefaultSelector() as selector:
                self._exchange(link, selector)
        except (OSError, ProtocolError) as error:
            address = f"{self._settings.mqtt_host}:{self._settings.mqtt_port}"
            log.warning("event=%s address=%s error=%r", "mqtt_disconnected" if self.opened else "mqtt_away", address, str(error))
        finally:
            self.ended.set()
            with self._lock:
                self._woken.close()
                self._waker.close()

    def subscribe(self, filters: Sequence[str]) -> None:
        """Ask for the messages of these topics."""
        with self._lock:
            self._subscriptions += 1
            number = self._subscriptions
        self._say(self._codec.subscribe(number, filters))

    def ack(self, mids: Sequence[int]) -> None:
        """Acknowledge messages, in this order."""
        self._say(codec.acknowledgements(mids))

    def break_off(self) -> None:
        """End the connection after what is to be written; the session, and what it has not acknowledged, stays with the broker."""
        self._leaving = True
        self._wake()

    def close(self) -> None:
        """Break off, and wait until what was to be written is."""
        self.break_off()
        self.ended.wait(2)

    def _say(self, data: bytes) -> None:
        with self._lock:
            is_first = not self._to_write  # whoever wrote before has woken the loop, which takes all there is
            self._to_write += data
        if is_first:
            self._wake()

    def _wake(self) -> None:
        with self._lock, suppress(OSError):
            self._waker.send(b"\0")

    def _connect(self) -> socket.socket:
        it = self._settings
        link = socket.create_connection((it.mqtt_host, it.mqtt_port), CONNECT_S)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if it.mqtt_tls is not None:
                link = _context(it.mqtt_tls).wrap_socket(link, server_hostname=it.mqtt_host)
            password = None if it.mqtt_password is None else it.mqtt_password.encode()
            hello = ConnectPacket(
                client_id(it),
                username=it.mqtt_username,
                password=password,
                clean_start=False,
                keep_alive=KEEPALIVE_S,
                session_expiry_interval=SESSION_S,
                receive_max=it.max_in_flight,
            )
            link.sendall(self._codec.connect(hello))
        except BaseException:
            link.close()
            raise
        link.setblocking(False)
        return link

    def _exchange(self, link: socket.socket, selector: selectors.BaseSelector) -> None:
        selector.register(self._woken, selectors.EVENT_READ)
        selector.register(link, selectors.EVENT_READ)
        began = heard = said = time.monotonic()
        blocked = False
        while not (self._leaving and not self._to_write):
            for key, _ in selector.select(KEEPALIVE_S / 4):
                if key.fileobj is self._woken:
                    self._woken.recv(4096)
            while data := _received(link):
                self._take(self._codec.feed(data))
                self._write(link)
                heard = time.monotonic()
            now = time.monotonic()
            if not self.opened and now - began > CONNECT_S:
                raise TimeoutError("no answer to the greeting")
            if now - heard > 1.5 * KEEPALIVE_S:
                raise TimeoutError(f"nothing heard for {now - heard:.0f} s")
            if now - said > KEEPALIVE_S / 2:
                with self._lock:
                    self._to_write += codec.PING
                said = now
            if blocked is self._write(link):
                blocked = not blocked
                selector.modify(link, selectors.EVENT_READ | (selectors.EVENT_WRITE if blocked else 0))
        with suppress(OSError):
            link.send(codec.DISCONNECT)

    def _write(self, link: socket.socket) -> bool:
        """Write what the connection takes now; true when nothing is left."""
        with self._lock:
            try:
                while self._to_write:
                    del self._to_write[: link.send(self._to_write)]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return False
            return True

    def _take(self, packets: Iterable[Packet]) -> None:
        messages: list[Incoming] = []
        rx = now_ms()
        for packet in packets:
            if isinstance(packet, PublishPacket):
                messages.append(Incoming(packet.topic, packet.payload, rx, packet.content_type, packet.packet_id or 0))
            elif isinstance(packet, ConnAckPacket):
                self._answered(packet)
            elif isinstance(packet, SubAckPacket):
                self._subscribed(packet)
            elif isinstance(packet, DisconnectPacket):
                raise ProtocolError(f"the broker ends the connection: {packet.reason_code.name} {packet.reason_str or ''}")
        if messages:
            self._on_messages(self, messages)

    def _answered(self, packet: ConnAckPacket) -> None:
        if packet.reason_code != ConnAckReasonCode.SUCCESS:
            log.error(
                "event=mqtt_refused reason=%r do=%r",
                packet.reason_code.name,
                "check ASTY_MQTT_USERNAME, the certificate and the broker's list of users",
            )
            raise ProtocolError("the broker takes no connection from us")
        self.opened = True
        log.info("event=mqtt_connected client_id=%s session_present=%s", client_id(self._settings), packet.session_present)
        self._on_open(self)

    def _subscribed(self, packet: SubAckPacket) -> None:
        for reason in packet.reason_codes:
            if int(reason) >= _FAILURE:
                log.error("event=subscription_refused reason=%r do=%r", reason.name, "allow this client to read asty/1/<org>/+/up/#")


class Session:
    """Connects, and connects again after a back-off, until stopped."""

    def __init__(self, settings: Settings, on_open: OnOpen, on_messages: OnMessages) -> None:
        self._settings = settings
        self._on_open = on_open
        self._on_messages = on_messages
        self._connection: Connection | None = None

    @property
    def connected(self) -> bool:
        connection = self._connection
        return connection is not None and connection.opened and not connection.ended.is_set()

    def run(self, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            self._connection = Connection(self._settings, self._on_open, self._on_messages)
            self._connection.run()
            failures = 0 if time.monotonic() - began > HELD_S else failures + 1
            stop.wait(backoff(failures))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _received(link: socket.socket) -> bytes | None:
    """Return what there is to read now. Raises ConnectionError when the other end has closed."""
    try:
        data = link.recv(READ_BYTES)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None
    if not data:
        raise ConnectionError("the broker closed the connection")
    return data


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.ca))
    if tls.cert and tls.key:
        context.load_cert_chain(tls.cert, tls.key)
    return context
