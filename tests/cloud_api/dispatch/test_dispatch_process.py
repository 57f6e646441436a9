"""The planner as a process on real PostgreSQL, Kafka and Valhalla: a trigger changes a route, once, whatever is killed meanwhile."""

import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asty_town
import psycopg
import pytest
from asty_cloud_api.dispatch.inbox import KafkaAwayError, Outbox, ensure_topic
from asty_contracts.stream import PlanTrigger
from asty_firmware_sim.edges import register
from asty_firmware_sim.scenario import load
from asty_firmware_sim.world import World

PLANNER = Path(sys.executable).parent / "asty-cloud-api"
PATIENCE = 60.0


def connected(dsn: str) -> psycopg.Connection[Any]:
    """Connect, also to a server that recovers."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return psycopg.connect(dsn, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


class Town:
    """The database of a simulated town whose shift is now, and the planner on it."""

    def __init__(self, fleet: Any, database: Any, kafka: Any, environment: dict[str, str], log: Path) -> None:
        self.fleet = fleet
        self.database = database
        self.kafka = kafka
        self.environment = environment
        self.log = log

    @contextmanager
    def planner(self) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("ab") as log, subprocess.Popen([PLANNER, "planner"], env=self.environment, stderr=log) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def news(self) -> Iterator[Callable[..., dict[str, Any]]]:
        """Yield `wait(what=…, edge=…)`: the first news of that kind since the block began."""
        with connected(self.fleet.dsn) as connection:
            connection.execute("LISTEN fleet")

            heard: list[dict[str, Any]] = []

            def wait(**wanted: Any) -> dict[str, Any]:
                end = time.monotonic() + PATIENCE
                while not (found := [said for said in heard if all(said.get(key) == value for key, value in wanted.items())]):
                    if time.monotonic() > end:
                        pytest.fail(f"no {wanted} within {PATIENCE:.0f} s, but {heard}:\n{self.log.read_text()[-3000:]}")
                    heard.extend(json.loads(notice.payload) for notice in connection.notifies(timeout=1, stop_after=1))
                return found[0]

            yield wait

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        with psycopg.connect(self.fleet.dsn, autocommit=True, row_factory=psycopg.rows.namedtuple_row) as connection:
            done = connection.execute(sql, parameters or None)  # type: ignore[arg-type]
            return done.fetchall() if done.description else []

    def publish(self, kind: str, subject: str, name: uuid.UUID | None = None) -> uuid.UUID:
        trigger = PlanTrigger(name or uuid.uuid4(), round(time.time() * 1000), kind, subject, "dispatcher")  # type: ignore[arg-type]
        Outbox(self.kafka.bootstrap).publish(trigger)
        return trigger.id


@pytest.fixture(scope="module")
def town(fleet: Any, postgres_server: Any, tansu: Any, roads_url: str, town_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Town:
    folder = tmp_path_factory.mktemp("planner")
    world = World(asty_town.read(town_file), load("demo"), 1, round(time.time() * 1000))
    path = folder / "register.json"
    path.write_text(json.dumps(register(world, town_file), ensure_ascii=False))
    done = fleet.run("register", "import", str(path))
    assert done.returncode == 0, done.stderr
    more = {
        "ASTY_ORG": f"org-{uuid.uuid4().hex[:8]}",
        "ASTY_KAFKA_BOOTSTRAP": tansu.bootstrap,
        "ASTY_VALHALLA_URL": roads_url,
        "ASTY_PLAN_SECONDS": "1",
        "ASTY_PLAN_AT": "04:59",
    }
    ensure_topic(tansu.bootstrap)
    return Town(fleet, postgres_server, tansu, fleet.environment | more, folder / "log")


@pytest.fixture(autouse=True)
def _nothing_planned(town: Town) -> None:
    # triggers stay known: Kafka sends again what a killed planner had not yet counted as read
    town.rows("UPDATE fleet.plan_trigger SET plan = NULL, state = 'answered'")
    for table in ("route", "plan", "stop_outcome"):
        town.rows(f"DELETE FROM fleet.{table}")


def versions(town: Town) -> dict[str, int]:
    return {row.edge: row.version for row in town.rows("SELECT edge, max(version) AS version FROM fleet.route GROUP BY edge")}


def test_a_trigger_published_to_kafka_changes_the_route_of_the_truck_that_takes_over_and_once_if_it_comes_twice(town: Town) -> None:
    with town.news() as wait, town.planner():
        wait(what="plan", state="running", version=1)
        assert set(versions(town)) == {"truck-01", "truck-02", "truck-03"}
        name = town.publish("breakdown", "truck-01")
        wait(what="route", edge="truck-01", version=2)
        answer = wait(what="trigger", id=str(name), state="answered")
        (path,) = town.rows("SELECT path FROM fleet.route WHERE edge = 'truck-03' ORDER BY version DESC LIMIT 1")
        assert any(turn["text"].startswith("Στρίψτε") for leg in path.path for turn in leg["turns"]), "directions are Greek"
        assert town.rows("SELECT id FROM fleet.plan WHERE state = 'running'")[0].id == uuid.UUID(answer["plan"])
        town.publish("breakdown", "truck-01", name)
        after = town.publish("must_visit", "bin-9999")
        wait(what="trigger", id=str(after), state="ignored")
    assert [row.version for row in town.rows("SELECT version FROM fleet.plan ORDER BY version")] == [1, 2]


def test_a_planner_killed_while_it_answers_answers_once_when_it_is_back(town: Town) -> None:
    with town.news() as wait, town.planner() as first:
        wait(what="plan", state="running", version=1)
        name = town.publish("breakdown", "truck-02")
        wait(what="trigger", id=str(name), state="waiting")
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert town.rows("SELECT count(*) AS n FROM fleet.plan")[0].n in (1, 2)
        with town.planner():
            after = town.publish("must_visit", "bin-9999")
            wait(what="trigger", id=str(after), state="ignored")
    (answer,) = town.rows("SELECT state, plan FROM fleet.plan_trigger WHERE id = %s", name)
    assert answer.state == "answered"
    assert [row.version for row in town.rows("SELECT version FROM fleet.plan ORDER BY version")] == [1, 2]
    assert town.rows("SELECT count(*) AS n FROM fleet.plan WHERE state = 'running'")[0].n == 1


def test_a_planner_killed_while_it_plans_the_day_leaves_nothing_half_done(town: Town) -> None:
    with town.news() as wait:
        with town.planner() as first:
            wait(what="planning", step="search")
            first.send_signal(signal.SIGKILL)
            first.wait()
        assert town.rows("SELECT 1 FROM fleet.plan") == []
        assert town.rows("SELECT 1 FROM fleet.route") == []
        with town.planner():
            wait(what="plan", state="running", version=1)


def test_it_plans_and_answers_while_kafka_is_away_and_takes_up_when_it_is_back(town: Town) -> None:
    town.kafka.kill()
    try:
        with town.news() as wait, town.planner():
            wait(what="plan", state="running", version=1)
            kept = uuid.uuid4()
            town.rows(
                "INSERT INTO fleet.plan_trigger (id, at, kind, subject, said_by, detail, state)"
                " VALUES (%s, now(), 'breakdown', 'truck-03', 'driver', '{}', 'waiting')", kept,
            )  # fmt: skip
            wait(what="trigger", id=str(kept), state="answered")
            town.kafka.start()
            ensure_topic(town.kafka.bootstrap)
            name = town.publish("breakdown", "truck-01")
            wait(what="trigger", id=str(name), state="answered")
    finally:
        town.kafka.start()
        ensure_topic(town.kafka.bootstrap)


def test_it_goes_on_after_the_database_was_away(town: Town) -> None:
    with town.news() as wait, town.planner():
        wait(what="plan", state="running", version=1)
    with town.planner() as process:
        town.database.kill()
        town.database.start()
        with town.news() as wait:
            name = town.publish("breakdown", "truck-01")
            wait(what="trigger", id=str(name), state="answered")
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_without_kafka_a_publisher_is_told_and_nothing_hangs(free_port: Callable[[], int]) -> None:
    with pytest.raises(KafkaAwayError):
        Outbox(f"127.0.0.1:{free_port()}").publish(PlanTrigger(uuid.uuid4(), 0, "breakdown", "truck-01", "driver"))
