"""Modbus slaves of a truck: the lift controller and the fuel probe, over TCP or RTU, with the maps of docs/devices."""

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pymodbus.constants import ExcCodes
from pymodbus.pdu.bit_message import ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from asty_firmware_sim.devices.serial_port import SerialPort

LiftState = Literal["idle", "raising", "dumping", "lowering", "fault", "unknown"]
LIFT_STATES: tuple[LiftState, ...] = ("idle", "raising", "dumping", "lowering", "fault")
LIFT_MAGIC = 0xA57B
FUEL_MAGIC = 0xA57F
MAP_VERSION = 1
NOT_AVAILABLE = 0xFFFF
PROBE_FAULT = 1
UNIT_IN_MBAP = 6
"""Where the slave's number stands in a packet over TCP; over RTU it is the first byte."""
SERVER_BAUD = 115200
"""Between the two pseudo-terminals no bit has a duration; the near end may be opened at any speed."""


class Slave:
    """One Modbus slave that lets its registers be read and refuses all else, as a controller does that nobody may steer.

    Reached at 127.0.0.1:`tcp_port`, or on the serial line `link`. Raises ValueError unless exactly one of them is given.
    """

    def __init__(self, *, tcp_port: int | None, link: Path | None, device_id: int, base: int, holding: int, discrete: int) -> None:
        if (tcp_port is None) == (link is None):
            raise ValueError("a Modbus slave is reached by tcp_port or by link: give one of them")
        self.tcp_port = tcp_port
        self.device_id = device_id
        self._base = base
        self._holding = [0] * holding
        self._discrete = [False] * discrete
        self._line = SerialPort(link) if link else None
        self._inner = SerialPort(link.with_name(f".{link.name}.slave")) if link else None
        self._server: ModbusTcpServer | ModbusSerialServer | None = None

    async def start(self) -> None:
        """Answer from now on. Raises OSError when the TCP port is taken."""
        if self._line is not None and self._inner is not None:
            await self._line.start()
            await self._inner.start()
            self._line.on_data = self._inner.write
            self._inner.on_data = self._line.write
            self._server = ModbusSerialServer(
                self._devices(), port=str(self._inner.link), baudrate=SERVER_BAUD, reconnect_delay=0, trace_packet=self._only_own
            )
        else:
            assert self.tcp_port is not None
            _refuse_taken_port(self.tcp_port)
            self._server = ModbusTcpServer(self._devices(), address=("127.0.0.1", self.tcp_port), trace_packet=self._only_own)
        await self._server.serve_forever(background=True)

    async def stop(self) -> None:
        """Close every connection and free the port."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            await asyncio.sleep(0)  # lets the transports close their sockets
            self._server = None
        for line in (self._line, self._inner):
            if line is not None:
                await line.stop()

    def plug(self) -> None:
        """Plug the serial line in again."""
        if self._line is not None:
            self._line.plug()

    def unplug(self) -> None:
        """Pull the serial line's plug; over TCP there is none, `stop` the slave instead."""
        if self._line is not None:
            self._line.unplug()

    def _devices(self) -> list[SimDevice]:
        """Describe this slave, and as number 0 all others, so that the server has somebody to ask before `_only_own` is silent."""
        nothing: tuple[list[SimData], list[SimData], list[SimData], list[SimData]] = (
            [SimData(0, values=[False], datatype=DataType.BITS)],
            [SimData(0, values=[False], datatype=DataType.BITS)],
            [SimData(0)],
            [SimData(0)],
        )
        coils, _, _, inputs = nothing
        discrete = [SimData(self._base, values=self._discrete or [False], datatype=DataType.BITS)]
        holding = [SimData(self._base, values=self._holding, datatype=DataType.REGISTERS)]
        return [
            SimDevice(id=self.device_id, simdata=(coils, discrete, holding, inputs), action=self._answer),
            SimDevice(id=0, simdata=nothing),
        ]

    async def _answer(
        self,
        function_code: int,
        start: int,
        _address: int,
        _count: int,
        block: list[int],
        _written: Sequence[int | bool] | None,
    ) -> ExcCodes | None:
        """Put what is true now under a request that is about to be read."""
        match function_code:
            case ReadHoldingRegistersRequest.function_code:
                block[: len(self._holding)] = self._holding
            case ReadDiscreteInputsRequest.function_code if self._discrete:
                for index, on in enumerate(self._discrete):
                    word, bit = divmod(self._base + index, 16)
                    mask = 1 << bit
                    block[word - start] = block[word - start] | mask if on else block[word - start] & ~mask
            case _:
                return ExcCodes.ILLEGAL_FUNCTION
        return None

    def _only_own(self, sending: bool, packet: bytes) -> bytes:
        """Keep silent when another slave was asked."""
        asked = packet[0 if self._line is not None else UNIT_IN_MBAP :][:1]
        return b"" if sending and asked != bytes((self.device_id,)) else packet


class LiftController(Slave):
    """The lift of a refuse truck, docs/devices/lift-modbus.md: 10 holding registers and 5 discrete inputs from `base` on."""

    def __init__(
        self,
        *,
        tcp_port: int | None = None,
        link: Path | None = None,
        device_id: int = 1,
        base: int = 0,
        word_order: Literal["big", "little"] = "big",
    ) -> None:
        super().__init__(tcp_port=tcp_port, link=link, device_id=device_id, base=base, holding=10, discrete=5)
        self._word_order = word_order
        self.show("idle", 0)

    def show(
        self,
        state: LiftState,
        cycle: int,
        fault: int = 0,
        angle: float | None = 0.0,
        pressure: float | None = 0.0,
        uptime: int = 0,
        arm_up: bool = False,
        clamped: bool = False,
        tip: bool = False,
        pto: bool = True,
        footboard: bool = False,
    ) -> None:
        """Say how the lift is: completed cycles, fault bits, degrees, bar, seconds since it started; None is not available."""
        self._holding = [
            LIFT_MAGIC,
            MAP_VERSION,
            LIFT_STATES.index(state) if state in LIFT_STATES else NOT_AVAILABLE,
            fault & 0xFFFF,
            *self._words(cycle),
            _tenths(angle),
            _tenths(pressure),
            *self._words(uptime),
        ]
        self._discrete = [arm_up, clamped, tip, pto, footboard]

    def _words(self, value: int) -> tuple[int, int]:
        high, low = value >> 16 & 0xFFFF, value & 0xFFFF
        return (high, low) if self._word_order == "big" else (low, high)


class FuelProbe(Slave):
    """A probe in the tank, docs/devices/fuel-modbus.md: 5 holding registers from `base` on."""

    def __init__(self, *, tcp_port: int | None = None, link: Path | None = None, device_id: int = 1, base: int = 0) -> None:
        super().__init__(tcp_port=tcp_port, link=link, device_id=device_id, base=base, holding=5, discrete=0)
        self.show(None, 20.0)

    def show(self, level: float | None, temperature: float) -> None:
        """Say what the probe feels: per cent of the tank, None when it is broken; degrees Celsius.

        -0.1 degrees would read as "not available", so the probe says 0.0.
        """
        tenths = round(temperature * 10)
        self._holding = [
            FUEL_MAGIC,
            MAP_VERSION,
            _tenths(level),
            0 if tenths == -1 else tenths & 0xFFFF,
            PROBE_FAULT if level is None else 0,
        ]


def _tenths(value: float | None) -> int:
    """Encode in tenths, within what the register can say; None is not available."""
    return NOT_AVAILABLE if value is None else min(max(round(value * 10), 0), NOT_AVAILABLE - 1)


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
