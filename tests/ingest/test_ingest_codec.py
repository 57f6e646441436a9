"""MQTT as bytes: what the standards print, and whatever a broker may send."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import mqtt5
import pytest
from asty_ingest import mqtt
from asty_ingest.codec import DISCONNECT, PING, Codec, ProtocolError, acknowledgements
from asty_ingest.mqtt import Connection
from asty_ingest.settings import Settings
from asty_ingest.verify import Incoming
from hypothesis import given
from hypothesis import strategies as st
from mqtt5 import ConnAckPacket, ConnAckReasonCode, ConnectPacket, PublishPacket, SubAckPacket

HELLO = ConnectPacket("asty", username="u", password=b"pw", keep_alive=30, session_expiry_interval=60, receive_max=5)
VERSIONS = ("5", "3.1.1")
PUBLISHED = {
    "5": mqtt5.PublishPacket("a/b", b"hello", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=7, content_type="application/cbor").write(),
    "3.1.1": b"\x32\x0c\x00\x03a/b\x00\x07hello",
}


def test_a_connection_of_3_1_1_is_opened_as_its_standard_prints_it() -> None:
    assert Codec("3.1.1").connect(HELLO) == b"\x10\x17\x00\x04MQTT\x04\xc0\x00\x1e\x00\x04asty\x00\x01u\x00\x02pw"
    assert Codec("5").connect(HELLO) == HELLO.write()


def test_a_subscription_asks_for_qos_1_in_both_versions() -> None:
    assert Codec("3.1.1").subscribe(5, ["a/+", "b"]) == b"\x82\x0c\x00\x05\x00\x03a/+\x01\x00\x01b\x01"
    assert Codec("5").subscribe(5, ["a/+", "b"]) == b"\x82\x0d\x00\x05\x00\x00\x03a/+\x01\x00\x01b\x01"


def test_acknowledgements_leave_in_their_order() -> None:
    assert acknowledgements([7, 300]) == b"\x40\x02\x00\x07\x40\x02\x01\x2c"


@pytest.mark.parametrize("version", VERSIONS)
def test_messages_are_read_however_the_bytes_are_cut(version: str) -> None:
    data = PUBLISHED[version] * 3
    for size in range(1, len(data) + 1):
        codec = Codec(version)
        packets = [packet for at in range(0, len(data), size) for packet in codec.feed(data[at : at + size])]
        assert [(it.topic, it.payload, it.packet_id) for it in packets if isinstance(it, PublishPacket)] == [("a/b", b"hello", 7)] * 3


def test_a_message_of_3_1_1_without_an_acknowledgement_and_a_long_one_are_read() -> None:
    [short] = Codec("3.1.1").feed(b"\x31\x06\x00\x03a/bx")
    [long] = Codec("3.1.1").feed(b"\x32\xc9\x01\x00\x03a/b\x00\x07" + b"y" * 194)
    assert isinstance(short, PublishPacket)
    assert isinstance(long, PublishPacket)
    assert (short.payload, short.packet_id, long.payload) == (b"x", None, b"y" * 194)


def test_answers_of_3_1_1_are_read_as_those_of_5() -> None:
    well, refused, subscribed = Codec("3.1.1").feed(b"\x20\x02\x01\x00" + b"\x20\x02\x00\x05" + b"\x90\x04\x00\x01\x01\x80")
    assert isinstance(well, ConnAckPacket)
    assert isinstance(refused, ConnAckPacket)
    assert isinstance(subscribed, SubAckPacket)
    assert (well.session_present, well.reason_code) == (True, ConnAckReasonCode.SUCCESS)
    assert refused.reason_code == ConnAckReasonCode.NOT_AUTHORIZED
    assert [int(reason) for reason in subscribed.reason_codes] == [1, 128]


@pytest.mark.parametrize("version", VERSIONS)
@given(data=st.binary(max_size=60))
def test_no_bytes_raise_anything_else(version: str, data: bytes) -> None:
    with suppress(ProtocolError):
        list(Codec(version).feed(data))


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        yield listening


def connected(server: socket.socket, settings: Settings, messages: list[Incoming]) -> tuple[Connection, socket.socket, threading.Thread]:
    """Return a connection whose greeting was answered, the broker's end of it, and the thread that runs it."""
    connection = Connection(settings, lambda link: link.subscribe(["a/b"]), lambda _, came: messages.extend(came))
    running = threading.Thread(target=connection.run, daemon=True)
    running.start()
    broker, _ = server.accept()
    broker.settimeout(10)
    assert broker.recv(4096).startswith(b"\x10")
    broker.sendall(ConnAckPacket().write())
    assert broker.recv(4096) == Codec("5").subscribe(1, ["a/b"])
    return connection, broker, running


def settings_of(server: socket.socket) -> Settings:
    return Settings("demo", "127.0.0.1", server.getsockname()[1], "nowhere:1")


def test_a_broker_that_falls_silent_is_asked_and_then_given_up(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "KEEPALIVE_S", 1)
    connection, broker, running = connected(server, settings_of(server), [])
    with broker:
        assert broker.recv(4096).startswith(PING)
        running.join(10)
    assert connection.ended.is_set()


def test_what_is_to_be_written_leaves_before_the_connection_is_broken_off(server: socket.socket) -> None:
    messages: list[Incoming] = []
    connection, broker, running = connected(server, settings_of(server), messages)
    with broker:
        broker.sendall(PUBLISHED["5"])
        while not messages:
            assert running.is_alive()
        connection.ack([messages[0].mid])
        connection.close()
        running.join(10)
        said = b""
        while part := broker.recv(4096):
            said += part
    assert said == acknowledgements([7]) + DISCONNECT
    assert (messages[0].topic, messages[0].payload, messages[0].content_type) == ("a/b", b"hello", "application/cbor")


def test_acknowledging_never_waits_for_the_thread_that_writes(server: socket.socket) -> None:
    release = threading.Event()
    connection = Connection(settings_of(server), lambda _: None, lambda _, __: release.wait(10) and None)
    running = threading.Thread(target=connection.run, daemon=True)
    running.start()
    broker, _ = server.accept()
    with broker:
        broker.sendall(ConnAckPacket().write() + PUBLISHED["5"])
        acknowledging = threading.Thread(target=lambda: [connection.ack([7]) for _ in range(5000)], daemon=True)
        acknowledging.start()
        acknowledging.join(10)
        assert not acknowledging.is_alive()
        release.set()
        connection.break_off()
        said = b""
        while part := broker.recv(4096):
            said += part
    running.join(10)
    assert said.endswith(acknowledgements([7] * 5000) + DISCONNECT)


def test_a_broker_that_speaks_nonsense_or_ends_the_connection_is_left(server: socket.socket) -> None:
    for said in (
        b"\xff" * 6,
        mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SERVER_SHUTTING_DOWN).write(),
    ):
        connection, broker, running = connected(server, settings_of(server), [])
        with broker:
            broker.sendall(said)
            running.join(10)
        assert connection.ended.is_set()
        assert not running.is_alive()
