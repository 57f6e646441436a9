"""Bluetooth advertisements by bleak, from BlueZ over D-Bus. Nothing is ever sent to a tag."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakError
from dbus_fast.errors import DBusError, InvalidAddressError

from asty_edge.clock import mono_ms
from asty_edge.device import DeviceLostError, DeviceMisconfiguredError

MAX_WAITING = 512
"""Advertisements that wait for the loop; then the oldest are dropped."""

_ANSWER_S = 10.0
_NO_RSSI = -127


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a tag sent: `address` in upper case with colons, data by maker and by 128-bit service UUID in lower case, `rssi` in dBm."""

    at: int
    address: str
    manufacturer: Mapping[int, bytes]
    service: Mapping[str, bytes]
    rssi: int


class Scanner:
    """An open discovery. Everything raises DeviceLostError or DeviceMisconfiguredError."""

    def __init__(self, adapter: str | None) -> None:
        self._adapter = adapter
        self._waiting: deque[Advertisement] = deque(maxlen=MAX_WAITING)
        self._arrived = asyncio.Event()
        self._scanner: BleakScanner | None = None

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(DeviceLostError, DeviceMisconfiguredError):
            await self._stop()

    async def read(self, timeout: float) -> Advertisement | None:
        """Wait for the next advertisement; None when `timeout` seconds passed without one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not self._waiting:
                    self._arrived.clear()
                    await self._arrived.wait()
        return self._waiting.popleft() if self._waiting else None

    async def restart(self) -> None:
        """Stop discovery and start it again: BlueZ can stall without a word."""
        await self._stop()
        await self._start()

    async def _start(self) -> None:
        with _translated("can't scan"):
            async with asyncio.timeout(_ANSWER_S):
                if self._adapter:
                    scanner = BleakScanner(self._heard, scanning_mode="active", bluez={"adapter": self._adapter})
                else:
                    scanner = BleakScanner(self._heard, scanning_mode="active")
                await scanner.start()
        self._scanner = scanner

    async def _stop(self) -> None:
        scanner, self._scanner = self._scanner, None
        if scanner is not None:
            with _translated("does not stop scanning"):
                async with asyncio.timeout(_ANSWER_S):
                    await scanner.stop()

    def _heard(self, device: BLEDevice, said: AdvertisementData) -> None:
        if said.rssi == _NO_RSSI:  # BlueZ forgets a tag that fell silent, and bleak reports that change with the tag's old data
            return
        self._waiting.append(Advertisement(mono_ms(), device.address.upper(), said.manufacturer_data, said.service_data, said.rssi))
        self._arrived.set()


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except InvalidAddressError as error:
        raise DeviceMisconfiguredError(f"Bluetooth {what}: DBUS_SYSTEM_BUS_ADDRESS is no D-Bus address: {error}") from error
    except BleakBluetoothNotAvailableError as error:
        if error.reason is BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM:
            raise DeviceMisconfiguredError(f"Bluetooth {what}: the system does not let the agent's user speak to BlueZ: {error}") from error
        raise DeviceLostError(f"Bluetooth {what}: {error}") from error
    except (BleakError, DBusError, OSError, EOFError, TimeoutError, AssertionError) as error:  # bleak asserts that the bus is there
        raise DeviceLostError(f"Bluetooth {what}: {error or type(error).__name__}") from error
