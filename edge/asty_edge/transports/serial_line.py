"""A serial line on the asyncio loop, by pyserial. Works with UARTs, USB adapters and pseudo terminals."""

import asyncio
import errno
import termios
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import serial

from asty_edge.clock import mono_ms
from asty_edge.device import DeviceLostError, DeviceMisconfiguredError
from asty_edge.transports.options import Options

_CHUNK = 4096
_OPERATOR = {
    errno.EACCES: "no permission: add the agent's user to the group that owns the port, often dialout",
    errno.ENOTTY: "it is no serial port",
    errno.EISDIR: "it is a folder",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A serial port and how it is set; `framing` is data bits, parity and stop bits, like 8N1."""

    port: str
    baud: int
    framing: str


def take_line(options: Options, *, baud: int, framing: str) -> Line:
    """Take the keys `port`, `baud` and `framing` of a driver on a serial line."""
    return Line(
        options.text("port", expected="the path of a serial port, like /dev/ttyUSB0"),
        options.whole("baud", baud, 300, 921_600),
        options.text("framing", framing, pattern="[78][NEO][12]", expected="data bits, parity and stop bits, like 8N1"),
    )


class SerialPort:
    """An open serial line; opening and reading raise DeviceLostError or DeviceMisconfiguredError."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._serial: serial.Serial | None = None

    async def __aenter__(self) -> Self:
        framing = self._line.framing
        try:
            self._serial = serial.Serial(
                self._line.port, self._line.baud, int(framing[0]), framing[1], int(framing[2]), timeout=0, write_timeout=0, exclusive=True
            )
        except (OSError, ValueError) as error:
            if (number := _errno(error)) in _OPERATOR:
                raise DeviceMisconfiguredError(f"port {self._line.port}: {_OPERATOR[number]}") from error
            if isinstance(error, ValueError):
                raise DeviceMisconfiguredError(f"port {self._line.port}: the line can't be set so: {error}") from error
            raise DeviceLostError(f"port {self._line.port} can't be opened: {error}") from error
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._serial is not None:
            self._serial.close()
            self._serial = None

    async def read(self) -> tuple[int, bytes]:
        """Wait for bytes; return the monotonic ms at which they were there, and at most 4096 of them.

        Nothing is queued here: what nobody reads stays in the kernel's buffer, which is bounded.
        """
        port = self._open()
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        fd = port.fileno()
        loop.add_reader(fd, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(fd)
        at = mono_ms()
        try:
            return at, port.read(_CHUNK)
        except OSError as error:
            raise DeviceLostError(f"port {self._line.port} was unplugged: {error}") from error

    def write(self, data: bytes) -> None:
        """Send a short command. Raises DeviceLostError when the port does not take it."""
        try:
            sent = self._open().write(data)
        except OSError as error:
            raise DeviceLostError(f"port {self._line.port} does not take bytes: {error}") from error
        if sent != len(data):
            raise DeviceLostError(f"port {self._line.port} took {sent} of {len(data)} bytes")

    def _open(self) -> serial.Serial:
        if self._serial is None:
            raise DeviceLostError(f"port {self._line.port} is not open")
        return self._serial


def _errno(error: Exception) -> int | None:
    """Return the errno behind an error; pyserial hides that of termios in a text."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    hidden = error.__context__
    return hidden.args[0] if isinstance(hidden, termios.error) and hidden.args else None
