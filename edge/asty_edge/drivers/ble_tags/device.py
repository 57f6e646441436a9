"""The Bluetooth adapter that listens for workers' vests."""

import re
from collections.abc import AsyncIterator
from typing import Any, cast

from asty_edge.clock import mono_ms
from asty_edge.device import Counters, Device, DeviceSettings
from asty_edge.drivers.ble_tags.heartbeat import Heartbeat
from asty_edge.drivers.ble_tags.roster import Kind, Roster, VestTag
from asty_edge.drivers.framing import Bad, count_bad
from asty_edge.reading import Reading, ScannerAlive
from asty_edge.transports.ble import Scanner
from asty_edge.transports.options import Options

_U16 = r"(?:0|[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
_IDENTITY: dict[str, tuple[str, str]] = {
    "ibeacon": (rf"[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}/{_U16}/{_U16}", "uuid/major/minor, the uuid in lower case"),
    "eddystone": (r"[0-9a-f]{20}/[0-9a-f]{12}", "namespace/instance, 20 and 12 hex digits in lower case"),
    "bthome": (r"[0-9A-F]{2}(?::[0-9A-F]{2}){5}", "the tag's address, like C0:FF:EE:00:00:01"),
}


def open_device(settings: DeviceSettings) -> Device:
    """Check the options and return the scanner. Raises DeviceMisconfiguredError."""
    options = Options(settings)
    adapter = options.text("adapter", "", pattern=r"(?:hci\d{1,2})?", expected="a Bluetooth adapter, like hci0")
    vests = [vest for place, table in options.tables("vests") if (vest := _vest(options, place, table)) is not None]
    heartbeat_s = options.number("heartbeat_s", 5.0, 0.1, 10) or 5.0
    options.done()
    return VestScanner(settings.name, adapter or None, Roster.of(settings.name, vests), round(heartbeat_s * 1000))


def _vest(options: Options, place: str, table: dict[str, Any]) -> VestTag | None:
    kind, identity, key = table.get("kind"), table.get("id"), table.get("key")
    for name in sorted(table.keys() - {"id", "kind", "key"}):
        options.fault(f"{place}.{name}", table[name], "no such key, a vest has id, kind and key")
    if not isinstance(kind, str) or kind not in _IDENTITY:
        options.fault(f"{place}.kind", kind, "one of " + ", ".join(f'"{name}"' for name in _IDENTITY))
        return None
    pattern, expected = _IDENTITY[kind]
    if not isinstance(identity, str) or not re.fullmatch(pattern, identity):
        options.fault(f"{place}.id", identity, expected)
        return None
    if key is not None and (kind != "bthome" or not isinstance(key, str) or not re.fullmatch(r"[0-9a-fA-F]{32}", key)):
        options.fault(f"{place}.key", "…", "32 hex digits, and only for bthome")
        return None
    return VestTag(identity, cast("Kind", kind), bytes.fromhex(key) if key else None)


class VestScanner:
    """Yields vests that are heard, and the scanner's own heartbeat."""

    def __init__(self, name: str, adapter: str | None, roster: Roster, every_ms: int) -> None:
        self.counters = Counters()
        self._name = name
        self._adapter = adapter
        self._roster = roster
        self._every_ms = every_ms

    async def readings(self) -> AsyncIterator[Reading]:
        """Yield readings until BlueZ is lost. Raises DeviceLostError or DeviceMisconfiguredError."""
        async with Scanner(self._adapter) as scanner:
            heartbeat = Heartbeat(self._every_ms, mono_ms())
            while True:
                said = await scanner.read(max(0, heartbeat.next - mono_ms()) / 1000)
                if said is not None:
                    heartbeat.heard(said.at)
                    heard = self._roster.hear(said)
                    if isinstance(heard, Bad):
                        count_bad(self.counters, heard)
                    elif heard is not None:
                        self.counters.frames += 1
                        yield heard
                if (now := mono_ms()) >= heartbeat.next:
                    beat = heartbeat.beat(now)
                    if beat == "restart":
                        await scanner.restart()
                        beat = heartbeat.restarted(mono_ms())
                    if beat == "alive":
                        yield ScannerAlive(self._name, mono_ms())
