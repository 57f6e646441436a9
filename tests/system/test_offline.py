"""A truck that was offline for a day drains its outbox whole, and a live alarm does not wait behind the backlog."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from asty_appliance import audit
from asty_appliance.home import Home, choose_ports
from asty_appliance.program import Program
from asty_appliance.servers import mqtt
from asty_appliance.supervision import Supervision
from asty_appliance.town import ORG, Town, bring_up, executable, plan
from asty_contracts.records import Alarm
from asty_contracts.stream import Alert
from asty_contracts.topics import ALERTS, URGENT, KafkaTopic
from asty_edge.event import Event, Moment
from asty_edge.outbox import Outbox
from asty_edge.outbox.inspection import inspect
from asty_firmware_sim.world import history
from asty_town import generate, read
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.xdist_group("system")]

HOURS = 24
"""Enough that the backlog does not fit into what may be out without an acknowledgement."""
PATIENCE = 90.0

CONFIG = """\
[edge]
id = "truck-01"
org = "{org}"
kind = "truck"

[outbox]
path = "outbox.db"

[uplink]
host = "127.0.0.1"
port = {port}
protocol = "{protocol}"

[[device]]
name = "gnss"
driver = "nmea"
port = "no-such-port"
"""


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"waited {PATIENCE:.0f} s for: {what}")
        time.sleep(0.2)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[tuple[Town, Supervision, Program]]:
    """Yield a running town without simulator and the program of one edge that has a day in its outbox and has not started."""
    home = Home(tmp_path / "home")
    home.make()
    town_file = home.data / "town.osm.pbf"
    generate(town_file)
    town = plan(home, town_file, choose_ports(home, preferred=False))
    folder = tmp_path / "truck-01"
    folder.mkdir()
    (folder / "edge.toml").write_text(CONFIG.format(org=ORG, port=town.ports["mqtt"], protocol=mqtt.protocol()))
    fill(folder / "outbox.db", town_file)
    command = (executable("asty-edge"), "run", "--config", str(folder / "edge.toml"))
    edge = Program(name="truck-01", stage="simulation", command=command, folder=str(folder))
    supervision = Supervision(home)
    try:
        bring_up(town, supervision, (edge,), say=print)
        yield town, supervision, edge
    finally:
        if supervision.is_running():
            supervision.shut_down()


def fill(path: Path, town_file: Path) -> None:
    """Put a day of records into an outbox, and an alarm in the middle of it: old news by the time it arrives."""
    start = int(time.time() * 1000) - HOURS * 3_600_000 - 120_000
    records = list(history(read(town_file), 1, "truck-01", start, HOURS))
    records.insert(len(records) // 2, (records[len(records) // 2][0], Alarm(code="scale_fault", on=True, device="scale")))
    outbox = Outbox.open(path, 1 << 28)
    for first in range(0, len(records), 500):
        outbox.append([Event(Moment(mono=0, utc=at, tq="gnss"), data) for at, data in records[first : first + 500]])
    outbox.close()


def test_a_day_offline_is_stored_whole_and_a_live_alarm_overtakes_it(town: tuple[Town, Supervision, Program]) -> None:
    place, supervision, edge = town
    stream = supervision.pid("stream")
    os.kill(stream, signal.SIGSTOP)
    supervision.start([edge])
    until(lambda: logged(place, "device gnss"), "the edge misses its receiver")
    until(lambda: received_alarms(place) > 0, "the alarm is in Kafka while the backlog waits")
    os.kill(stream, signal.SIGCONT)

    epoch, head = outbox_of(edge)
    until(lambda: audit.stored_by_epoch(place.dsn).get(epoch, audit.Stored(0, 0, 0, 0)).distinct >= head, "the whole day is stored")
    supervision.stop([edge.name])
    epoch, head = outbox_of(edge)
    until(lambda: audit.stored_by_epoch(place.dsn)[epoch].distinct == head, "what the edge produced meanwhile as well")
    assert audit.stored_by_epoch(place.dsn)[epoch].doubled == 0
    with psycopg.connect(place.dsn) as connection:
        live = connection.execute("SELECT min(rx) FROM telemetry.v_alarm WHERE code = 'device_lost'").fetchone()
        last = connection.execute("SELECT max(rx) FROM telemetry.fuel").fetchone()
    assert live is not None
    assert last is not None
    assert live[0] < last[0], "the live alarm reached the town before the end of the backlog"
    raised = {alert.code: alert.live for alert in alerts(place)}
    assert raised["device_lost"] is True
    assert raised.get("scale_fault", False) is False, "an alarm of yesterday raises nobody today"


def outbox_of(edge: Program) -> tuple[str, int]:
    found = inspect(Path(edge.folder) / "outbox.db")
    return str(UUID(found["epoch"])), int(found["head"])


def logged(town: Town, words: str) -> bool:
    return words in (town.home.logs / "truck-01.log").read_text()


def received_alarms(town: Town) -> int:
    """Count the alarm packs that ingest has put into the topic of what is urgent."""
    return sum(b"device_lost" in value for value in values(town, URGENT))


def alerts(town: Town) -> list[Alert]:
    return [msgspec.json.decode(value, type=Alert) for value in values(town, ALERTS)]


def values(town: Town, topic: KafkaTopic) -> list[bytes]:
    """Return everything that a topic holds."""
    consumer = Consumer({"bootstrap.servers": f"127.0.0.1:{town.ports['kafka']}", "group.id": f"test-{uuid4()}"})
    found: list[bytes] = []
    try:
        for number in range(topic.partitions):
            partition = TopicPartition(topic.name, number, OFFSET_BEGINNING)
            _, end = consumer.get_watermark_offsets(partition, timeout=10)
            consumer.assign([partition])
            for _ in range(end):
                message = consumer.poll(10)
                assert message is not None
                assert message.error() is None
                found.append(message.value())
    finally:
        consumer.close()
    return found
