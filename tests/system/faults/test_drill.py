"""Every kind of fault at once on real servers and processes, and in the end nothing is lost, doubled or altered."""

import json
import subprocess
from pathlib import Path

import pytest
from asty_appliance.drill.schedule import KINDS
from asty_appliance.home import CHECKOUT

pytestmark = [pytest.mark.system, pytest.mark.timeout(660), pytest.mark.xdist_group("system")]


def test_a_drill_with_every_kind_of_fault_loses_doubles_and_alters_nothing(tmp_path: Path) -> None:
    command = [
        str(CHECKOUT / "asty"),
        "--home",
        str(tmp_path / "home"),
        "drill",
        "--seed",
        "1",
        "--minutes",
        "1",
        "--edges",
        "12",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=640)
    assert done.returncode in (0, 1), done.stderr
    result = json.loads(done.stdout)
    assert result["faults"].keys() == set(KINDS), "every kind was there"
    assert result["connections_broken"] > 0
    assert result["produced"] > 1000
    wrong = {name: result[name] for name in ("lost", "doubled", "altered", "unbalanced", "misreported") if result[name]}
    assert not wrong, "\n".join([*result["examples"], done.stderr])
    assert result["stored"] + result["destroyed"] + result["damaged"] >= result["produced"]
    assert done.returncode == 0
