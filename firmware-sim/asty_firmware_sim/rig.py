"""Binds what an edge's sensors would sense to the devices that say it on their wires."""

import logging
from typing import Literal, Protocol, cast

from asty_firmware_sim.devices.bluez import Radio
from asty_firmware_sim.devices.can_ecu import Ecu
from asty_firmware_sim.devices.gnss import Receiver
from asty_firmware_sim.devices.level_sensors import PacketForwarder, frame, level_tag, payload
from asty_firmware_sim.devices.modbus import FuelProbe, LiftController
from asty_firmware_sim.devices.rfid import Em4100, Tiris, Wl134
from asty_firmware_sim.devices.scale import Indicator
from asty_firmware_sim.devices.serial_port import SerialPort
from asty_firmware_sim.devices.vests import BtHome, Eddystone, IBeacon, Vest
from asty_firmware_sim.edges import EdgePlace
from asty_firmware_sim.scenario import EM4100, GatewaySpec, Tag, TruckSpec
from asty_firmware_sim.vests import VestTag, vest_tag
from asty_firmware_sim.world.senses import GatewaySenses, TruckSenses, VestShown

log = logging.getLogger(__name__)

BEATS_PER_SECOND = 20
"""How often devices are told what is true, in real time."""
_CAN_EVERY = 10  # beats
_GNSS_EVERY = 4  # beats at least, and one town second
_VEST_EVERY = 20
_ASK_EVERY = 100
_TRUCK_RSSI, _GATE_RSSI, _LEVEL_RSSI = -62, -74, -97  # dBm
_TANK_TEMPERATURE = 24.0


class _Device(Protocol):
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class Air:
    """The vests of one edge's crew on its radio; without dbus-daemon there is no radio, and the edge finds none."""

    def __init__(self, place: EdgePlace, tags: tuple[Tag, ...], rssi: int) -> None:
        self._radio = Radio(place.radio)
        self._vests = [_worn(vest_tag(tag, place.edge, worker)) for worker, tag in enumerate(tags)]
        self._rssi = rssi
        self._silent = False
        self._on = Radio.available()
        if not self._on:
            log.warning("edge=%s vests are off: dbus-daemon is not installed; install the package dbus-daemon (or dbus)", place.edge)

    async def start(self) -> None:
        """Start the radio if this machine can have one."""
        if self._on:
            await self._radio.start()

    async def stop(self) -> None:
        """Stop it."""
        if self._on:
            await self._radio.stop()

    def show(self, vests: tuple[VestShown, ...], *, scanner: bool, beat: int) -> None:
        """Let the radio hear each vest once a second."""
        if not self._on:
            return
        if self._silent == scanner:
            self._silent = not scanner
            self._radio.silence(self._silent)
        for k, (vest, shown) in enumerate(zip(self._vests, vests, strict=True)):
            if shown.heard and (beat + 5 * k) % _VEST_EVERY == 0:
                self._radio.hear(vest, self._rssi - 3 * k, shown.moving, shown.battery)


class TruckRig:
    """The devices of one truck."""

    def __init__(self, spec: TruckSpec, place: EdgePlace) -> None:
        self._rfid = _reader(spec, place)
        self._scale = Indicator(place.line("scale"), spec.scale)
        self._gnss = _Gnss(place)
        self._lift = LiftController(tcp_port=place.tcp["lift"]) if spec.lift == "tcp" else LiftController(link=place.line("lift"))
        self._ecu = Ecu("slcan", place.line("can")) if spec.fuel == "j1939" else None
        self._probe = _fuel_probe(spec, place)
        self._air = Air(place, spec.vests, _TRUCK_RSSI)
        self._lines: dict[str, SerialPort] = {"rfid": self._rfid, "scale": self._scale, "gnss": self._gnss.receiver}

    @property
    def manned(self) -> bool:
        """Whether an agent listens to it: it has opened the reader's line."""
        return self._rfid.opened

    @property
    def _devices(self) -> list[_Device]:
        every = (self._rfid, self._scale, self._gnss.receiver, self._lift, self._ecu, self._probe, self._air)
        return [device for device in every if device is not None]

    async def start(self) -> None:
        """Make every port. Raises what the devices raise when a port is taken."""
        for device in self._devices:
            await device.start()

    async def stop(self) -> None:
        """Take every port away."""
        for device in self._devices:
            await device.stop()

    def hear(self, tag: str) -> None:
        """Let the reader hear a tag."""
        if isinstance(self._rfid, Em4100):
            self._rfid.read(tag)
        else:
            self._rfid.read(int(tag, 16))

    def show(self, senses: TruckSenses, beat: int) -> None:
        """Tell every device what is true now; those that speak by themselves speak when it is their turn."""
        _plug(self._lines, senses.unplugged)
        self._scale.weigh(senses.lift.kg, senses.lift.stable)
        self._scale.emit()
        lift = senses.lift
        self._lift.show(
            lift.state,
            senses.cycle,
            lift.fault,
            lift.angle,
            lift.pressure,
            senses.uptime,
            arm_up=lift.arm_up,
            clamped=lift.clamped,
            tip=lift.tip,
            pto=senses.pto,
            footboard=lift.footboard,
        )
        if self._probe is not None:
            self._probe.show(senses.level, _TANK_TEMPERATURE)
        if self._ecu is not None and beat % _CAN_EVERY == 0:
            self._ecu.show(senses.level, senses.rate, senses.total, senses.rpm, senses.v, senses.dist, senses.hours)
            self._ecu.emit()
        self._gnss.show(senses.at, senses.lat, senses.lon, senses.v, senses.course, fixed=senses.gnss, beat=beat)
        self._air.show(senses.vests, scanner=senses.scanner, beat=beat)


class GatewayRig:
    """The devices of one street gateway."""

    def __init__(self, spec: GatewaySpec, place: EdgePlace) -> None:
        self._gnss = _Gnss(place)
        self._air = Air(place, spec.vests, _GATE_RSSI)
        self._forwarder = PacketForwarder(place.tcp["levels"]) if "levels" in place.tcp else None

    async def start(self) -> None:
        """Make its ports."""
        await self._gnss.receiver.start()
        await self._air.start()
        if self._forwarder is not None:
            await self._forwarder.start()

    async def stop(self) -> None:
        """Take them away."""
        await self._gnss.receiver.stop()
        await self._air.stop()
        if self._forwarder is not None:
            await self._forwarder.stop()

    def show(self, senses: GatewaySenses, beat: int) -> None:
        """Tell its devices what is true now."""
        _plug({"gnss": self._gnss.receiver}, senses.unplugged)
        self._gnss.show(senses.at, senses.lat, senses.lon, 0.0, 0.0, fixed=senses.gnss, beat=beat)
        self._air.show(senses.vests, scanner=senses.scanner, beat=beat)
        if self._forwarder is not None:
            if beat % _ASK_EVERY == 0:
                self._forwarder.ask()
            for said in senses.levels:
                clear = payload(said.mm, round(said.battery), tilted=False)
                self._forwarder.forward(frame(level_tag(said.tag), said.count, clear), _LEVEL_RSSI)


class _Gnss:
    """A receiver that speaks once each second of town time, and at most five times each real second."""

    def __init__(self, place: EdgePlace) -> None:
        self.receiver = Receiver(place.line("gnss"))
        self._said_at = 0
        self._said_on = -_GNSS_EVERY

    def show(self, at: int, lat: float, lon: float, v: float, course: float, *, fixed: bool, beat: int) -> None:
        if at - self._said_at < 1000 or beat - self._said_on < _GNSS_EVERY:
            return
        self._said_at, self._said_on = at, beat
        if fixed:
            self.receiver.fix(at, lat, lon, v, course, alt=4.0, sats=11, hdop=0.8)
        else:
            self.receiver.no_fix(at)


def _plug(lines: dict[str, SerialPort], unplugged: frozenset[str]) -> None:
    for name, line in lines.items():
        if line.plugged == (name in unplugged):
            (line.unplug if line.plugged else line.plug)()


def _reader(spec: TruckSpec, place: EdgePlace) -> Wl134 | Tiris | Em4100:
    line = place.line("rfid")
    if spec.rfid in EM4100:
        return Em4100(line, cast("Literal['rdm6300', 'id12']", spec.rfid))
    return Tiris(line) if spec.rfid == "tiris" else Wl134(line)


def _fuel_probe(spec: TruckSpec, place: EdgePlace) -> FuelProbe | None:
    if spec.fuel == "modbus_tcp":
        return FuelProbe(tcp_port=place.tcp["fuel"])
    return FuelProbe(link=place.line("fuel")) if spec.fuel == "modbus_rtu" else None


def _worn(tag: VestTag) -> Vest:
    if tag.kind == "ibeacon":
        uuid, *_ = tag.identity.split("/")
        return IBeacon(uuid, *tag.numbers)
    if tag.kind == "eddystone":
        namespace, instance = tag.identity.split("/")
        return Eddystone(namespace, instance)
    return BtHome(tag.identity, bytes.fromhex(tag.key) if tag.key else None)
