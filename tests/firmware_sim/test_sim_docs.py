"""The page on the simulator names everything that can be asked of it."""

from pathlib import Path
from typing import get_args

import pytest
from asty_firmware_sim import cli, scenario
from asty_firmware_sim.fault_lines import parse

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()


@pytest.mark.parametrize("name", get_args(scenario.FaultName))
def test_each_fault_is_explained(name: str) -> None:
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("choices", [scenario.Rfid, scenario.Scale, scenario.Lift, scenario.FuelSource, scenario.Tag])
def test_each_device_and_dialect_is_named(choices: object) -> None:
    assert all(choice in PAGE for choice in get_args(choices))


def test_each_option_of_the_command_is_explained() -> None:
    commands = next(action.choices for action in cli.parser()._actions if isinstance(action.choices, dict))
    options = {option for command in commands.values() for action in command._actions for option in action.option_strings}
    assert not [option for option in options - {"-h", "--help"} if f"`{option}" not in PAGE and f" {option} " not in PAGE]


def test_the_scenario_on_the_page_is_a_scenario(tmp_path: Path) -> None:
    file = tmp_path / "page.toml"
    file.write_text(PAGE.split("```toml\n")[1].split("```")[0])
    mine = scenario.load(str(file))
    assert parse("gnss_loss truck-01 60", mine).lasts == 60
