"""Modbus over TCP or RTU, by pymodbus."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from asty_edge.device import DeviceLostError, DeviceMisconfiguredError
from asty_edge.transports.options import Options
from asty_edge.transports.serial_line import Line, take_line

_ANSWER_S = 1.0
_RETRIES = 2
_WRONG_REQUEST = {1: "it does not know the function", 2: "it has no such address", 3: "it refuses the request"}


@dataclass(frozen=True, slots=True)
class Server:
    """A Modbus server: behind a host and port, or on a serial line (RTU)."""

    where: tuple[str, int] | Line
    device_id: int

    def __str__(self) -> str:
        place = f"port {self.where.port}" if isinstance(self.where, Line) else f"{self.where[0]}:{self.where[1]}"
        return f"Modbus device {self.device_id} at {place}"


def take_server(options: Options) -> Server:
    """Take the keys `transport`, `host` and `tcp_port` or `port`, `baud` and `framing`, and `device_id`."""
    where: tuple[str, int] | Line
    if options.choice("transport", ("tcp", "rtu")) == "rtu":
        where = take_line(options, baud=19200, framing="8N1")
    else:
        where = (options.text("host", expected="a host name or address"), options.whole("tcp_port", 502, 1, 65535))
    return Server(where, options.whole("device_id", 1, 0, 255))


class ModbusLink:
    """An open connection. Everything raises DeviceLostError or DeviceMisconfiguredError."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._client: AsyncModbusTcpClient | AsyncModbusSerialClient | None = None

    async def __aenter__(self) -> Self:
        where = self._server.where
        if isinstance(where, Line):
            self._client = AsyncModbusSerialClient(
                where.port,
                baudrate=where.baud,
                bytesize=int(where.framing[0]),
                parity=where.framing[1],
                stopbits=int(where.framing[2]),
                reconnect_delay=0,
                timeout=_ANSWER_S,
                retries=_RETRIES,
            )
        else:
            host, port = where
            self._client = AsyncModbusTcpClient(host, port=port, reconnect_delay=0, timeout=_ANSWER_S, retries=_RETRIES)
        try:
            connected = await self._client.connect()
        except (ModbusException, OSError, ValueError) as error:
            self._client.close()
            raise DeviceLostError(f"{self._server} can't be reached: {error}") from error
        if not connected:
            self._client.close()
            raise DeviceLostError(f"{self._server} can't be reached")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    async def holding(self, address: int, count: int) -> tuple[int, ...]:
        """Read holding registers, each 0 to 0xFFFF."""
        answer = await self._ask(3, address, count)
        if len(answer.registers) != count:
            raise DeviceLostError(f"{self._server} gave {len(answer.registers)} holding registers from {address}, asked {count}")
        return tuple(answer.registers)

    async def discrete(self, address: int, count: int) -> tuple[bool, ...]:
        """Read discrete inputs."""
        answer = await self._ask(2, address, count)
        if len(answer.bits) < count:
            raise DeviceLostError(f"{self._server} gave {len(answer.bits)} discrete inputs from {address}, asked {count}")
        return tuple(answer.bits[:count])

    async def _ask(self, function: int, address: int, count: int) -> ModbusPDU:
        if self._client is None:
            raise DeviceLostError(f"{self._server} is not connected")
        read = self._client.read_holding_registers if function == 3 else self._client.read_discrete_inputs
        try:
            answer = await read(address, count=count, device_id=self._server.device_id)
        except (ModbusException, OSError, asyncio.InvalidStateError) as error:
            raise DeviceLostError(f"{self._server} does not answer: {error}") from error
        if answer.isError():
            code = answer.exception_code
            if code in _WRONG_REQUEST:
                raise DeviceMisconfiguredError(
                    f"{self._server} refuses function {function}, {count} from {address}: {_WRONG_REQUEST[code]}: check base and device_id"
                )
            raise DeviceLostError(f"{self._server} can't answer now: exception code {code}")
        if answer.function_code != function:
            raise DeviceLostError(f"{self._server} answered function {answer.function_code} to function {function}")
        return answer
