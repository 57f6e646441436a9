"""What every kind of device has: Home Assistant's hassfest for our folders."""

import ast
import importlib
import tomllib
from pathlib import Path

import pytest
from asty_edge import drivers
from asty_edge.device import DeviceMisconfiguredError, PointDescription

ROOT = Path(__file__).parents[3]
FOLDER = Path(drivers.__file__).parent
TESTS = Path(__file__).parent
KINDS = drivers.kinds()
TIERS = {
    "bronze": {"options-checked", "captured-frames", "documented"},
    "silver": {"options-checked", "captured-frames", "documented", "fuzzed", "real-peer", "unplugged"},
    "gold": {"options-checked", "captured-frames", "documented", "fuzzed", "real-peer", "unplugged", "seen-on-hardware"},
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def manifest(kind: str) -> dict:
    return tomllib.loads((FOLDER / kind / "manifest.toml").read_text())


def test_the_kinds_of_the_house_are_all_there():
    assert KINDS == ("ble_tags", "fuel_modbus", "j1939", "level_lorawan", "lift_modbus", "nmea", "rfid_em4100", "rfid_fdxb", "scale")


def test_every_folder_is_a_kind_with_a_manifest():
    assert {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(KINDS)


@every_kind
def test_a_manifest_says_what_the_kind_is_and_who_cares_for_it(kind):
    said = manifest(kind)
    assert said.keys() - {"silent_after_s"} == {"kind", "title", "protocol", "owner", "docs", "tier", "exempt"}
    assert said["kind"] == kind
    assert said["owner"] == "asty-edge"
    assert said["title"]
    assert said["protocol"]
    assert (ROOT / said["docs"]).is_file()


@every_kind
def test_a_tier_is_claimed_with_reasons_for_what_is_exempt(kind):
    said = manifest(kind)
    wanted = TIERS[said["tier"]]
    assert said["exempt"].keys() <= TIERS["gold"]
    assert all(len(reason) > 20 for reason in said["exempt"].values())
    assert TIERS["gold"] - wanted <= said["exempt"].keys(), "what the tier leaves out needs a reason"
    assert not wanted & said["exempt"].keys(), "a tier is not claimed with exemptions from its own rules"


def test_a_kind_that_is_never_silent_when_well_says_after_how_long_it_is_not():
    """Readers have nothing to say without a bin, and a vehicle's bus sleeps with the ignition off, a level sensor speaks rarely."""
    assert {kind for kind in KINDS if "silent_after_s" not in manifest(kind)} == {"rfid_fdxb", "rfid_em4100", "j1939", "level_lorawan"}
    assert all(10 <= manifest(kind).get("silent_after_s", 10) <= 60 for kind in KINDS)


@every_kind
def test_captured_frames_are_kept_with_their_source(kind, frames):
    assert len(frames(kind)) >= 2
    assert all(frame["from"] for frame in frames(kind))


@every_kind
def test_every_option_and_point_is_in_the_docs(kind):
    page = (ROOT / manifest(kind)["docs"]).read_text()
    missing = {key for key in option_keys(kind) | {point.key for point in drivers.points(kind)} if f"`{key}`" not in page}
    assert not missing


@every_kind
def test_the_docs_say_what_the_device_can_not_tell(kind):
    page = (ROOT / manifest(kind)["docs"]).read_text()
    for heading in ("## Wiring", "## Options", "## What it yields", "## What it can't tell", "## Where the format comes from"):
        assert heading in page


@every_kind
def test_points_are_described(kind):
    points = drivers.points(kind)
    assert points
    assert all(isinstance(point, PointDescription) and point.about for point in points)
    assert len({point.key for point in points}) == len(points)


@every_kind
def test_a_codec_touches_no_wire(kind):
    """Sans-IO: it can be tested, fuzzed and read without a device."""
    imported = set()
    for node in ast.walk(ast.parse((FOLDER / kind / "codec.py").read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    assert not {name for name in imported if name.startswith(("asyncio", "serial", "pymodbus", "can", "bleak", "socket", "time"))}


def test_a_kind_that_there_is_not_is_a_mistake_of_the_configuration():
    with pytest.raises(DeviceMisconfiguredError, match="expected one of ble_tags, "):
        drivers.load("rfid_uhf")
    with pytest.raises(DeviceMisconfiguredError, match="expected one of ble_tags, "):
        drivers.points("../x")


def test_the_list_of_devices_names_every_kind():
    page = (ROOT / "docs/devices/README.md").read_text()
    assert not [kind for kind in KINDS if f"`{kind}`" not in page]
    assert not [rule for rule in TIERS["gold"] if f"`{rule}`" not in page]


def option_keys(kind: str) -> set[str]:
    """The keys that a kind knows are those in its own message about one that it doesn't know."""
    from asty_edge.device import DeviceSettings

    keys: set[str] = set()
    for extra in ({}, {"transport": "rtu"}, {"interface": "udp_multicast"}):
        with pytest.raises(DeviceMisconfiguredError) as caught:
            importlib.import_module(f"asty_edge.drivers.{kind}.device").open_device(DeviceSettings("x", kind, {"no_such": 1, **extra}))
        told = str(caught.value).split("no_such: no such key, this driver knows ")[1]
        keys |= set(told.split(";")[0].split(", "))
    return keys - {"no_such"}
