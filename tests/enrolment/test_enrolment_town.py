"""The whole way in production: a town behind its door, an edge that enrols, is stored, and is cut off when it is revoked."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from asty_appliance.home import Home, choose_ports
from asty_appliance.security.settings import Security
from asty_appliance.servers import mqtt
from asty_appliance.supervision import Supervision
from asty_appliance.town import Town, bring_up, executable, plan, token
from asty_appliance.work import inherited, run_once

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("system"),
    pytest.mark.skipif(mqtt.mosquitto() is None, reason="mosquitto is not installed: apt-get install mosquitto"),
]
CONFIG = """\
[edge]
id = "gateway-1"
org = "demo"
kind = "gateway"

[uplink]
port = {port}

[uplink.tls]
ca = "ca.pem"
cert = "edge.pem"
key = "edge.key"

[fusion]
health_every_s = 1
"""


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The appliance as ASTY_PRODUCTION=1 runs it."""
    home = Home(tmp_path_factory.mktemp("town") / "home")
    home.make()
    fleet = {"ASTY_CLOUD_API_ADDRESS": "https://stolos.example.gr"}
    town = plan(home, home.data / "none.osm.pbf", choose_ports(home, preferred=False), Security(True, ("127.0.0.1",), {}, fleet))
    supervision, said = Supervision(home), list[str]()
    try:
        bring_up(town, supervision, say=said.append)
        assert any("staff add" in line for line in said), "in production no page is shown before somebody can sign in"
        pages = next(program for program in town.processes if program.name == "cloud-api")
        passphrase = home.run / "passphrase"
        passphrase.write_text("ένα σκυλί στο λιμάνι\n")
        cloud_api = executable("asty-cloud-api")
        adding = ("staff", "add", "maria", "Μαρία", "--role", "administrator", "--passphrase-file", str(passphrase))
        run_once((cloud_api, *adding), pages.environment)
        run_once(
            (executable("asty-cloud-api"), "staff", "token", "Μαρία", "--role", "administrator", "--out", str(town.token_file)),
            pages.environment,
        )
        supervision.start([pages])
        yield town
    finally:
        if supervision.is_running():
            supervision.shut_down()


def stored(town: Town) -> int:
    with psycopg.connect(town.dsn, connect_timeout=3) as connection:
        row = connection.execute("SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM telemetry.ledger, unnest(stored) AS r").fetchone()
    assert row is not None
    return int(row[0])


def test_an_edge_is_stored_once_it_is_enrolled_and_no_longer_once_it_is_revoked(
    secured: Town, tmp_path: Path, eventually: Callable[..., object]
) -> None:
    office = next(program for program in secured.processes if program.name == "cloud-api").environment
    config, claim, log = tmp_path / "edge.toml", tmp_path / "claim.pem", tmp_path / "agent.log"
    config.write_text(CONFIG.format(port=secured.ports["mqtt"]))
    run_once((executable("asty-cloud-api"), "enrol", "claim", "--edge", "gateway-1", "--out", str(claim)), office)
    asking = subprocess.Popen(
        [executable("asty-edge"), "enrol", "--config", config, "--claim", claim, "--url", secured.web], stdout=subprocess.PIPE, text=True
    )
    assert asking.stdout is not None
    shown = next(found[1] for line in asking.stdout if (found := re.search(r"((?:[0-9A-F]{4}-){7}[0-9A-F]{4})", line)))
    waiting = f"{secured.web}/enrolment?state=waiting"
    assert httpx.get(waiting, trust_env=False, timeout=20).headers["location"].startswith("/sign-in")
    pass_ = {"Authorization": f"Bearer {token(secured)}"}
    eventually(
        lambda: shown in httpx.get(waiting, headers=pass_, trust_env=False, timeout=20).text,
        why="the page does not show the fingerprint",
        within=60,
    )
    request = re.search(r"/enrolment/([0-9a-f-]{36})/approve", httpx.get(waiting, headers=pass_, trust_env=False, timeout=20).text)
    assert request is not None
    officer = {"code": office["ASTY_ENROLMENT_CODE"]}
    approve = f"{secured.web}/enrolment/{request[1]}/approve"
    assert httpx.post(approve, data=officer, headers=pass_, trust_env=False, timeout=20).status_code == 303
    assert asking.wait(60) == 0
    asking.stdout.close()

    with log.open("wb") as out:
        agent = subprocess.Popen([executable("asty-edge"), "run", "--config", config], env=inherited(), stderr=out)
    try:
        eventually(lambda: stored(secured) > 3, why="nothing of the enrolled edge is stored", within=90)
        revoked = officer | {"edge": "gateway-1", "why": "stolen"}
        assert httpx.post(f"{secured.web}/enrolment/revoke", data=revoked, headers=pass_, trust_env=False, timeout=60).status_code == 303
        eventually(lambda: b"no uplink" in log.read_bytes(), why="the revoked edge was not cut off", within=60)
        before = stored(secured)
        eventually(lambda: log.read_bytes().count(b"no uplink") > 1, why="the agent does not try again", within=90)
        assert stored(secured) - before <= 3, "only what was already on its way may still arrive"
    finally:
        agent.terminate()
        assert agent.wait(30) == 0
    with psycopg.connect(secured.dsn) as connection:
        assert connection.execute("SELECT up FROM telemetry.v_edge WHERE edge = 'gateway-1'").fetchone() == (False,)


def test_nobody_reads_along_without_a_certificate(secured: Town) -> None:
    command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(secured.ports["mqtt"]), "-t", "#", "-C", "1", "-W", "5"]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
