"""The bridge between two peers that do what no server does on demand."""

import threading
from collections.abc import Callable

import pytest
from asty_contracts import groups, topics
from asty_contracts.examples import EPOCH, GOLDEN
from asty_contracts.topics import KafkaTopic
from asty_ingest import kafka
from asty_ingest.bridge import Bridge
from asty_ingest.counters import Counters
from asty_ingest.groups import MOST_BYTES
from asty_ingest.mqtt import BACKOFF_S, backoff
from asty_ingest.settings import Shard
from asty_ingest.verify import Incoming
from asty_ingest.window import Window
from confluent_kafka import KafkaError

REC = "asty/1/demo/truck-01/up/rec"
OTHER = "asty/1/demo/truck-03/up/rec"  # of another group of edges than truck-01
PACK = (GOLDEN / "pack-pos.json").read_bytes()


def pack(s: int, padding: int = 0) -> bytes:
    """A pack of one record with that sequence; `padding` makes it larger."""
    return b'{"ep":"%s","recs":[{"s":%d,"t":1,"k":"later","d":"%s"}]}' % (str(EPOCH).encode(), s, b"x" * padding)


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
    return Bridge("demo", Shard(), Window(2, 1_000_000), log.send, Counters(), gather=0)


@pytest.fixture
def broker(bridge: Bridge) -> Broker:
    made = Broker()
    bridge.opened(made)
    return made


def receive(bridge: Bridge, broker: Broker, mid: int, payload: bytes = PACK, topic: str = REC) -> None:
    bridge.received(broker, [Incoming(topic, payload, rx=1, mid=mid)])


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


def edges_of(value: bytes) -> list[str]:
    return [delivered.edge for delivered in groups.decode(value)]


def grouping(log: Log, most: int = 100, gather: float = 0) -> tuple[Bridge, Broker]:
    """Return a bridge whose window holds many packs, and its broker."""
    bridge, broker = Bridge("demo", Shard(), Window(most, 10_000_000), log.send, Counters(), gather), Broker()
    bridge.opened(broker)
    return bridge, broker


def test_a_lone_pack_waits_for_nothing_and_those_that_come_meanwhile_travel_together_in_their_order(log: Log) -> None:
    bridge, broker = grouping(log)
    for mid in range(1, 5):
        receive(bridge, broker, mid, pack(mid))
    assert [edges_of(value) for _, value, _ in log.sent] == [["truck-01"]]
    log.settle(0)
    assert broker.acked == [1], "what waits is not acknowledged"
    assert [it.pack.recs[0].s for it in groups.decode(log.sent[1][1])] == [2, 3, 4]
    assert edges_of(log.sent[1][1]) == ["truck-01"] * 3
    log.settle(1)
    assert broker.acked == [1, 2, 3, 4]


def test_packs_that_are_read_at_once_travel_together(log: Log) -> None:
    bridge, broker = grouping(log)
    bridge.received(broker, [Incoming(REC, pack(mid), rx=1, mid=mid) for mid in (1, 2, 3)])
    assert [edges_of(value) for _, value, _ in log.sent] == [["truck-01"] * 3]
    log.settle(0)
    assert broker.acked == [1, 2, 3]


def test_of_packs_that_are_read_at_once_those_that_have_no_room_wait(log: Log) -> None:
    bridge, broker = grouping(log, most=2)
    reader = threading.Thread(
        target=bridge.received, args=(broker, [Incoming(REC, pack(mid), rx=1, mid=mid) for mid in (1, 2, 3)]), daemon=True
    )
    reader.start()
    reader.join(0.1)
    assert [len(edges_of(value)) for _, value, _ in log.sent] == [2]
    log.settle(0)
    reader.join(10)
    assert [len(edges_of(value)) for _, value, _ in log.sent] == [2, 1]


def test_a_group_that_is_full_does_not_wait_for_the_one_before_it(log: Log) -> None:
    bridge, broker = grouping(log)
    for mid in range(1, 101):
        receive(bridge, broker, mid, pack(mid, padding=MOST_BYTES // 50))
    assert len(log.sent) > 1
    assert all(len(value) < 2 * MOST_BYTES for _, value, _ in log.sent)


def test_a_bad_pack_among_good_ones_is_refused_alone(log: Log) -> None:
    bridge, broker = grouping(log)
    for mid, payload in enumerate((pack(1), pack(2), b"nonsense", pack(3)), 1):
        receive(bridge, broker, mid, payload)
    assert [topic for topic, _, _ in log.sent] == [topics.TELEMETRY, topics.REFUSED]
    log.settle(0)
    log.settle(1)
    assert broker.acked == [1]
    log.settle(2)
    assert edges_of(log.sent[2][1]) == ["truck-01", "truck-01"]
    assert broker.acked == [1, 2, 3, 4]


def test_backlog_and_live_packs_never_share_a_message(log: Log) -> None:
    bridge, broker = grouping(log)
    receive(bridge, broker, 1, pack(1))
    receive(bridge, broker, 2, pack(2))
    receive(bridge, broker, 3, (GOLDEN / "pack-backlog.json").read_bytes())
    assert [topic for topic, _, _ in log.sent] == [topics.TELEMETRY, topics.BACKLOG]


def test_an_alarm_leaves_at_once_while_the_packs_around_it_gather(log: Log) -> None:
    bridge, broker = grouping(log, gather=60)
    receive(bridge, broker, 1, pack(1))
    log.settle(0)
    alarm = (GOLDEN / "pack-alarm.json").read_bytes()
    bridge.received(broker, [Incoming(REC, payload, rx=1, mid=mid) for mid, payload in ((2, pack(2)), (3, alarm), (4, pack(3)))])
    assert [topic for topic, _, _ in log.sent] == [topics.TELEMETRY, topics.URGENT]
    log.settle(1)
    assert broker.acked == [1], "MQTT wants acknowledgements in the order of what came"


def test_what_gathered_leaves_without_a_further_pack(log: Log) -> None:
    bridge, broker = grouping(log, gather=0.1)
    receive(bridge, broker, 1, pack(1))
    log.settle(0)
    receive(bridge, broker, 2, pack(2))
    receive(bridge, broker, 3, pack(3))
    stop = threading.Event()
    clock = threading.Thread(target=bridge.run, args=(stop,))
    clock.start()
    while len(log.sent) < 2:
        stop.wait(0.01)
    stop.set()
    clock.join()
    assert edges_of(log.sent[1][1]) == ["truck-01", "truck-01"]


def test_of_a_group_that_is_too_big_for_kafka_each_pack_is_tried_alone(log: Log) -> None:
    bridge, broker = grouping(log)
    for mid in (1, 2, 3):
        receive(bridge, broker, mid, pack(mid))
    log.settle(0)
    log.settle(1, KafkaError.MSG_SIZE_TOO_LARGE)
    assert [edges_of(value) for _, value, _ in log.sent[2:]] == [["truck-01"], ["truck-01"]]
    log.settle(2)
    log.settle(3, KafkaError.MSG_SIZE_TOO_LARGE)
    assert broker.acked == [1, 2]
    assert log.sent[4][0] == topics.REFUSED
    log.settle(4)
    assert broker.acked == [1, 2, 3]


def test_a_group_that_failed_acknowledges_none_of_its_packs(log: Log) -> None:
    bridge, broker = grouping(log)
    for mid in (1, 2, 3):
        receive(bridge, broker, mid, pack(mid))
    log.settle(0)
    log.settle(1, KafkaError._MSG_TIMED_OUT)
    assert (broker.acked, broker.broken_off, bridge.in_flight) == ([1], True, (0, 0))


def test_a_refused_pack_is_acknowledged_only_when_the_refused_topic_has_it(bridge: Bridge, broker: Broker, log: Log) -> None:
    receive(bridge, broker, 1, b"nonsense")
    assert log.sent[0][0] == topics.REFUSED
    assert broker.acked == []
    log.settle(0)
    assert broker.acked == [1]


def test_a_full_window_holds_the_reader_until_kafka_has_something(bridge: Bridge, broker: Broker, log: Log) -> None:
    receive(bridge, broker, 1)
    receive(bridge, broker, 2, topic=OTHER)
    third = threading.Thread(target=receive, args=(bridge, broker, 3), daemon=True)
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
    receive(bridge, broker, 2, topic=OTHER)
    held = threading.Thread(target=receive, args=(bridge, broker, 3), daemon=True)
    held.start()
    broker.ended.set()
    held.join(10)
    assert not held.is_alive()
    assert len(log.sent) == 2


def test_a_held_reader_is_let_go_when_the_process_stops(bridge: Bridge, broker: Broker, log: Log) -> None:
    receive(bridge, broker, 1)
    receive(bridge, broker, 2, topic=OTHER)
    held = threading.Thread(target=receive, args=(bridge, broker, 3), daemon=True)
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
