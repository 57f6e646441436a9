"""The bridge between two peers that do what no server does on demand."""

import threading
from collections.abc import Callable

import pytest
from asty_contracts import topics
from asty_contracts.examples import GOLDEN
from asty_contracts.topics import KafkaTopic
from asty_ingest import kafka
from asty_ingest.bridge import Bridge
from asty_ingest.counters import Counters
from asty_ingest.mqtt import BACKOFF_S, backoff
from asty_ingest.settings import Shard
from asty_ingest.verify import Incoming
from asty_ingest.window import Window
from confluent_kafka import KafkaError

REC = "asty/1/demo/truck-01/up/rec"
PACK = (GOLDEN / "pack-pos.json").read_bytes()


class Broker:
    """One MQTT connection: remembers what it was asked."""

    def __init__(self) -> None:
        self.number = 0
        self.ended = threading.Event()
        self.subscribed: list[str] = []
        self.acked: list[int] = []
        self.broken_off = False

    def subscribe(self, filters: list[str]) -> None:
        self.subscribed += filters

    def ack(self, mids: list[int]) -> None:
        self.acked += mids

    def break_off(self) -> None:
        self.broken_off = True
        self.ended.set()


class Log:
    """Kafka: settles what was sent when it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[KafkaTopic, bytes, Callable[[KafkaError | None], None]]] = []

    def send(self, topic: KafkaTopic, _key: str, value: bytes, done: kafka.Done) -> None:
        self.sent.append((topic, value, done))

    def settle(self, index: int, code: int | None = None) -> None:
        self.sent[index][2](None if code is None else KafkaError(code))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def bridge(log: Log) -> Bridge:
    return Bridge("demo", Shard(), Window(2, 1_000_000), log.send, Counters())


@pytest.fixture
def broker(bridge: Bridge) -> Broker:
    made = Broker()
    bridge.opened(made)
    return made


def receive(bridge: Bridge, broker: Broker, mid: int, payload: bytes = PACK, topic: str = REC) -> None:
    bridge.received(broker, mid, Incoming(topic, payload, rx=1))


def test_a_delivery_that_failed_is_not_acknowledged_and_breaks_the_connection_off(bridge: Bridge, broker: Broker, log: Log) -> None:
    receive(bridge, broker, 1)
    receive(bridge, broker, 2)
    log.settle(0, KafkaError._MSG_TIMED_OUT)
    log.settle(1)
    assert broker.broken_off
    assert broker.acked == []
    assert bridge.in_flight == (0, 0)


def test_after_the_reconnect_the_same_pack_is_taken_again_and_acknowledged(bridge: Bridge, broker: Broker, log: Log) -> None:
    receive(bridge, broker, 1)
    log.settle(0, KafkaError._UNKNOWN_TOPIC)
    again = Broker()
    bridge.opened(again)
    receive(bridge, again, 1)
    log.settle(1)
    assert (broker.acked, again.acked) == ([], [1])


def test_a_pack_that_is_too_big_for_kafka_is_refused_and_not_sent_for_ever(bridge: Bridge, broker: Broker, log: Log) -> None:
    receive(bridge, broker, 1)
    log.settle(0, KafkaError.MSG_SIZE_TOO_LARGE)
    assert log.sent[1][0] == topics.REFUSED
    assert broker.acked == []
    log.settle(1)
    assert broker.acked == [1]
    assert not broker.broken_off


def test_a_refused_pack_is_acknowledged_only_when_the_refused_topic_has_it(bridge: Bridge, broker: Broker, log: Log) -> None:
    receive(bridge, broker, 1, b"nonsense")
    assert log.sent[0][0] == topics.REFUSED
    assert broker.acked == []
    log.settle(0)
    assert broker.acked == [1]


def test_a_full_window_holds_the_reader_until_kafka_has_something(bridge: Bridge, broker: Broker, log: Log) -> None:
    receive(bridge, broker, 1)
    receive(bridge, broker, 2)
    third = threading.Thread(target=receive, args=(bridge, broker, 3))
    third.start()
    third.join(0.1)
    assert third.is_alive()
    assert len(log.sent) == 2
    log.settle(0)
    third.join(10)
    assert not third.is_alive()
    assert len(log.sent) == 3


def test_a_held_reader_is_let_go_when_its_connection_ends(bridge: Bridge, broker: Broker, log: Log) -> None:
    receive(bridge, broker, 1)
    receive(bridge, broker, 2)
    held = threading.Thread(target=receive, args=(bridge, broker, 3))
    held.start()
    broker.ended.set()
    held.join(10)
    assert not held.is_alive()
    assert len(log.sent) == 2


def test_a_held_reader_is_let_go_when_the_process_stops(bridge: Bridge, broker: Broker, log: Log) -> None:
    receive(bridge, broker, 1)
    receive(bridge, broker, 2)
    held = threading.Thread(target=receive, args=(bridge, broker, 3))
    held.start()
    assert bridge.close(0.05) == 2, "two are left to the broker"
    held.join(10)
    assert not held.is_alive()
    assert len(log.sent) == 2


def test_once_it_closes_nothing_more_is_taken(bridge: Bridge, broker: Broker, log: Log) -> None:
    bridge.close(0)
    receive(bridge, broker, 1)
    assert (log.sent, broker.acked) == ([], [])


def test_a_shard_leaves_the_edges_of_others_and_subscribes_to_its_own_when_it_sees_them(log: Log) -> None:
    bridge = Bridge("demo", Shard(0, 2), Window(10, 1_000_000), log.send, Counters())
    broker = Broker()
    bridge.opened(broker)
    state = (GOLDEN / "state.json").read_bytes()
    receive(bridge, broker, 1, state, "asty/1/demo/truck-04/up/state")
    assert (log.sent, broker.acked) == ([], [1]), "truck-04 is of shard 1"
    receive(bridge, broker, 2, state, "asty/1/demo/truck-02/up/state")
    receive(bridge, broker, 3, state, "asty/1/demo/truck-02/up/state")
    own = ["asty/1/demo/truck-02/up/birth", "asty/1/demo/truck-02/up/rec"]
    assert broker.subscribed == ["asty/1/demo/+/up/state", *own]
    again = Broker()
    bridge.opened(again)
    assert again.subscribed == ["asty/1/demo/+/up/state", *own]


def test_the_back_off_doubles_to_a_limit_and_is_spread() -> None:
    limits = [backoff(failures, lambda _least, most: most) for failures in range(1, 9)]
    assert limits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert backoff(10_000, lambda _least, most: most) == BACKOFF_S[1]
    assert backoff(5, lambda least, _most: least) < 1
