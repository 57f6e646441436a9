"""The worker as a process, with a real Kafka (Tansu), MQTT broker and PostgreSQL, which are killed under it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiomqtt
import msgspec
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from asty_contracts.life import Ack, Birth, State
from asty_contracts.records import Alarm, Lift
from asty_contracts.stream import Alert, BinLifted, EdgeLife, Refused
from asty_contracts.topics import ALERTS, BACKLOG, EDGE_LIFE, REFUSED, TELEMETRY, TOWN_EVENTS, URGENT, KafkaTopic
from asty_stream.kafka import ensure_topics
from asty_stream.store.keeper import now_ms
from msgspec import Raw

pytestmark = pytest.mark.system
ORG = "demo"


class Rig:
    """The three servers, the worker's environment, and ways to speak and listen beside it."""

    def __init__(self, dsn: str, postgres: Any, tansu: Any, mosquitto: Any, folder: Path) -> None:
        self.dsn, self.postgres, self.tansu, self.mosquitto = dsn, postgres, tansu, mosquitto
        self.log = folder / "worker.log"
        self.environment = dict(os.environ) | {  # noqa: TID251
            "ASTY_ORG": ORG, "ASTY_DATABASE_DSN": dsn, "ASTY_KAFKA_BOOTSTRAP": tansu.bootstrap, "ASTY_MQTT_PORT": str(mosquitto.port),
            "ASTY_STREAM_GROUP": f"stream-{uuid4().hex[:8]}", "ASTY_STREAM_STALL_SECONDS": "10",
        }  # fmt: skip
        self.worker: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-c", "import sys; from asty_stream.cli import main; sys.exit(main())", "worker"]
            self.worker = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def end(self, sig: signal.Signals, within: float = 20) -> int:
        assert self.worker is not None
        self.worker.send_signal(sig)
        return self.worker.wait(within)

    async def publish(self, *messages: tuple[KafkaTopic, str, bytes]) -> None:
        """Hand messages to Kafka as ingest does: again until it has them."""
        await ensure_topics(self.tansu.bootstrap, 1)
        producer = AIOKafkaProducer(bootstrap_servers=self.tansu.bootstrap, acks="all")
        await producer.start()
        for topic, key, value in messages:
            await producer.send_and_wait(topic.name, value, key=key.encode())
        await producer.stop()

    async def heard[T](self, topic: KafkaTopic, shape: type[T], edge: str) -> list[T]:
        """Return what an edge caused on a topic so far."""
        consumer = AIOKafkaConsumer(topic.name, bootstrap_servers=self.tansu.bootstrap, auto_offset_reset="earliest", group_id=None)
        await consumer.start()
        messages = await consumer.getmany(timeout_ms=2000)
        await consumer.stop()
        values = [msgspec.json.decode(it.value, type=shape) for batch in messages.values() for it in batch]
        return [it for it in values if it.edge == edge]  # type: ignore[attr-defined]

    async def acked(self, edge: str, upto: int, within: float = 40) -> Ack:
        """Wait for the retained acknowledgement that reaches `upto`."""
        async with asyncio.timeout(within), aiomqtt.Client("127.0.0.1", self.mosquitto.port) as client:
            await client.subscribe(f"asty/1/{ORG}/{edge}/dn/ack", qos=1)
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                ack = msgspec.json.decode(message.payload, type=Ack)
                if ack.upto >= upto:
                    return ack
        raise AssertionError("unreachable")

    def ask(self, query: str, *parameters: Any) -> list[Any]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return connection.execute(query, parameters).fetchall()  # type: ignore[call-overload]

    def stored(self, edge: Any) -> list[int]:
        return [
            row[0]
            for row in self.ask("SELECT s FROM telemetry.position JOIN telemetry.ledger USING (epoch) WHERE ep = %s ORDER BY s", edge.ep)
        ]


@pytest.fixture(scope="module")
def rig(native_dsn: str, postgres: Any, tansu: Any, mosquitto: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    it = Rig(native_dsn, postgres, tansu, mosquitto, tmp_path_factory.mktemp("worker"))
    it.start()
    yield it
    if it.worker is not None and it.worker.poll() is None:
        it.end(signal.SIGKILL)


@pytest.fixture
def running(rig: Rig) -> Rig:
    """The rig with its worker running."""
    assert rig.worker is not None
    if rig.worker.poll() is not None:
        rig.start()
    return rig


@pytest.fixture
def edge(new_edge: Callable[[str], Any]) -> Any:
    return new_edge(f"truck-{uuid4().hex[:8]}")


def alarm(edge: Any) -> tuple[KafkaTopic, str, bytes]:
    now = now_ms()
    return URGENT, edge.name, edge.message([edge.record(Alarm("fuel_theft", True), now)], rx=now)


def pack(edge: Any, count: int, *, h: bool = False) -> tuple[KafkaTopic, str, bytes]:
    now = now_ms()
    return (BACKLOG if h else TELEMETRY, edge.name, edge.message(edge.positions(count, now - 60_000), rx=now, h=h))


async def test_packs_of_both_lanes_are_stored_and_acknowledged_retained(running: Rig, edge: Any) -> None:
    await running.publish(*(pack(edge, 20, h=n % 2 == 1) for n in range(6)))
    assert await running.acked(edge.name, 120) == Ack(edge.ep, 120)
    assert running.stored(edge) == list(range(1, 121))


async def test_a_lift_and_an_alarm_reach_the_town(running: Rig, edge: Any) -> None:
    now = now_ms()
    records = [edge.record(Lift(1, now - 9000, now, tag="AABBCCDD", net=38.0), now), edge.record(Alarm("fuel_theft", True), now)]
    await running.publish((URGENT, edge.name, edge.message(records, rx=now)))
    await running.acked(edge.name, 2)
    old = [edge.record(Alarm("gnss_lost", True), now - 3_600_000)]
    await running.publish((BACKLOG, edge.name, edge.message(old, rx=now, h=True)))
    await running.acked(edge.name, 3)
    async with asyncio.timeout(20):
        while len(alerts := await running.heard(ALERTS, Alert, edge.name)) < 2:
            pass
    assert {alert.code: alert.live for alert in alerts} == {"fuel_theft": True, "gnss_lost": False}
    [event] = await running.heard(TOWN_EVENTS, BinLifted, edge.name)
    assert (event.ep, event.s, event.tag, event.net) == (edge.ep, 1, "AABBCCDD", 38.0)


async def test_births_states_and_refusals_are_shown_and_a_late_will_buries_nothing(running: Rig, edge: Any, eventually: Any) -> None:
    old, new = uuid4(), uuid4()

    def life(what: Any, said: Birth | State) -> tuple[KafkaTopic, str, bytes]:
        return EDGE_LIFE, edge.name, msgspec.json.encode(EdgeLife(ORG, edge.name, now_ms(), what, Raw(msgspec.json.encode(said))))

    refused = Refused("asty/1/demo/x/up/rec", edge.name, now_ms(), "too_big", "300000 bytes", 300_000, b"\x00\xff")
    await running.publish(
        life("birth", Birth(edge.name, "truck", "0.1.0", "c0ffee", new, edge.ep, now_ms())),
        life("state", State(True, new, 2, now_ms(), edge.ep, head=50)),
        life("state", State(False, old, 1, now_ms(), edge.ep)),
        (EDGE_LIFE, edge.name, b"no life"),
        (REFUSED, edge.name, msgspec.json.encode(refused)),
    )
    eventually(lambda: running.ask("SELECT 1 FROM telemetry.v_refused WHERE edge = %s", edge.name), why=running.log.read_text())
    eventually(lambda: running.ask("SELECT 1 FROM telemetry.v_refused WHERE payload = 'no life'"))
    assert running.ask("SELECT kind, software, up, session FROM telemetry.v_edge WHERE edge = %s", edge.name) == [
        ("truck", "0.1.0", True, new)
    ]
    assert running.ask("SELECT produced, missing FROM telemetry.v_ledger WHERE ep = %s", edge.ep) == [(50, 50)]
    assert running.ask("SELECT reason, payload FROM telemetry.v_refused WHERE edge = %s", edge.name) == [("too_big", b"\x00\xff")]


async def test_a_database_killed_under_the_take_loop_costs_no_record(running: Rig, edge: Any) -> None:
    await running.publish(pack(edge, 20))
    await running.acked(edge.name, 20)
    running.postgres.server.kill()
    await running.publish(*(pack(edge, 20) for _ in range(10)))
    await asyncio.to_thread(_until, lambda: "the database is away" in running.log.read_text())
    running.postgres.server.start()
    await running.acked(edge.name, 220)
    assert running.stored(edge) == list(range(1, 221))


async def test_a_worker_killed_in_the_middle_of_a_transaction_stores_each_record_once_after_its_restart(running: Rig, edge: Any) -> None:
    blocked = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'asty-stream' AND wait_event_type = 'Lock'"
    with psycopg.connect(running.dsn) as holder:
        holder.execute("LOCK TABLE telemetry.position IN SHARE MODE")
        await running.publish(*(pack(edge, 20) for _ in range(5)))
        await asyncio.to_thread(_until, lambda: bool(running.ask(blocked)))
        running.end(signal.SIGKILL)
    assert running.stored(edge) == []
    running.start()
    await running.acked(edge.name, 100)
    assert running.stored(edge) == list(range(1, 101))


async def test_an_alarm_is_stored_before_the_packs_that_came_first_and_wait(running: Rig, edge: Any) -> None:
    """As long as live packs can't be stored, here because their table is locked."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'asty-stream' AND wait_event_type = 'Lock'"
    other = type(edge)(f"truck-{uuid4().hex[:8]}")
    with psycopg.connect(running.dsn) as holder:
        holder.execute("LOCK TABLE telemetry.position IN SHARE MODE")
        await running.publish(*(pack(other, 20) for _ in range(5)))
        await asyncio.to_thread(_until, lambda: bool(running.ask(waiting)))
        await running.publish(alarm(edge))
        await running.acked(edge.name, 1)
        assert running.stored(other) == []
    await running.acked(other.name, 100)


async def test_a_broker_that_lost_its_retained_messages_gets_them_again(running: Rig, edge: Any) -> None:
    await running.publish(pack(edge, 5))
    await running.acked(edge.name, 5)
    running.mosquitto.kill()
    for database in running.mosquitto.folder.glob("*.db*"):
        database.unlink()
    running.mosquitto.start()
    assert await running.acked(edge.name, 5) == Ack(edge.ep, 5)


async def test_a_kafka_that_forgot_everything_is_set_up_again_and_a_resend_loses_and_doubles_nothing(running: Rig, edge: Any) -> None:
    first = [pack(edge, 20) for _ in range(3)]
    await running.publish(*first)
    await running.acked(edge.name, 60)
    running.tansu.restart()
    rest = [*(pack(edge, 20) for _ in range(3)), alarm(edge)]
    upto = "SELECT 1 FROM telemetry.ledger WHERE ep = %s AND stored = '{[1,122)}'"
    async with asyncio.timeout(80):
        while not running.ask(upto, edge.ep):  # an edge resends what is not acknowledged
            await running.publish(*first, *rest)
            with_patience = asyncio.to_thread(_until, lambda: bool(running.ask(upto, edge.ep)), 5, False)
            await with_patience
            if running.worker is not None and running.worker.poll() is not None:
                running.start()  # as the supervisor does after the watchdog gave up
    assert running.stored(edge) == list(range(1, 121))
    await running.acked(edge.name, 121)


async def test_it_stops_within_five_seconds_while_the_database_is_down(running: Rig, edge: Any) -> None:
    await running.publish(pack(edge, 1))
    await running.acked(edge.name, 1)
    running.postgres.server.kill()
    said = running.log.stat().st_size
    await running.publish(pack(edge, 20))
    await asyncio.to_thread(_until, lambda: "the database is away" in running.log.read_text()[said:])
    assert running.end(signal.SIGTERM, within=6) == 0
    running.postgres.server.start()
    running.start()
    await running.acked(edge.name, 21)


async def test_it_stops_within_five_seconds_while_kafka_is_silent(running: Rig, edge: Any) -> None:
    await running.publish(pack(edge, 1))
    await running.acked(edge.name, 1)
    running.tansu.pause()
    assert running.end(signal.SIGTERM, within=6) == 0
    running.tansu.resume()


def _until(condition: Callable[[], bool], within: float = 40, must: bool = True) -> None:
    deadline = time.monotonic() + within
    while not _holds(condition):
        if time.monotonic() > deadline:
            assert not must, "not in time"
            return
        time.sleep(0.05)


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except psycopg.OperationalError:
        return False
