"""A Bluetooth radio without Bluetooth: a private D-Bus with a fake org.bluez, which bleak uses unmodified.

Object paths, properties, methods and errors are those of BlueZ 5: org.bluez.Adapter and org.bluez.Device of its documentation.
"""

import asyncio
import hashlib
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Annotated, Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from dbus_fast import DBusError, NameFlag, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusDict, DBusInt16, DBusObjectPath, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from asty_firmware_sim.devices.vests import Vest

ADAPTER_PATH = "/org/bluez/hci0"
LONGEST_SOCKET_PATH = 99
"""dbus-daemon takes no longer one, although unix(7) allows 107 bytes."""
START_TIMEOUT_S = 10

_BUS_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/>
  </policy>
</busconfig>
"""

Strings = Annotated[list[str], DBusSignature("as")]
BytesByNumber = Annotated[dict[int, Variant], DBusSignature("a{qv}")]
BytesByName = Annotated[dict[str, Variant], DBusSignature("a{sv}")]


class RadioUnavailableError(Exception):
    """There can be no radio on this machine. Says what is missing and how to get it."""


class Radio:
    """The air around one edge's Bluetooth adapter. Its files are in `folder`; the edge finds it at `address`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if len(bytes(folder / "bus")) > LONGEST_SOCKET_PATH:
            self._folder = Path(gettempdir()) / f"asty-{hashlib.sha256(bytes(folder)).hexdigest()[:16]}"
        self._owned = self._folder != folder
        self.address = f"unix:path={quote(str(self._folder / 'bus'), safe='/-_.')}"
        self._daemon: asyncio.subprocess.Process | None = None
        self._bus: MessageBus | None = None
        self._stall = _Stall()
        self._adapter = _Adapter(self._stall)
        self._devices: dict[str, _Device] = {}

    @staticmethod
    def available() -> bool:
        """Tell whether dbus-daemon, which a radio needs, is installed."""
        return shutil.which("dbus-daemon") is not None

    async def start(self) -> None:
        """Start the bus and put org.bluez on it. Raises RadioUnavailableError when dbus-daemon is missing or doesn't start."""
        if not self.available():
            raise RadioUnavailableError("dbus-daemon is not installed, so there is no Bluetooth: install the package dbus-daemon (or dbus)")
        self._folder.mkdir(mode=0o711 if self._owned else 0o777, parents=True, exist_ok=True)
        config = self._folder / "bus.conf"
        config.write_text(_BUS_CONFIG.format(address=escape(self.address)))
        # setpriv lets the bus die with this process, however that ends
        guard = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
        command = [*guard, "dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--nosyslog", "--print-address=1"]
        with (self._folder / "bus.log").open("wb") as log:
            self._daemon = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=log)
        assert self._daemon.stdout is not None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                listening = await self._daemon.stdout.readline()
        except TimeoutError:
            listening = b""
        if not listening:
            said = (self._folder / "bus.log").read_text(errors="replace").strip()
            await self.stop()
            raise RadioUnavailableError(f"dbus-daemon did not start: {said or 'it said nothing'}")
        await self.recover()

    async def stop(self) -> None:
        """Take org.bluez and the bus away, and their files with them."""
        self.crash()
        if self._daemon is not None:
            if self._daemon.returncode is None:
                self._daemon.send_signal(signal.SIGTERM)
            await self._daemon.wait()
            self._daemon = None
        for name in ("bus", "bus.conf", "bus.log"):
            (self._folder / name).unlink(missing_ok=True)
        if self._owned and self._folder.exists():
            self._folder.rmdir()

    async def recover(self) -> None:
        """Put org.bluez on the bus (again), as systemd does after a crash: nothing is discovering, no device is known."""
        if self._bus is not None:
            return
        self._adapter = _Adapter(self._stall)
        self._bus = await MessageBus(bus_address=self.address).connect()
        self._bus.export(ADAPTER_PATH, self._adapter)
        await self._bus.request_name("org.bluez", NameFlag.NONE)

    def crash(self) -> None:
        """Drop org.bluez from the bus; the bus itself stays."""
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = None
        self._devices.clear()

    def silence(self, on: bool, until_restart: bool = False) -> None:
        """Stall discovery as hung controllers do: it is still said to run, and nothing is heard.

        An attempt to restart it is answered org.bluez.Error.InProgress, or cures it when `until_restart`.
        """
        self._stall.on = on
        self._stall.until_restart = until_restart

    def hear(self, tag: Vest, rssi: int, moving: bool = True, battery: float = 100.0) -> None:
        """Let the adapter hear one advertisement of `tag` at `rssi` dBm, if it is discovering."""
        address, manufacturer_data, service_data = tag.advertisement(moving, battery)
        if self._bus is None or self._stall.on or not self._adapter.discovering:
            return
        heard = {
            "RSSI": rssi,
            "ManufacturerData": {company: Variant("ay", data) for company, data in manufacturer_data.items()},
            "ServiceData": {uuid: Variant("ay", data) for uuid, data in service_data.items()},
        }
        device = self._devices.get(address)
        if device is None:
            device = self._devices[address] = _Device(address, heard)
            self._bus.export(f"{ADAPTER_PATH}/dev_{address.replace(':', '_')}", device)
        else:
            device.heard = heard
            device.emit_properties_changed(heard)


@dataclass(slots=True)
class _Stall:
    on: bool = False
    until_restart: bool = False


class _Adapter(ServiceInterface):
    """org.bluez.Adapter1, as far as a scanner asks."""

    def __init__(self, stall: _Stall) -> None:
        super().__init__("org.bluez.Adapter1")
        self.discovering = False
        self._stall = stall

    @dbus_property(PropertyAccess.READ, "Address")
    def address(self) -> DBusStr:
        return "00:11:22:33:44:55"

    @dbus_property(PropertyAccess.READ, "Name")
    def adapter_name(self) -> DBusStr:
        return "hci0"

    @dbus_property(PropertyAccess.READ, "Powered")
    def powered(self) -> DBusBool:
        return True

    @dbus_property(PropertyAccess.READ, "Discovering")
    def is_discovering(self) -> DBusBool:
        return self.discovering

    @dbus_property(PropertyAccess.READ, "Roles")
    def roles(self) -> Strings:
        return ["central"]

    @dbus_property(PropertyAccess.READ, "UUIDs")
    def uuids(self) -> Strings:
        return []

    @dbus_method("SetDiscoveryFilter")
    def set_discovery_filter(self, _filters: DBusDict) -> None:
        """Take any filter: what is on this air is Low Energy anyway."""

    @dbus_method("StartDiscovery")
    def start_discovery(self) -> None:
        if self._stall.until_restart:
            self._stall.on = False
        self._discover(on=True)

    @dbus_method("StopDiscovery")
    def stop_discovery(self) -> None:
        self._discover(on=False)

    @dbus_method("RemoveDevice")
    def remove_device(self, _device: DBusObjectPath) -> None:
        """Forget nothing: a device is known only while it advertises."""

    def _discover(self, *, on: bool) -> None:
        if self._stall.on and not self._stall.until_restart:
            raise DBusError("org.bluez.Error.InProgress", "Operation already in progress")
        self.discovering = on
        self.emit_properties_changed({"Discovering": on})


class _Device(ServiceInterface):
    """org.bluez.Device1, as far as a scanner asks."""

    def __init__(self, address: str, heard: dict[str, Any]) -> None:
        super().__init__("org.bluez.Device1")
        self._address = address
        self.heard = heard

    @dbus_property(PropertyAccess.READ, "Address")
    def address(self) -> DBusStr:
        return self._address

    @dbus_property(PropertyAccess.READ, "AddressType")
    def address_type(self) -> DBusStr:
        return "random"

    @dbus_property(PropertyAccess.READ, "Adapter")
    def adapter(self) -> DBusObjectPath:
        return ADAPTER_PATH

    @dbus_property(PropertyAccess.READ, "Alias")
    def alias(self) -> DBusStr:
        return self._address.replace(":", "-")

    @dbus_property(PropertyAccess.READ, "Connected")
    def connected(self) -> DBusBool:
        return False

    @dbus_property(PropertyAccess.READ, "Paired")
    def paired(self) -> DBusBool:
        return False

    @dbus_property(PropertyAccess.READ, "Trusted")
    def trusted(self) -> DBusBool:
        return False

    @dbus_property(PropertyAccess.READ, "Blocked")
    def blocked(self) -> DBusBool:
        return False

    @dbus_property(PropertyAccess.READ, "ServicesResolved")
    def services_resolved(self) -> DBusBool:
        return False

    @dbus_property(PropertyAccess.READ, "UUIDs")
    def uuids(self) -> Strings:
        return list(self.heard["ServiceData"])

    @dbus_property(PropertyAccess.READ, "RSSI")
    def rssi(self) -> DBusInt16:
        return int(self.heard["RSSI"])

    @dbus_property(PropertyAccess.READ, "ManufacturerData")
    def manufacturer_data(self) -> BytesByNumber:
        return dict(self.heard["ManufacturerData"])

    @dbus_property(PropertyAccess.READ, "ServiceData")
    def service_data(self) -> BytesByName:
        return dict(self.heard["ServiceData"])
