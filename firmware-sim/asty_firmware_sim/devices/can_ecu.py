"""The engine's control unit on a CAN bus: through an slcan adapter that it owns, or on python-can's multicast bus."""

import re
from pathlib import Path
from typing import Literal, Protocol

import can

from asty_firmware_sim.devices.j1939 import EngineState, Frame, frames
from asty_firmware_sim.devices.serial_port import SerialPort

MULTICAST_PORT = 43113
LONGEST_COMMAND = 64
DONE = b"\r"
REFUSED = b"\a"
_FRAME = re.compile(rb"(?:t[0-9A-Fa-f]{3}|T[0-9A-Fa-f]{8})([0-8])((?:[0-9A-Fa-f]{2})*)")
_SET_UP = re.compile(rb"S[0-8]|s[0-9A-Fa-f]{4}|Z[01]|[mM][0-9A-Fa-f]{8}|")


class SlcanAdapter(SerialPort):
    """A CAN adapter on a serial line that speaks the LAWICEL protocol. It passes frames on while its channel is open."""

    def __init__(self, link: Path) -> None:
        super().__init__(link)
        self.on_data = self._hear
        self.open = False
        self._command = b""

    def send(self, frame: Frame) -> None:
        """Pass a frame from the bus to the other side of the line."""
        if self.open:
            identifier, data = frame
            self.write(f"T{identifier:08X}{len(data)}{data.hex().upper()}\r".encode())

    def _hear(self, data: bytes) -> None:
        *commands, self._command = (self._command + data).split(b"\r")
        if len(self._command) > LONGEST_COMMAND:
            self._command = b""
        for command in commands:
            self.write(self._obey(command))

    def _obey(self, command: bytes) -> bytes:
        match command:
            case b"O" | b"L":
                self.open = True
                return DONE
            case b"C":
                self.open = False
                return DONE
            case b"V":
                return b"V1013\r"
            case b"N":
                return b"NASTY\r"
            case b"F":
                return b"F00\r" if self.open else REFUSED
        if frame := _FRAME.fullmatch(command):
            whole = len(frame[2]) == 2 * int(frame[1])
            return (b"Z\r" if command.startswith(b"T") else b"z\r") if self.open and whole else REFUSED
        return DONE if _SET_UP.fullmatch(command) and not self.open else REFUSED


class MulticastBus:
    """python-can's bus between processes of one machine: no hop is allowed, so no frame leaves it."""

    def __init__(self, group: str, port: int) -> None:
        self.group = group
        self.port = port
        self.dropped = 0
        self._bus: can.BusABC | None = None

    async def start(self) -> None:
        """Join the group. Raises can.CanInitializationError when the machine has no multicast."""
        self._bus = can.Bus(interface="udp_multicast", channel=self.group, port=self.port, hop_limit=0)

    async def stop(self) -> None:
        """Leave the group."""
        if self._bus is not None:
            self._bus.shutdown()
            self._bus = None

    def send(self, frame: Frame) -> None:
        """Send a frame; one that the machine doesn't take is dropped and counted."""
        if self._bus is None:
            return
        identifier, data = frame
        try:
            self._bus.send(can.Message(arbitration_id=identifier, data=data, is_extended_id=True))
        except can.CanOperationError:
            self.dropped += 1


class _Wire(Protocol):
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def send(self, frame: Frame) -> None: ...


class Ecu:
    """The engine and its neighbours on the bus.

    `channel` is the path of the adapter's serial line for slcan, the multicast group for udp_multicast, which also takes a `port`.
    """

    def __init__(self, interface: Literal["udp_multicast", "slcan"], channel: str | Path, port: int | None = None) -> None:
        self._adapter = SlcanAdapter(Path(channel)) if interface == "slcan" else None
        self._wire: _Wire = self._adapter or MulticastBus(str(channel), port or MULTICAST_PORT)
        self._state = EngineState()

    async def start(self) -> None:
        """Be on the bus. Raises FileExistsError or can.CanInitializationError when it can't be reached."""
        await self._wire.start()

    async def stop(self) -> None:
        """Leave the bus."""
        await self._wire.stop()

    def plug(self) -> None:
        """Plug the slcan adapter in again."""
        if self._adapter is not None:
            self._adapter.plug()

    def unplug(self) -> None:
        """Pull the slcan adapter's plug; the multicast bus has none."""
        if self._adapter is not None:
            self._adapter.unplug()
            self._adapter.open = False

    def show(
        self,
        level: float | None = None,
        rate: float | None = None,
        total: float | None = None,
        rpm: float | None = None,
        v: float | None = None,
        dist: float | None = None,
        hours: float | None = None,
        second: float | None = None,
        trip: float | None = None,
    ) -> None:
        """Say how the engine is: %, l/h, l, 1/min, m/s, m, h; None is not available."""
        self._state = EngineState(level, second, rate, total, trip, rpm, v, dist, hours)

    def emit(self) -> None:
        """Broadcast one round: DD1, LFE, LFC, HRLFC, CCVS, VDHR, EEC1 and HOURS."""
        for frame in frames(self._state):
            self._wire.send(frame)
