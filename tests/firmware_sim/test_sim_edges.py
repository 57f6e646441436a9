"""The files that the simulator writes serve the unmodified agent and the fleet register as they are."""

import json
import os
import socket
import tomllib
from pathlib import Path

import msgspec
import pytest
from asty_cloud_api.fleet import register as fleet_register
from asty_edge import config as edge_config
from asty_edge.drivers import load as load_driver
from asty_firmware_sim.edges import Broker, places, write_files
from asty_firmware_sim.scenario import GatewaySpec, Scenario, TruckSpec, load
from asty_firmware_sim.world import World
from asty_town import Town

START = 1_795_000_000_000
EVERY_DEVICE = Scenario(
    name="all",
    bins=60,
    truck=(
        TruckSpec(edge="a", name="A", plate="A", rfid="tiris", scale="mt_sics", lift="rtu", fuel="modbus_rtu", vests=("bthome_plain",)),
        TruckSpec(edge="b", name="B", plate="B", rfid="id12", scale="toledo", lift="tcp", fuel="modbus_tcp", vests=("bthome", "ibeacon")),
        TruckSpec(edge="c", name="C", plate="C", rfid="rdm6300", scale="st_gs", lift="rtu", fuel="j1939", vests=("eddystone",)),
    ),
    gateway=(GatewaySpec(edge="g", name="G", vests=("bthome",)),),
)


def _write(folder: Path, town: Town, scenario: Scenario, broker: Broker) -> World:
    world = World(town, scenario, 3, START)
    write_files(folder, places(folder, scenario), world, folder / "town.osm.pbf", broker)
    return world


@pytest.mark.parametrize("scenario", [load("demo"), EVERY_DEVICE], ids=["demo", "every device"])
def test_the_agent_and_its_drivers_accept_every_configuration(tmp_path: Path, asty: Town, scenario: Scenario) -> None:
    _write(tmp_path, asty, scenario, Broker("127.0.0.1", 1883))
    for edge in scenario.edges:
        settings = edge_config.load(tmp_path / "edges" / edge / "edge.toml")
        assert (settings.edge.id, settings.edge.org) == (edge, "demo")
        assert settings.devices
        for device in settings.devices:
            load_driver(device.driver).open_device(device)


def test_a_broker_with_tls_is_passed_on(tmp_path: Path, asty: Town) -> None:
    pki = tmp_path / "pki"
    pki.mkdir()
    for name in ("ca.pem", *(f"{edge}.{end}" for edge in load("demo").edges for end in ("crt", "key"))):
        (pki / name).touch()
    broker = Broker("mqtt.asty.example", 8883, org="volos", protocol="5", encoding="cbor", ca=pki / "ca.pem", certs=pki)
    _write(tmp_path, asty, load("demo"), broker)
    settings = edge_config.load(tmp_path / "edges/truck-01/edge.toml")
    uplink = settings.uplink
    assert settings.edge.org == "volos"
    assert (uplink.host, uplink.port, uplink.protocol, uplink.encoding) == ("mqtt.asty.example", 8883, "5", "cbor")
    assert uplink.tls is not None
    own = tuple(str(pki / name) for name in ("ca.pem", "truck-01.crt", "truck-01.key"))
    assert (uplink.tls.ca, uplink.tls.cert, uplink.tls.key) == own


def test_the_fleet_register_takes_the_simulated_town(tmp_path: Path, asty: Town) -> None:
    world = _write(tmp_path, asty, load("demo"), Broker("127.0.0.1", 1883))
    register = fleet_register.read(tmp_path / "register.json")
    assert len(register.bins) == len(world.bins)
    assert {vehicle.edge for vehicle in register.vehicles} == set(load("demo").edges)
    assert register.depot is not None
    assert register.transfer_station is not None
    assert register.town == str(tmp_path / "town.osm.pbf")


def test_ports_and_files_stay_the_same_when_it_is_prepared_again(tmp_path: Path, asty: Town) -> None:
    _write(tmp_path, asty, load("demo"), Broker("127.0.0.1", 1883))
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    times = {file: file.stat().st_mtime_ns for file in before}
    with socket.socket() as taken:  # as by the simulator that is still running
        taken.bind(("127.0.0.1", json.loads((tmp_path / "ports.json").read_text())["truck-01"]["lift"]))
        taken.listen()
        _write(tmp_path, asty, load("demo"), Broker("127.0.0.1", 1883))
    assert {file: file.read_bytes() for file in before} == before
    assert {file: file.stat().st_mtime_ns for file in before} == times


def test_no_port_is_given_twice_and_none_that_is_taken(tmp_path: Path) -> None:
    many = load("demo", trucks=9)
    first = places(tmp_path / "one", many) if (tmp_path / "one").mkdir() is None else {}
    ports = [port for place in first.values() for port in place.tcp.values()]
    assert len(ports) == len(set(ports)) == 10
    (tmp_path / "one" / "ports.json").unlink()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[0]))
        taken.listen()
        again = places(tmp_path / "one", many)
    assert ports[0] not in [port for place in again.values() for port in place.tcp.values()]


def test_each_edge_finds_its_own_radio(tmp_path: Path, asty: Town) -> None:
    _write(tmp_path, asty, load("demo"), Broker("127.0.0.1", 1883))
    lines = [(tmp_path / "edges" / edge / "env").read_text() for edge in load("demo").edges]
    assert all(line.startswith("DBUS_SYSTEM_BUS_ADDRESS=unix:path=") and line.endswith("\n") for line in lines)
    assert len(set(lines)) == len(lines)


def test_vests_are_told_apart_all_over_the_town(tmp_path: Path, asty: Town) -> None:
    _write(tmp_path, asty, load("demo", trucks=6), Broker("127.0.0.1", 1883))
    vests = [
        vest["id"]
        for file in tmp_path.glob("edges/*/edge.toml")
        for device in tomllib.loads(file.read_text())["device"]
        for vest in device.get("vests", [])
    ]
    assert len(vests) == len(set(vests)) == 6 * 3 + 3


def test_a_path_with_quotes_and_greek_letters_is_written_safely(tmp_path: Path, asty: Town) -> None:
    folder = tmp_path / 'Δήμος "Άστυ"'
    folder.mkdir()
    _write(folder, asty, load("demo"), Broker("127.0.0.1", 1883))
    settings = edge_config.load(folder / "edges/truck-01/edge.toml")
    (gnss,) = [device for device in settings.devices if device.name == "gnss"]
    assert gnss.options["port"] == os.fspath(folder / "edges/truck-01/dev/gnss")
    assert msgspec.json.decode((folder / "register.json").read_bytes())["town"].startswith(str(folder))
