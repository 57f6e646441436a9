"""The whole simulator as a process: an unmodified edge agent hears on real protocols what really happened."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from asty_firmware_sim import cli
from asty_firmware_sim.devices.bluez import Radio

BIN = Path(sys.executable).parent
PATIENCE = 45.0
CALM = """
name = "calm"
bins = 60
tagless_bins = 0
[[truck]]
edge = "truck-01"
name = "Απορριμματοφόρο 1"
plate = "ΚΗΗ-4101"
"""


def _wait(until: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end, f"{what} did not come within {PATIENCE:.0f} s"
        time.sleep(0.1)


@contextmanager
def _simulator(folder: Path, town_file: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    scenario = folder / "calm.toml"
    scenario.write_text(CALM)
    command = [BIN / "asty-firmware-sim", "run", "--folder", folder, "--town", town_file, "--scenario", scenario]
    command += ["--speed", "5", "--lead", "9000"]
    with (folder / "sim.log").open("ab") as log, subprocess.Popen([*command, *more], stderr=log) as process:
        try:
            _wait((folder / "ready").exists, "ready")
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE)


@contextmanager
def _agent(folder: Path, edge: str) -> Iterator[None]:
    place = folder / "edges" / edge
    own = (place / "env").read_text().splitlines()
    with (place / "edge.log").open("ab") as log:
        command = ["env", *own, BIN / "asty-edge", "run", "--config", place / "edge.toml"]
        process = subprocess.Popen(command, stderr=log, stdout=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _inspect(folder: Path, edge: str) -> dict[str, Any]:
    command = [BIN / "asty-edge", "inspect", "--config", folder / "edges" / edge / "edge.toml", "--json"]
    answer = subprocess.run(command, capture_output=True, check=False)
    return json.loads(answer.stdout) if answer.returncode == 0 else {"last_lifts": [], "held_by_kind": {}}


def _truths(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sim").mkdir()
    return tmp_path / "sim"


def test_an_unmodified_edge_records_the_lifts_that_really_happened(folder: Path, town_file: Path) -> None:
    with _simulator(folder, town_file), _agent(folder, "truck-01"):
        kinds = {"lift", "pos", "fuel", "engine", *(["ppe"] if Radio.available() else [])}
        _wait(lambda: kinds <= set(_inspect(folder, "truck-01")["held_by_kind"]), f"{kinds}")
        _wait(lambda: len(_inspect(folder, "truck-01")["last_lifts"]) >= 2, "two lifts")
        lift, *_ = _inspect(folder, "truck-01")["last_lifts"]
    truth = next(truth for truth in _truths(folder) if truth["cycle"] == lift["cycle"])
    assert lift["tag"] == truth["read"] == truth["tag"]
    assert (lift["gross"], lift["tare"]) == (truth["gross"], truth["tare"])
    assert lift["net"] == pytest.approx(truth["kg"], abs=3)
    assert (lift["lat"], lift["lon"]) == pytest.approx((truth["lat"], truth["lon"]), abs=1.5e-4)
    assert abs(lift["ended"] - truth["ended"]) < 5000


def test_a_restarted_simulator_goes_on_at_the_same_ports_with_its_counters_and_not_back_in_time(folder: Path, town_file: Path) -> None:
    with _simulator(folder, town_file, "--wait", "0") as first:
        links = {path.relative_to(folder) for path in folder.glob("edges/*/dev/*") if path.is_symlink()}
        ports = (folder / "ports.json").read_text()
        _wait(lambda: _truths(folder), "a lift")
        first.send_signal(signal.SIGKILL)
        first.wait(PATIENCE)
    before = _truths(folder)
    with _simulator(folder, town_file, "--wait", "0") as second:
        assert {path.relative_to(folder) for path in folder.glob("edges/*/dev/*") if path.is_symlink()} == links
        assert (folder / "ports.json").read_text() == ports
        _wait(lambda: len(_truths(folder)) > len(before), "another lift")
        second.terminate()
        assert second.wait(PATIENCE) == 0
    assert _left_behind(folder) == []
    after = _truths(folder)[len(before)]
    assert after["cycle"] == before[-1]["cycle"] + 1
    assert after["started"] > before[-1]["ended"]


def test_a_truck_stays_parked_until_its_agent_listens_or_patience_ends(folder: Path, town_file: Path) -> None:
    def log() -> str:
        return (folder / "sim.log").read_text()

    with _simulator(folder, town_file, "--wait", "60"):
        reader = folder / "edges/truck-01/dev/rfid"
        with reader.open("rb"):
            _wait(lambda: "truck-01 sets out\n" in log(), "setting out")
    with _simulator(folder, town_file, "--wait", "0.5"):
        _wait(lambda: "sets out without an agent" in log(), "setting out")


def test_it_stops_by_itself_after_the_time_that_was_asked(folder: Path, town_file: Path) -> None:
    with _simulator(folder, town_file, "--for", "1") as process:
        assert process.wait(PATIENCE) == 0
    assert _left_behind(folder) == []


def _left_behind(folder: Path) -> list[Path]:
    return [*folder.glob("ready"), *folder.glob("edges/*/dev/*"), *folder.glob("edges/*/dbus/*")]


def _command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["asty-firmware-sim", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def test_edges_can_be_prepared_before_any_device_exists(
    folder: Path, town_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _command(monkeypatch, "prepare", "--folder", folder, "--town", town_file) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [Path(line).parent.name for line in printed] == ["truck-01", "truck-02", "truck-03", "gateway-01"]
    assert all(Path(line).is_file() for line in printed)
    assert (folder / "register.json").is_file()
    assert not (folder / "ready").exists()


def test_the_town_comes_as_a_file(tmp_path: Path, town_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _command(monkeypatch, "town", "--out", tmp_path / "new" / "asty.osm.pbf") == 0
    assert (tmp_path / "new" / "asty.osm.pbf").read_bytes() == town_file.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--folder", "x", "--town", "nowhere.osm.pbf"], "nowhere.osm.pbf: there is no such file"),
        (["run", "--folder", "x", "--scenario", "moon"], "moon: no built-in scenario"),
        (["run", "--folder", "x", "--speed", "0.1"], "0.1: expected a number from 1 to 1000"),
        (["run", "--folder", "x", "--lead", "nan"], "nan: expected seconds"),
        (["town", "--out", "town.txt"], "ends in .osm.pbf"),
    ],
)
def test_what_an_operator_has_to_mend_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _command(monkeypatch, *arguments) == 2
    assert said in capsys.readouterr().err
