"""The drivers against the simulator's peers, which were written from the formats alone: each side proves the other."""

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from asty_edge import drivers
from asty_edge.device import DeviceLostError, DeviceSettings
from asty_edge.reading import BeaconHeard, EngineReading, Fix, FuelReading, LiftReading, ScannerAlive, TagRead, Weighing
from asty_firmware_sim.devices.bluez import Radio
from asty_firmware_sim.devices.can_ecu import Ecu
from asty_firmware_sim.devices.gnss import Receiver
from asty_firmware_sim.devices.modbus import FuelProbe, LiftController
from asty_firmware_sim.devices.rfid import Em4100, Tiris, Wl134
from asty_firmware_sim.devices.scale import Indicator
from asty_firmware_sim.devices.serial_port import SerialPort
from asty_firmware_sim.devices.vests import BtHome, Eddystone, IBeacon

BEACON = IBeacon("f7826da6-4fa2-4e98-8024-bc5b71e0893e", 1, 42)


def opened(kind: str, **options: object):
    return drivers.load(kind).open_device(DeviceSettings("dev", kind, {key: value for key, value in options.items() if value is not None}))


@asynccontextmanager
async def running[P](peer: P) -> AsyncIterator[P]:
    await peer.start()
    try:
        yield peer
    finally:
        await peer.stop()


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "line"


async def test_wl134_tags(link, listening):
    raw = 0x800BF580075BCD15
    async with running(Wl134(link)) as reader, listening(opened("rfid_fdxb", port=str(link))) as heard:
        tag = await heard.heard(TagRead, meanwhile=lambda: reader.read(raw))
        assert (tag.tag, tag.std) == (f"{raw:016X}", "fdxb")


async def test_tiris_tags(link, listening):
    async with running(Tiris(link)) as reader, listening(opened("rfid_fdxb", port=str(link), dialect="tiris")) as heard:
        tag = await heard.heard(TagRead, meanwhile=lambda: reader.read(123456789 | 982 << 38))
        assert (tag.tag, tag.std) == ("0000F580075BCD15", "tiris")


@pytest.mark.parametrize("dialect", ["rdm6300", "id12"])
async def test_em4100_tags(dialect, link, listening):
    async with running(Em4100(link, dialect)) as reader, listening(opened("rfid_em4100", port=str(link))) as heard:
        tag = await heard.heard(TagRead, meanwhile=lambda: reader.read("06001259E3"))
        assert (tag.tag, tag.std) == ("06001259E3", "em4100")


@pytest.mark.parametrize("dialect", ["st_gs", "toledo", "mt_sics"])
async def test_weights(dialect, link, listening):
    async with running(Indicator(link, dialect)) as indicator, listening(opened("scale", port=str(link), dialect=dialect)) as heard:
        for kg, stable in ((118.5, True), (119.5, False), (0.0, True)):
            indicator.weigh(kg, stable)
            assert await heard.heard(Weighing, meanwhile=indicator.emit, kg=kg, stable=stable)
        indicator.weigh(None, stable=False)
        assert await heard.heard(Weighing, meanwhile=indicator.emit, kg=None)


async def test_fixes_of_a_receiver(link, listening):
    device = opened("nmea", port=str(link))
    async with running(Receiver(link)) as receiver, listening(device) as heard:
        at = 1_795_335_330_000
        fix = await heard.heard(Fix, meanwhile=lambda: receiver.fix(at, 39.36, 22.95, 6.4, 84.4), valid=True)
        assert (fix.utc, round(fix.lat, 5), round(fix.lon, 5)) == (at, 39.36, 22.95)
        assert fix.v == pytest.approx(6.4, abs=0.06)
        assert fix.sats
        lost = await heard.heard(Fix, meanwhile=lambda: receiver.no_fix(at + 1000), valid=False)
        assert (lost.utc, lost.lat) == (None, None)
    assert device.counters.bad == 0


@pytest.mark.parametrize("transport", ["tcp", "rtu"])
async def test_a_lift_over_either_transport(transport, link, listening, unused_port):
    where = {"tcp_port": unused_port} if transport == "tcp" else {"link": link}
    reach = {"host": "127.0.0.1", "tcp_port": unused_port} if transport == "tcp" else {"port": str(link)}
    async with running(LiftController(**where)) as lift:
        lift.show("raising", 70_000, angle=12.5, pressure=140.0, uptime=100_000, clamped=True, pto=True)
        async with listening(opened("lift_modbus", transport=transport, **reach)) as heard:
            first = await heard.heard(LiftReading)
            assert (first.state, first.cycle, first.angle, first.pressure, first.uptime) == ("raising", 70_000, 12.5, 140.0, 100_000)
            assert (first.arm_up, first.clamped, first.tip, first.pto, first.footboard) == (False, True, False, True, False)
            lift.show("idle", 70_001, uptime=100_020)
            await heard.heard(LiftReading, state="idle", cycle=70_001)


async def test_a_lift_whose_line_is_unplugged_is_lost_and_read_again(link, listening):
    device = opened("lift_modbus", transport="rtu", port=str(link))
    async with running(LiftController(link=link)) as lift:
        lift.show("idle", 7)
        async with listening(device) as heard:
            await heard.heard(LiftReading, cycle=7)
            lift.unplug()
            assert isinstance(await heard.lost(), DeviceLostError)
        lift.plug()
        lift.show("idle", 8)
        async with listening(device) as heard:
            await heard.heard(LiftReading, cycle=8)


async def test_a_fuel_probe(listening, unused_port):
    async with running(FuelProbe(tcp_port=unused_port)) as probe:
        probe.show(42.5, 21.0)
        device = opened("fuel_modbus", transport="tcp", host="127.0.0.1", tcp_port=unused_port, tank=200, poll_ms=50)
        async with listening(device) as heard:
            assert (await heard.heard(FuelReading)).litres == 85.0
            probe.show(None, 21.0)
            await heard.heard(FuelReading, level=None, litres=None)


def an_engine(ecu: Ecu) -> None:
    ecu.show(level=50.0, rate=12.35, total=40_000.123, rpm=800.0, v=10.0, dist=123_400_005.0, hours=5000.0)
    ecu.emit()


async def sees_the_engine(heard, ecu: Ecu) -> None:
    fuel = await heard.heard(FuelReading, meanwhile=lambda: an_engine(ecu), level=50.0)
    engine = await heard.heard(EngineReading, meanwhile=lambda: an_engine(ecu), rpm=800.0)
    assert (fuel.litres, fuel.second) == (150.0, None)
    assert fuel.total == pytest.approx(40_000.123, abs=0.002)
    assert engine.v == pytest.approx(10.0, abs=0.01)
    assert (engine.dist, engine.hours) == (123_400_005.0, 5000.0)


async def test_an_engine_on_slcan_and_its_unplugged_adapter(link, listening):
    device = opened("j1939", interface="slcan", channel=str(link), tank=300)
    async with running(Ecu("slcan", link)) as ecu, listening(device) as heard:
        await sees_the_engine(heard, ecu)
        ecu.unplug()
        assert isinstance(await heard.lost(), DeviceLostError)
    assert device.counters.bad == 0


async def test_an_engine_is_heard_behind_noise_on_the_adapters_line(link, listening):
    device = opened("j1939", interface="slcan", channel=str(link), tank=300)
    async with running(SerialPort(link)) as adapter, listening(device) as heard:
        noise = [b"T18FEFC2\r", b"Txyz\r", b"\xff\xfe\r", b"T18FEFC218zz\r", b"T18FEFC2147D\r", b"T18FEFC214FF7DFFFF\r"]
        for line in noise:
            bad = device.counters.bad
            await heard.until(lambda _, bad=bad: device.counters.bad > bad, meanwhile=lambda line=line: adapter.write(line))
        assert heard.readings == []
        assert device.counters.last_bad
        await heard.heard(FuelReading, meanwhile=lambda: adapter.write(b"T18FEFC218FF7DFFFFFFFFFFFF\r"), level=50.0)


async def test_an_engine_on_a_multicast_bus(listening):
    group, port = f"239.74.163.{os.getpid() % 250 + 1}", random.randrange(40_000, 60_000)
    device = opened("j1939", interface="udp_multicast", channel=group, port=port, tank=300)
    async with running(Ecu("udp_multicast", group, port)) as ecu, listening(device) as heard:
        await sees_the_engine(heard, ecu)


async def test_a_can_adapter_that_is_not_there_is_worth_another_try(listening, tmp_path):
    async with listening(opened("j1939", interface="slcan", channel=str(tmp_path / "ttyACM7"))) as heard:
        assert isinstance(await heard.lost(), DeviceLostError)


@pytest.fixture
async def radio(tmp_path, monkeypatch) -> AsyncIterator[Radio]:
    if not Radio.available():
        pytest.skip("dbus-daemon is not installed: apt-get install dbus-daemon")
    async with running(Radio(tmp_path / "radio")) as air:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", air.address)
        yield air


@pytest.mark.parametrize(
    ("tag", "kind", "key"),
    [
        (BEACON, "ibeacon", None),
        (Eddystone("4e414d45535041434531", "494e53543031"), "eddystone", None),
        (BtHome("54:48:E6:8F:80:A5"), "bthome", None),
        (BtHome("54:48:E6:8F:80:A5", bytes(range(16))), "bthome", bytes(range(16)).hex()),
    ],
    ids=["ibeacon", "eddystone", "bthome", "bthome-encrypted"],
)
async def test_a_vest_is_heard_and_a_stranger_is_not(tag, kind, key, radio, listening):
    stranger = IBeacon("00000000-0000-0000-0000-000000000001", 1, 1)
    vest = {"id": tag.identity, "kind": kind} | ({"key": key} if key else {})
    device = opened("ble_tags", vests=[vest])

    def walk_by() -> None:
        radio.hear(stranger, -50)
        radio.hear(tag, -random.randrange(50, 90), moving=True, battery=80.0)

    async with listening(device) as heard:
        beacon = await heard.until(
            lambda listener: len(found := [one for one in listener.readings if isinstance(one, BeaconHeard)]) > 3 and found[-1],
            meanwhile=walk_by,
        )
    assert {one.vest for one in heard.readings if isinstance(one, BeaconHeard)} == {tag.identity}
    assert beacon.authentic is (True if key else None)
    assert beacon.moving is (True if kind == "bthome" else None)
    if kind == "eddystone":
        assert any(one.battery for one in heard.readings if isinstance(one, BeaconHeard))
    assert device.counters.bad == 0


async def test_a_tag_that_bluez_forgets_is_not_heard_by_that(radio, listening):
    """BlueZ takes the signal strength away from a tag that fell silent; bleak tells that change as -127 dBm with the tag's old data."""
    other = IBeacon("f7826da6-4fa2-4e98-8024-bc5b71e0893e", 1, 43)
    device = opened("ble_tags", vests=[{"id": vest.identity, "kind": "ibeacon"} for vest in (BEACON, other)])
    async with listening(device) as heard:
        await heard.heard(BeaconHeard, meanwhile=lambda: radio.hear(BEACON, -60), vest=BEACON.identity)
        for _ in range(5):
            radio.hear(BEACON, -127)
        await heard.heard(BeaconHeard, meanwhile=lambda: radio.hear(other, -60), vest=other.identity)
    assert {one.rssi for one in heard.readings if isinstance(one, BeaconHeard)} == {-60}


def vests(**options: object):
    return opened("ble_tags", vests=[{"id": BEACON.identity, "kind": "ibeacon"}], heartbeat_s=0.2, **options)


async def test_a_scanner_that_hears_anything_is_alive(radio, listening):
    async with listening(vests()) as heard:
        stranger = IBeacon("00000000-0000-0000-0000-000000000001", 1, 1)
        await heard.until(
            lambda listener: sum(isinstance(one, ScannerAlive) for one in listener.readings) > 10,
            meanwhile=lambda: radio.hear(stranger, -random.randrange(50, 90)),
        )
        assert not [one for one in heard.readings if isinstance(one, BeaconHeard)]


async def test_a_scanner_that_stalled_is_lost_and_never_called_alive(radio, listening):
    async with listening(vests()) as heard:
        await heard.heard(BeaconHeard, meanwhile=lambda: radio.hear(BEACON, -random.randrange(50, 90)))
        radio.silence(on=True)
        error = await heard.lost()
    assert isinstance(error, DeviceLostError)
    after = heard.readings[max(n for n, one in enumerate(heard.readings) if isinstance(one, BeaconHeard)) :]
    assert len(after) <= 4


async def test_a_stall_that_a_restart_cures_is_cured(radio, listening):
    async with listening(vests()) as heard:
        await heard.heard(BeaconHeard, meanwhile=lambda: radio.hear(BEACON, -random.randrange(50, 90)))
        radio.silence(on=True, until_restart=True)
        count = sum(isinstance(one, BeaconHeard) for one in heard.readings)
        await heard.until(
            lambda listener: sum(isinstance(one, BeaconHeard) for one in listener.readings) > count,
            meanwhile=lambda: radio.hear(BEACON, -random.randrange(50, 90)),
        )


async def test_after_a_crash_of_bluez_the_same_device_hears_again(radio, listening):
    device = vests()
    async with listening(device) as heard:
        await heard.heard(BeaconHeard, meanwhile=lambda: radio.hear(BEACON, -random.randrange(50, 90)))
        radio.crash()
        assert isinstance(await heard.lost(), DeviceLostError)
    await radio.recover()
    async with listening(device) as heard:
        await heard.heard(BeaconHeard, meanwhile=lambda: radio.hear(BEACON, -random.randrange(50, 90)))


async def test_no_bluetooth_at_all_is_worth_another_try(tmp_path, monkeypatch, listening):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nobody")
    async with listening(vests()) as heard:
        assert isinstance(await heard.lost(), DeviceLostError)
