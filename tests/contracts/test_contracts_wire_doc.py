"""docs/wire.md names everything that is on the wire."""

import re
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest
from asty_contracts import records
from asty_contracts.envelope import Pack, Reason, Record
from asty_contracts.groups import Columns, Group, Head, Words
from asty_contracts.life import Ack, Birth, Command, DeviceInfo, PointInfo, State
from asty_contracts.stream import Alert, BinLifted, Delivered, EdgeLife, PlanTrigger, Refused
from asty_contracts.topics import KAFKA_TOPICS, Down, Up
from asty_contracts.units import Unit

PAGE = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()


def section(heading: str) -> str:
    """Return what stands below a heading up to the next one."""
    found = re.search(rf"^#+ {heading}.*?$(.*?)(?=^#|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, f"docs/wire.md has no section {heading}"
    return found[1]


def fields(*shapes: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for shape in shapes for field in msgspec.structs.fields(shape)]


def missing(names: list[str], text: str) -> list[str]:
    return [name for name in names if f"`{name}`" not in text]


@pytest.mark.parametrize("kind", records.KINDS)
def test_each_kind_is_described_with_all_its_fields(kind: str) -> None:
    nested = [records.DeviceHealth] if kind == "health" else []
    assert not missing(fields(records.KINDS[kind], *nested), section(f"`{kind}`"))


@pytest.mark.parametrize(
    ("heading", "shapes"),
    [
        ("Pack", (Pack, Record)),
        ("Birth", (Birth, DeviceInfo, PointInfo)),
        ("State", (State,)),
        ("Acknowledgement", (Ack,)),
        ("Command", (Command,)),
        ("Group of packs", (Group, Head, Columns, Words, Delivered)),
        ("Kafka topics", (EdgeLife, Refused, Alert, BinLifted, PlanTrigger)),
    ],
)
def test_each_message_is_described_with_all_its_fields(heading: str, shapes: tuple[type[msgspec.Struct], ...]) -> None:
    assert not [name for name in missing(fields(*shapes), section(heading)) if name != "v"]


def test_each_topic_reason_and_command_is_named() -> None:
    assert not missing([f"up/{leaf.value}" for leaf in Up] + [f"dn/{leaf.value}" for leaf in Down], section("MQTT topics"))
    assert not missing(list(get_args(Reason)), section("Pack"))
    assert not missing(list(get_args(get_type_hints(Command)["cmd"])), section("Command"))
    assert not missing([unit.value for unit in Unit], section("Units"))


@pytest.mark.parametrize("topic", KAFKA_TOPICS, ids=lambda topic: topic.name)
def test_each_kafka_topic_is_named_with_its_partitions(topic) -> None:
    assert f"| `{topic.name}` | {topic.partitions} |" in section("Kafka topics")
