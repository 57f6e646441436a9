"""A scenario is data: what is wrong in it is said with the key and what was expected."""

from pathlib import Path

import pytest
from asty_firmware_sim.scenario import ScenarioError, load


def test_the_demo_has_every_device_kind_and_dialect_of_the_trucks() -> None:
    demo = load("demo")
    assert [truck.edge for truck in demo.truck] == ["truck-01", "truck-02", "truck-03"]
    assert [gateway.edge for gateway in demo.gateway] == ["gateway-01"]
    assert {truck.rfid for truck in demo.truck} == {"wl134", "rdm6300"}
    assert {truck.scale for truck in demo.truck} == {"st_gs", "toledo"}
    assert {truck.lift for truck in demo.truck} == {"tcp", "rtu"}
    assert {truck.fuel for truck in demo.truck} == {"j1939", "modbus_tcp"}
    assert {tag for truck in demo.truck for tag in truck.vests} == {"ibeacon", "eddystone", "bthome"}


@pytest.mark.parametrize("count", [1, 2, 7])
def test_any_number_of_trucks_can_be_asked_for(count: int) -> None:
    fleet = load("demo", trucks=count)
    assert len({truck.edge for truck in fleet.truck}) == len({truck.plate for truck in fleet.truck}) == count
    assert all(fault.where in fleet.edges for fault in fleet.fault)


TRUCK = '[[truck]]\nedge = "t-1"\nname = "T"\nplate = "P"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "x"\ntruck = []\n', "at least one"),
        ('name = "x"\n' + TRUCK + 'rfid = "barcode"\n', r"barcode.*\$\.truck\[0\]\.rfid"),
        ('name = "x"\n' + TRUCK + "wheels = 6\n", "wheels"),
        ('name = "x"\n' + TRUCK + TRUCK, "twice"),
        ('name = "x"\n' + TRUCK + '[[fault]]\nname = "no_tag"\nwhere = "t-9"\n', "'t-9' is none of t-1"),
        ('name = "x"\n' + TRUCK + '[[fault]]\nname = "meteor"\nwhere = "t-1"\n', "meteor"),
        ('name = "x"\n' + TRUCK + "[random]\nno_tag = -1\n", "random"),
        ("name = ", "Invalid value"),
    ],
)
def test_a_wrong_scenario_is_refused_with_file_key_and_expectation(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(ScenarioError, match=rf"wrong\.toml.*{said}"):
        load(str(file))


def test_a_scenario_that_is_nowhere_is_refused_by_name() -> None:
    with pytest.raises(ScenarioError, match="moon"):
        load("moon")


def test_no_trucks_are_refused() -> None:
    with pytest.raises(ScenarioError, match="at least 1"):
        load("demo", trucks=0)
