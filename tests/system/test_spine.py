"""The whole way, on real servers and protocols: nothing is lost or doubled, whatever is killed, and third parties can see it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from asty_appliance import demo
from asty_appliance.home import Home, choose_ports
from asty_appliance.town import token
from asty_contracts.envelope import JSON, decode
from asty_contracts.topics import Up, all_up

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("system"),
    pytest.mark.skipif(not shutil.which("dbus-daemon"), reason="dbus-daemon is missing: vests need it (apt-get install dbus-daemon)"),
]

PATIENCE = 90.0


def until(holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"waited {patience:.0f} s for: {what}")
        time.sleep(0.2)


def count(stage: demo.Stage, query: str) -> int:
    """Run a counting query; -1 while the database is away."""
    try:
        with psycopg.connect(stage.town.dsn, connect_timeout=3) as connection:
            row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    except psycopg.OperationalError:
        return -1
    return int(row[0])


def lifts(stage: demo.Stage) -> int:
    return count(stage, "SELECT count(*) FROM telemetry.v_lift")


def stored(stage: demo.Stage) -> int:
    return count(stage, "SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM telemetry.ledger, unnest(stored) AS r")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[demo.Stage]:
    home = Home(tmp_path_factory.mktemp("town") / "home")
    home.make()
    ports = choose_ports(home, preferred=False)
    with demo.running(home, seed=7, speed=5.0, lead=600.0, say=print, ports=ports, trucks=2) as stage:
        until(lambda: lifts(stage) > 0, "the first stored lift")
        yield stage


def test_a_lift_is_stored_with_tag_and_weight(stage: demo.Stage) -> None:
    query = "SELECT count(*) FROM telemetry.v_lift WHERE tag IS NOT NULL AND net BETWEEN 1 AND 600 AND lat IS NOT NULL"
    until(lambda: count(stage, query) > 0, "a lift with tag, net weight and place")


def test_a_level_sensor_reaches_the_store_and_the_planner_through_its_gateway(stage: demo.Stage) -> None:
    until(
        lambda: count(stage, "SELECT count(DISTINCT bin) FROM telemetry.v_level WHERE level BETWEEN 0 AND 130") >= 10,
        "the levels of ten bins",
    )
    asked = "SELECT count(*) FROM telemetry.v_bin_level WHERE over AND asked IS NOT NULL"
    until(lambda: count(stage, asked) > 0, "a bin over its limit")
    told = "SELECT count(*) FROM fleet.plan_trigger WHERE said_by = 'sensor' AND kind = 'overflow' AND state <> 'waiting'"
    until(lambda: count(stage, told) > 0, "the planner's answer to it")
    assert count(stage, "SELECT count(*) - count(DISTINCT (subject, at::date)) FROM fleet.plan_trigger WHERE said_by = 'sensor'") == 0


def test_a_third_party_client_reads_the_packs_from_the_broker(stage: demo.Stage) -> None:
    client = shutil.which("mosquitto_sub")
    if client is None:
        pytest.skip("mosquitto_sub is missing (apt-get install mosquitto-clients)")
    command = [client, "-h", "127.0.0.1", "-p", str(stage.town.ports["mqtt"]), "-t", all_up(Up.RECORDS), "-C", "3", "-W", "60"]
    seen = subprocess.run(command, capture_output=True, check=True, timeout=90).stdout.splitlines()
    assert [len(decode(line, JSON).recs) > 0 for line in seen] == [True] * 3


def test_cloud_api_answers_any_http_client_that_has_a_token(stage: demo.Stage) -> None:
    known = {"Authorization": f"Bearer {token(stage.town)}"}
    assert httpx.get(f"{stage.town.web}/api/edges", timeout=10, trust_env=False).status_code == 401
    edges = httpx.get(f"{stage.town.web}/api/edges", headers=known, timeout=10, trust_env=False).raise_for_status().json()
    assert {edge.name for edge in stage.simulated.edges} <= {edge["edge"] for edge in edges}
    found = httpx.get(f"{stage.town.web}/api/lifts", headers=known, timeout=10, trust_env=False).raise_for_status().json()
    assert found
    assert all({"edge", "t", "tag", "net"} <= set(lift) for lift in found)


def test_every_published_view_can_be_read(stage: demo.Stage) -> None:
    with psycopg.connect(stage.town.dsn) as connection:
        views = [
            row[0]
            for row in connection.execute(
                "SELECT viewname FROM pg_views WHERE schemaname = 'telemetry' AND viewname LIKE 'v!_%' ESCAPE '!'"
            )
        ]
        assert {"v_edge", "v_lift", "v_completeness", "v_ledger"} <= set(views)
        for view in views:
            connection.execute(f'SELECT * FROM telemetry."{view}" LIMIT 5').fetchall()


def test_killing_each_process_and_each_server_in_turn_loses_and_doubles_nothing(stage: demo.Stage) -> None:
    edges = [edge.name for edge in stage.simulated.edges]
    for name in [*edges, "ingest", "stream", "kafka", "mqtt", "postgres", "cloud-api", "firmware-sim", "kafka"]:
        before = stage.supervision.pid(name)
        os.kill(before, signal.SIGKILL)
        until(lambda it=name, old=before: stage.supervision.pid(it) not in {0, old}, f"{name} is started again")  # type: ignore[misc]
        until(lambda: all(it.well for it in stage.supervision.conditions()), f"all is well after {name} was killed")
        have = stored(stage)
        until(lambda mark=have: stored(stage) > mark >= 0, f"new records are stored after {name} was killed")  # type: ignore[misc]
    more = lifts(stage)
    until(lambda: lifts(stage) > more, "lifts go on after all this")
    report = demo.count(stage, began=time.monotonic(), first_lift=None, say=print)
    assert report.total("doubled") == 0
    assert report.total("missing") == 0
    assert report.total("produced") == report.total("stored") + report.total("thinned") > 0, report.as_json()
    assert {edge.edge for edge in report.edges} == set(edges)
    assert report.truth.worst_error_kg is not None
    assert report.truth.worst_error_kg < 5, report.truth
