"""asty-ingest as a process, between a real mosquitto and a real Kafka broker."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import pytest
from asty_contracts import envelope, groups, topics
from asty_contracts.envelope import CBOR, Pack, Record
from asty_contracts.life import Birth, State
from asty_contracts.records import Position
from asty_contracts.stream import Delivered, EdgeLife, Refused
from asty_contracts.topics import EdgeTopic, KafkaTopic, Up
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


class Ingest:
    """One asty-ingest process of an organisation that no other test uses."""

    def __init__(self, mosquitto: Any, tansu: Any, folder: Path, port: int, **more: str) -> None:
        self.org = f"org-{uuid.uuid4().hex[:8]}"
        self.mosquitto = mosquitto
        self.log_file = folder / f"{self.org}.log"
        self.port = port
        self.settings = {
            "ASTY_ORG": self.org,
            "ASTY_MQTT_HOST": mosquitto.host,
            "ASTY_MQTT_PORT": str(mosquitto.port),
            "ASTY_KAFKA_BOOTSTRAP": tansu.bootstrap,
            "ASTY_INGEST_METRICS_PORT": str(self.port),
            **more,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "asty_ingest.main"], env={"PATH": os.defpath, **self.settings}, stdout=log, stderr=log
            )

    def end(self, sig: int = signal.SIGTERM) -> int:
        assert self.process
        with suppress(ProcessLookupError):
            self.process.send_signal(sig)
        return self.process.wait(15)

    def get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()
        except OSError:
            return "{}"

    def health(self) -> dict[str, Any]:
        return json.loads(self.get("/health"))

    def publish(self, edge: str, payload: bytes, leaf: Up = Up.RECORDS, *, content_type: str | None = None, org: str = "") -> None:
        """Publish with QoS 1 as an edge does; returns when the broker has it."""
        properties = Properties(PacketTypes.PUBLISH)
        if content_type:
            properties.ContentType = content_type
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"edge-{uuid.uuid4().hex}", protocol=MQTTv5)
        client.connect(self.mosquitto.host, self.mosquitto.port)
        client.loop_start()
        try:
            client.publish(str(EdgeTopic(org or self.org, edge, leaf)), payload, qos=1, properties=properties).wait_for_publish(10)
        finally:
            client.disconnect()
            client.loop_stop()


@pytest.fixture
def new_ingest(mosquitto: Any, tansu: Any, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Callable[..., Ingest]]:
    made: list[Ingest] = []

    def make(broker: Any = mosquitto, **more: str) -> Ingest:
        made.append(Ingest(broker, tansu, tmp_path, free_port(), **more))
        return made[-1]

    yield make
    for each in made:
        if each.process is not None and each.process.poll() is None:
            each.end(signal.SIGKILL)
        print(each.log_file.read_text() if each.log_file.exists() else "never started")


@pytest.fixture
def ingest(new_ingest: Callable[..., Ingest], eventually: Callable[..., Any]) -> Ingest:
    """A running asty-ingest whose subscriptions stand."""
    made = new_ingest()
    made.start()
    stands(made, eventually)
    return made


def stands(ingest: Ingest, eventually: Callable[..., Any]) -> None:
    """Wait until a state comes through, hence subscriptions and topics stand."""

    def seen() -> bool:
        assert ingest.process.poll() is None, "asty-ingest ended"
        ingest.publish("probe", msgspec.json.encode(state()), Up.STATE)
        return bool(ingest.health().get("delivered"))

    eventually(seen, why="asty-ingest delivers a first message")
    eventually(lambda: ingest.health()["status"] == "ok" and ingest.health()["in_flight"] == 0, why="nothing is in flight")


def group_of(edge: str) -> str:
    """Name an edge's group as docs/wire.md does."""
    return f"g{crc32(edge.encode()) % 4}"


@pytest.fixture
def kafka(tansu: Any) -> Callable[..., list[Any]]:
    """Return `kafka(topic, org)`: all values that the topic holds of the organisation."""
    kinds = {topics.EDGE_LIFE: EdgeLife, topics.REFUSED: Refused}

    def read(topic: KafkaTopic, org: str) -> list[Any]:
        consumer = Consumer(
            {"bootstrap.servers": tansu.bootstrap, "group.id": uuid.uuid4().hex, "enable.partition.eof": True, "log_level": 0}
        )
        values = []
        try:
            consumer.assign([TopicPartition(topic.name, n, OFFSET_BEGINNING) for n in range(topic.partitions)])
            ended: set[int] = set()
            deadline = time.monotonic() + 5
            while len(ended) < topic.partitions and time.monotonic() < deadline:
                message = consumer.poll(0.5)
                if message is None:
                    continue
                if message.error():
                    ended.add(message.partition())
                elif org.encode() not in message.value():
                    continue
                elif kind := kinds.get(topic):
                    values.append(msgspec.json.decode(message.value(), type=kind))
                    assert message.key().decode() == values[-1].edge or ""
                else:
                    packs = groups.decode(message.value())
                    assert {group_of(it.edge) for it in packs} == {message.key().decode()}
                    values += packs
        except KafkaException:
            return []
        finally:
            consumer.close()
        return values

    return read


def pack(*sequences: int, h: bool = False, ep: uuid.UUID | None = None) -> Pack:
    kind, data = envelope.encode_data(Position(lat=40.77, lon=22.39))
    return Pack(ep or uuid.uuid4(), [Record(s=s, t=1_795_000_000_000 + s, k=kind, d=msgspec.Raw(data)) for s in sequences or (1,)], h=h)


def state(ep: uuid.UUID | None = None) -> State:
    return State(up=True, session=uuid.uuid4(), n=1, at=1_795_000_000_000, ep=ep)


def sequences(values: list[Delivered]) -> list[int]:
    return sorted(record.s for value in values for record in value.pack.recs)


def test_a_live_pack_reaches_telemetry_and_a_backlog_pack_its_own_topic(ingest: Ingest, kafka: Any, eventually: Any) -> None:
    ingest.publish("truck-01", envelope.encode(pack(1, 2, 3)))
    ingest.publish("truck-01", envelope.encode(pack(7, h=True)))
    assert sequences(eventually(lambda: kafka(topics.TELEMETRY, ingest.org))) == [1, 2, 3]
    assert sequences(eventually(lambda: kafka(topics.BACKLOG, ingest.org))) == [7]


def test_a_json_pack_arrives_with_its_unknown_fields_and_a_cbor_pack_as_json(
    ingest: Ingest, kafka: Any, eventually: Any, tansu: Any
) -> None:
    text = b'{"v":1,"ep":"6a1f0c9e-0000-4000-8000-000000000001", "new":[1], "recs":[{"s":1,"t":5,"k":"later","d":{"a": 1.50}}]}'
    ingest.publish("truck-01", text)
    ingest.publish("truck-02", envelope.encode(pack(2), CBOR), content_type=CBOR)
    eventually(lambda: len(kafka(topics.TELEMETRY, ingest.org)) == 2, why="both packs are in Kafka")
    delivered = {value.edge: value for value in kafka(topics.TELEMETRY, ingest.org)}
    assert bytes(delivered["truck-01"].pack.recs[0].d) == b'{"a": 1.50}'
    assert delivered["truck-01"].pack.recs[0].k == "later"
    assert envelope.decode_data("pos", delivered["truck-02"].pack.recs[0].d) == Position(lat=40.77, lon=22.39)


def test_births_and_states_reach_edge_life_as_they_were_sent(ingest: Ingest, kafka: Any, eventually: Any) -> None:
    birth = Birth(edge="truck-01", kind="truck", software="1", config="c", session=uuid.uuid4(), ep=uuid.uuid4(), at=1)
    ingest.publish("truck-01", msgspec.json.encode(birth), Up.BIRTH)
    found = eventually(lambda: [life for life in kafka(topics.EDGE_LIFE, ingest.org) if life.what == "birth"])
    assert msgspec.json.decode(found[0].body, type=Birth) == birth


@pytest.mark.parametrize(
    ("reason", "payload"),
    [
        ("malformed", b'{"v":1,"recs":'),
        ("too_big", b'{"v":1}' + b" " * envelope.MAX_PACK_BYTES),
        ("unknown_version", b'{"v":2,"whatever":true}'),
    ],
)
def test_a_pack_that_cannot_be_taken_is_kept_with_its_reason_and_counted(
    ingest: Ingest, kafka: Any, eventually: Any, reason: str, payload: bytes
) -> None:
    ingest.publish("truck-01", payload)
    (refused,) = eventually(lambda: kafka(topics.REFUSED, ingest.org))
    assert (refused.reason, refused.edge, refused.size) == (reason, "truck-01", len(payload))
    assert refused.payload == payload[:4096]
    eventually(lambda: f'asty_ingest_refused_total{{reason="{reason}"}} 1' in ingest.get("/metrics"), why="the refusal is counted")
    eventually(lambda: ingest.health()["in_flight"] == 0, why="a refused pack is acknowledged, so that it comes no second time")


def test_an_epoch_that_another_edge_used_first_is_refused_as_wrong_edge(ingest: Ingest, kafka: Any, eventually: Any) -> None:
    ep = uuid.uuid4()
    ingest.publish("truck-01", envelope.encode(pack(1, ep=ep)))
    ingest.publish("truck-02", envelope.encode(pack(1, ep=ep)))
    (refused,) = eventually(lambda: kafka(topics.REFUSED, ingest.org))
    assert (refused.reason, refused.edge) == ("wrong_edge", "truck-02")
    assert [value.edge for value in kafka(topics.TELEMETRY, ingest.org)] == ["truck-01"]


def test_no_puback_leaves_before_kafka_has_the_pack(new_mosquitto: Any, new_ingest: Any, tansu: Any, kafka: Any, eventually: Any) -> None:
    broker = new_mosquitto("allow_anonymous true\nlog_type all\n")
    ingest = new_ingest(broker)
    ingest.start()
    stands(ingest, eventually)

    def handed_over() -> set[str]:
        to = rf"Sending PUBLISH to asty-ingest-{ingest.org}\S* "
        return set(re.findall(to + r"\(d\d, q1, r\d, m(\d+), '\S+/truck-01/up/rec'", broker.log()))

    def acknowledged() -> set[str]:
        return set(re.findall(rf"Received PUBACK from asty-ingest-{ingest.org}\S* \(Mid: (\d+),", broker.log()))

    before = handed_over()
    tansu.pause()
    try:
        for s in (1, 2, 3):
            ingest.publish("truck-01", envelope.encode(pack(s)))
        eventually(lambda: ingest.health()["in_flight"] >= 3 and len(handed_over() - before) == 3, why="three packs are in flight")
        packs = handed_over() - before
        assert not packs & acknowledged()
    finally:
        tansu.resume()
    eventually(lambda: packs <= acknowledged(), why="all three are acknowledged once Kafka answers")
    assert sequences(kafka(topics.TELEMETRY, ingest.org)) == [1, 2, 3]


def test_what_a_killed_ingest_had_in_flight_comes_again(ingest: Ingest, tansu: Any, kafka: Any, eventually: Any) -> None:
    tansu.pause()
    try:
        ep = uuid.uuid4()
        for s in range(1, 41):
            ingest.publish("truck-01", envelope.encode(pack(s, ep=ep)))
        # a late probe of the start may be in flight beside them
        eventually(lambda: ingest.health()["in_flight"] >= 40, why="all packs are in flight")
        ingest.end(signal.SIGKILL)
    finally:
        tansu.resume()
    for s in range(41, 61):  # while it is away
        ingest.publish("truck-01", envelope.encode(pack(s, ep=ep)))
    ingest.start()
    eventually(lambda: set(sequences(kafka(topics.TELEMETRY, ingest.org))) == set(range(1, 61)), why="every pack is in Kafka")


def test_it_goes_on_by_itself_when_kafka_forgot_everything(ingest: Ingest, tansu: Any, kafka: Any, eventually: Any) -> None:
    ingest.publish("truck-01", envelope.encode(pack(1)))
    eventually(lambda: kafka(topics.TELEMETRY, ingest.org))
    tansu.kill()
    ingest.publish("truck-01", envelope.encode(pack(2)))
    tansu.start()
    ingest.publish("truck-01", envelope.encode(pack(3)))
    eventually(lambda: sequences(kafka(topics.TELEMETRY, ingest.org)) == [2, 3], why="packs arrive in the newly created topics", within=40)
    eventually(lambda: ingest.health()["in_flight"] == 0)
    assert ingest.process.poll() is None


def test_it_waits_for_servers_that_are_not_there_yet(new_mosquitto: Any, new_ingest: Any, tansu: Any, kafka: Any, eventually: Any) -> None:
    broker = new_mosquitto()
    ingest = new_ingest(broker)
    broker.stop()
    tansu.kill()
    try:
        ingest.start()
        eventually(lambda: ingest.health().get("status") == "waiting", why="it says that it waits")
        assert (ingest.health()["mqtt"], ingest.health()["kafka"]) == (False, False)
    finally:
        tansu.start()
    broker.start()
    eventually(lambda: ingest.health()["status"] == "ok", why="both servers are reached", within=40)
    stands(ingest, eventually)


def test_a_broker_that_crashes_is_connected_to_again_and_read_from(ingest: Ingest, mosquitto: Any, kafka: Any, eventually: Any) -> None:
    mosquitto.kill()
    mosquitto.start()
    eventually(lambda: ingest.health()["mqtt"] and ingest.health()["connects"] == 2, why="it connects again")

    def arrives() -> bool:
        ingest.publish("truck-01", envelope.encode(pack(5)))
        return bool(kafka(topics.TELEMETRY, ingest.org))

    eventually(arrives)


def test_sigterm_delivers_and_acknowledges_what_is_in_flight_and_exits_0(ingest: Ingest, tansu: Any, kafka: Any, eventually: Any) -> None:
    tansu.pause()
    ingest.publish("truck-01", envelope.encode(pack(1)))
    eventually(lambda: ingest.health()["in_flight"] == 1)
    ingest.process.send_signal(signal.SIGTERM)
    tansu.resume()
    assert ingest.process.wait(15) == 0
    assert sequences(kafka(topics.TELEMETRY, ingest.org)) == [1]
    ingest.start()
    stands(ingest, eventually)
    assert sequences(kafka(topics.TELEMETRY, ingest.org)) == [1], "an acknowledged pack comes no second time"


def test_two_shards_take_each_edge_once(new_ingest: Any, kafka: Any, eventually: Any) -> None:
    shards = [new_ingest(ASTY_INGEST_SHARD=f"{index}/2") for index in (0, 1)]
    shards[1].settings["ASTY_ORG"] = shards[1].org = shards[0].org
    edges = [f"truck-{n:02}" for n in range(8)]
    for shard in shards:
        shard.start()
        eventually(lambda each=shard: each.health().get("mqtt"), why="it is connected")
    for edge in edges:
        shards[0].publish(edge, msgspec.json.encode(state()), Up.STATE)
    eventually(lambda: len({life.edge for life in kafka(topics.EDGE_LIFE, shards[0].org)}) == 8, why="each edge was seen by its shard")
    for edge in edges:
        shards[0].publish(edge, envelope.encode(pack(1)))
    eventually(lambda: sum(shard.health()["delivered"].get("telemetry.v1", 0) for shard in shards) == 8, why="all packs are in Kafka")
    assert sorted(value.edge for value in kafka(topics.TELEMETRY, shards[0].org)) == edges
    assert all(shard.health()["delivered"].get("telemetry.v1", 0) for shard in shards)


def test_an_mqtt_3_1_1_broker_serves_as_well(new_ingest: Any, kafka: Any, eventually: Any) -> None:
    ingest = new_ingest(ASTY_MQTT_PROTOCOL="3.1.1")
    ingest.start()
    stands(ingest, eventually)
    ingest.publish("truck-01", envelope.encode(pack(1)))
    assert sequences(eventually(lambda: kafka(topics.TELEMETRY, ingest.org))) == [1]


def test_a_metrics_port_that_is_taken_ends_it_with_a_message_that_says_which(new_ingest: Any, mosquitto: Any) -> None:
    ingest = new_ingest(ASTY_INGEST_METRICS_PORT=str(mosquitto.port))
    ingest.start()
    assert ingest.process.wait(15) == 2
    assert f"ASTY_INGEST_METRICS_PORT={mosquitto.port}" in ingest.log_file.read_text()


def test_wrong_settings_end_it_with_a_message_that_names_each_variable(new_ingest: Any) -> None:
    ingest = new_ingest(ASTY_ORG="No Such Org", ASTY_MQTT_PORT="many")
    ingest.start()
    assert ingest.process.wait(15) == 2
    log = ingest.log_file.read_text()
    assert "ASTY_ORG='No Such Org'" in log
    assert "ASTY_MQTT_PORT='many': expected a number from 1 to 65535" in log
