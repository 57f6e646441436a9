"""What the municipal engineer does: up, status, up again, down, and up with everything still there."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from asty_appliance.home import CHECKOUT

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.xdist_group("system")]

Asty = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def asty(tmp_path: Path) -> Iterator[Asty]:
    """Run `./asty` on a home of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(CHECKOUT / "asty"), "--home", str(tmp_path / "home"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)

    yield run
    run("down")


def address(conditions: list[dict[str, object]], name: str) -> str:
    return next(str(it["address"]) for it in conditions if it["name"] == name)


def test_the_appliance_comes_up_once_shows_itself_and_keeps_its_data(asty: Asty, tmp_path: Path) -> None:
    assert asty("status").returncode == 3
    up = asty("up")
    assert up.returncode == 0, up.stderr
    status = asty("status", "--json")
    conditions = json.loads(status.stdout)
    assert status.returncode == 0, status.stdout
    assert {it["name"] for it in conditions} == {
        "postgres",
        "mqtt",
        "kafka",
        "stream",
        "ingest",
        "cloud-api",
        "citizen-services",
        "citizen-worker",
        "taxisnet-double",
        "directory-double",
        "valhalla",
        "planner",
    }
    assert all(it["well"] and it["pid"] for it in conditions)
    assert httpx.get(address(conditions, "cloud-api") + "/sign-in", timeout=20, trust_env=False).status_code == 200

    again = asty("up")
    assert again.returncode == 1
    assert "running already" in again.stderr

    password = (tmp_path / "home" / "town" / "run" / "postgres.secret").read_text()
    dsn = address(conditions, "postgres").replace("asty@", f"asty:{password}@")
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('άστυ')")

    os.kill(next(int(it["pid"]) for it in conditions if it["name"] == "ingest"), signal.SIGKILL)
    end = time.monotonic() + 60
    while asty("status").returncode != 0:
        assert time.monotonic() < end, "a killed process comes back"

    assert asty("down").returncode == 0
    assert asty("status").returncode == 3
    assert asty("up").returncode == 0
    assert json.loads(asty("status", "--json").stdout)
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT word FROM kept").fetchone()
    assert row == ("άστυ",)


def test_a_broken_map_is_refused_with_the_reason_and_nothing_changes(asty: Asty, tmp_path: Path) -> None:
    broken = tmp_path / "volos.osm.pbf"
    broken.write_bytes(b"not a map at all")
    refused = asty("city", "import", str(broken))
    assert refused.returncode == 1
    assert "volos.osm.pbf" in refused.stderr
    assert not (tmp_path / "home" / "town" / "data" / "town.osm.pbf").exists()
