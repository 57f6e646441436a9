"""The agent under systemd: it says when it is ready, gives its sign of life only while its loops turn, and says when it ends."""

import configparser
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from asty_edge.settings import Supervision, read_supervision
from asty_edge.watchdog import STUCK_MS, Turning, Watchdog

UNIT = Path(__file__).parents[2] / "deploy/systemd/asty-edge.service"


@pytest.fixture
def systemd(tmp_path):
    """The socket that systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        yield listening


def said(systemd):
    systemd.setblocking(False)
    words = []
    try:
        while True:
            words.append(systemd.recv(1000).decode())
    except BlockingIOError:
        return words


def test_a_loop_that_left_its_work_for_too_long_hangs_until_it_turns():
    turning = Turning()
    turning.waits("flushing", 1000)
    turning.waits("flushing", 20_000)
    assert turning.hanging(1000 + STUCK_MS) == []
    assert turning.hanging(1001 + STUCK_MS) == ["flushing"]
    turning.turned("flushing")
    assert turning.hanging(1001 + STUCK_MS) == []


def test_no_sign_of_life_is_given_while_a_loop_hangs_and_the_log_says_why_once(systemd, caplog):
    watchdog = Watchdog(Supervision(systemd.getsockname(), is_watched=True))
    watchdog.alive([])
    assert said(systemd) == ["WATCHDOG=1"]
    watchdog.alive(["flushing"])
    watchdog.alive(["flushing"])
    assert said(systemd) == []
    assert caplog.text.count("hangs: flushing") == 1
    watchdog.alive([])
    assert said(systemd) == ["WATCHDOG=1"]


def test_an_abstract_socket_is_spoken_to_as_well():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0asty-edge-test-{os.getpid()}")
        Watchdog(Supervision(f"@asty-edge-test-{os.getpid()}", is_watched=False)).ready("2 devices")
        assert said(listening) == ["READY=1\nSTATUS=2 devices"]


def test_a_systemd_that_is_gone_does_not_end_the_agent(tmp_path, caplog):
    Watchdog(Supervision(str(tmp_path / "gone"), is_watched=True)).alive([])
    assert "systemd was not told WATCHDOG=1" in caplog.text


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Supervision(None, is_watched=False)),
        ({"NOTIFY_SOCKET": "/run/n"}, Supervision("/run/n", is_watched=False)),
        ({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, Supervision("/run/n", is_watched=True)),
        ({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, Supervision("/run/n", is_watched=False)),
        ({"WATCHDOG_USEC": "60000000"}, Supervision(None, is_watched=False)),
    ],
)
def test_the_agent_pings_when_systemd_asks_this_process(environment, expected):
    assert read_supervision(environment, pid=7) == expected


def test_a_running_agent_says_ready_then_lives_then_stops(systemd, tmp_path):
    config = tmp_path / "edge.toml"
    config.write_text('[edge]\nid = "truck-01"\norg = "demo"\nkind = "truck"\n[uplink]\nport = 1\n')
    environment = {**os.environ, "NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "60000000"}  # noqa: TID251
    environment.pop("WATCHDOG_PID", None)
    agent = subprocess.Popen([sys.executable, "-m", "asty_edge.cli", "run", "--config", str(config), "--log", "ERROR"], env=environment)
    try:
        assert systemd.recv(1000).decode() == "READY=1\nSTATUS=0 devices, 0 records wait"
        assert systemd.recv(1000).decode() == "WATCHDOG=1"
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(15) == 0
        assert [word for word in said(systemd) if word != "WATCHDOG=1"] == ["STOPPING=1"]
    finally:
        agent.kill()
        agent.wait()


@pytest.fixture(scope="module")
def unit():
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNIT)
    return parser


def test_the_unit_runs_the_command_that_there_is_and_waits_for_its_signs(unit):
    from asty_edge.cli import _parser

    words = unit["Service"]["ExecStart"].split()
    assert Path(words[0]).name == "asty-edge"
    assert _parser().parse_args(words[1:]).command == "run"
    assert unit["Service"]["Type"] == "notify"
    assert unit["Service"]["Restart"] == "always"
    assert int(unit["Service"]["WatchdogSec"]) * 1000 > STUCK_MS


def test_the_unit_lets_the_agent_reach_its_devices_and_write_only_its_own_folder(unit):
    service = unit["Service"]
    assert set(service["SupplementaryGroups"].split()) >= {"dialout", "bluetooth"}
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectory"] == "asty-edge"
    assert service.get("PrivateDevices", "no") == "no"
    assert {"AF_UNIX", "AF_INET", "AF_INET6", "AF_CAN", "AF_NETLINK"} <= set(service["RestrictAddressFamilies"].split())
