"""The level sensors in the bins around a street gateway."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from asty_contracts.ids import is_tag

from asty_edge.device import Counters, Device, DeviceSettings
from asty_edge.drivers.framing import Bad, count_bad
from asty_edge.drivers.level_lorawan import codec, em310
from asty_edge.drivers.level_lorawan.codec import Heard, Keys
from asty_edge.reading import LevelReading
from asty_edge.transports.options import Options
from asty_edge.transports.udp import UdpPort

SILENT_S = 60.0
"""A packet forwarder asks for work every few seconds: silent for so long, it is gone."""
BEYOND_MM = 150
"""So much farther than the floor an echo can't come from a bin: it lies, or is another."""
_HEX = {"id": (16, "a DevEUI, 16 upper-case hex digits"), "address": (8, "a DevAddr, 8 upper-case hex digits")}


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor: in which bin it is mounted, and how far the floor and the full mark are from it."""

    id: str
    keys: Keys
    bin: str
    empty_mm: int
    full_mm: int
    full_at: float | None

    def level(self, mm: int) -> float | None:
        """Return the fill level in %; None when the echo can't be of this bin."""
        if mm <= 0 or mm > self.empty_mm + BEYOND_MM:
            return None
        return round(max(0.0, 100 * (self.empty_mm - mm) / (self.empty_mm - self.full_mm)), 1)


def open_device(settings: DeviceSettings) -> Device:
    """Check the options and return the gateway's ear. Raises DeviceMisconfiguredError."""
    options = Options(settings)
    host = options.text("host", "127.0.0.1")
    port = options.whole("udp_port", 1700, 1, 65535)
    sensors: dict[str, Sensor] = {}
    for place, table in options.tables("sensors"):
        if (found := _sensor(options, place, table)) is not None:
            device, sensor = found
            if device in sensors:
                options.fault(f"{place}.address", device, "an address that no other sensor has")
            sensors[device] = sensor
    options.done()
    return LevelGateway(settings.name, host, port, sensors)


def _sensor(options: Options, place: str, table: dict[str, Any]) -> tuple[str, Sensor] | None:
    known = {*_HEX, "nwkskey", "appskey", "bin", "empty_mm", "full_mm", "full_at"}
    faults = [(name, table[name], f"no such key, a sensor has {', '.join(sorted(known))}") for name in sorted(table.keys() - known)]
    for name, (digits, expected) in _HEX.items():
        if not _is_hex(table.get(name), rf"[0-9A-F]{{{digits}}}"):
            faults.append((name, table.get(name), expected))
    faults += [(name, "…", "32 hex digits") for name in ("nwkskey", "appskey") if not _is_hex(table.get(name), r"[0-9a-fA-F]{32}")]
    if not isinstance(table.get("bin"), str) or not is_tag(table["bin"]):
        faults.append(("bin", table.get("bin"), "the tag of the bin, upper-case hex"))
    empty: Any = table.get("empty_mm")
    full: Any = table.get("full_mm")
    full_at = table.get("full_at")
    if not _is_whole(empty, 100, 4500):
        faults.append(("empty_mm", empty, "a whole number from 100 to 4500: from the sensor to the floor of the empty bin"))
    elif not _is_whole(full, 30, empty - 50):
        faults.append(("full_mm", full, "a whole number from 30 to 50 below empty_mm: from the sensor to the full mark"))
    if full_at is not None and (isinstance(full_at, bool) or not isinstance(full_at, int | float) or not 10 <= full_at <= 150):
        faults.append(("full_at", full_at, "a number from 10 to 150"))
    for name, value, expected in faults:
        options.fault(f"{place}.{name}", value, expected)
    if faults:
        return None
    keys = Keys(bytes.fromhex(table["nwkskey"]), bytes.fromhex(table["appskey"]))
    return table["address"], Sensor(table["id"], keys, table["bin"], empty, full, None if full_at is None else float(full_at))


def _is_hex(value: object, pattern: str) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


class LevelGateway:
    """Yields what the sensors of this edge say; frames of other people's devices are passed over."""

    def __init__(self, name: str, host: str, port: int, sensors: dict[str, Sensor]) -> None:
        self.counters = Counters()
        self._name = name
        self._at = (host, port)
        self._sensors = sensors
        self._counts: dict[str, int] = {}

    async def readings(self) -> AsyncIterator[LevelReading]:
        """Yield readings until the packet forwarder is silent for a minute. Raises DeviceLostError or DeviceMisconfiguredError."""
        async with UdpPort(*self._at) as port:
            while True:
                at, data, sender = await port.read(SILENT_S)
                said = codec.datagram(data)
                if isinstance(said, Bad):
                    count_bad(self.counters, said)
                    continue
                port.write(said.answer, sender)
                for heard in said.heard:
                    meant = self._hear(at, heard)
                    if isinstance(meant, Bad):
                        count_bad(self.counters, meant)
                    elif meant is not None:
                        self.counters.frames += 1
                        yield meant

    def _hear(self, at: int, heard: Heard) -> LevelReading | Bad | None:
        device = codec.address(heard.frame)
        sensor = self._sensors.get(device or "")
        if device is None or sensor is None:
            return None
        frame = codec.uplink(heard.frame, sensor.keys, self._counts.get(device))
        if frame is None or isinstance(frame, Bad):
            return frame
        self._counts[device] = frame.count
        if frame.port != em310.PORT:
            return None
        echo = em310.decode(frame.payload)
        if isinstance(echo, Bad):
            return echo
        if echo == em310.Echo():
            return None
        return LevelReading(
            self._name,
            at,
            bin=sensor.bin,
            sensor=sensor.id,
            level=None if echo.mm is None or echo.tilted else sensor.level(echo.mm),
            dist=None if echo.mm is None else echo.mm / 1000,
            full_at=sensor.full_at,
            battery=None if echo.battery is None else float(echo.battery),
            tilt="unknown" if echo.tilted is None else "yes" if echo.tilted else "no",
            rssi=heard.rssi,
            count=frame.count,
        )
