"""The tablet's own decisions, in Node: its modules are plain ES modules without a browser."""

import subprocess
from pathlib import Path

import pytest
from asty_appliance import front

LOOK = Path(__file__).parents[3] / "look"


def test_the_tablet_decides_as_its_driver_relies_on() -> None:
    if not (LOOK / "node_modules" / "suncalc").is_dir():
        pytest.skip("the pages' packages are not installed: npm ci in look/")
    done = subprocess.run([front.node(), "--test", Path(__file__).with_name("cab.test.mjs")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
