"""docs/drill.md names every fault, every figure and every option of the drill, and those only."""

import re

from asty_appliance.cli import drill
from asty_appliance.drill.ledger import Count
from asty_appliance.drill.schedule import KINDS
from asty_appliance.home import CHECKOUT
from msgspec.structs import fields

TEXT = (CHECKOUT / "docs" / "drill.md").read_text()


def section(title: str) -> str:
    return TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_every_fault_is_described() -> None:
    assert set(re.findall(r"^\|[^|]*\| `([a-z-]+)` \|", section("What is done"), re.MULTILINE)) == set(KINDS)


def test_every_figure_is_explained() -> None:
    named = set(re.findall(r"`([a-z]+)`", section("What is counted")))
    assert {field.name for field in fields(Count)} <= named


def test_every_option_is_named() -> None:
    options = {option for parameter in drill.params for option in parameter.opts}
    assert set(re.findall(r"^\| `(--[a-z]+)` \|", TEXT, re.MULTILINE)) == options
