"""A CAN bus by python-can: a kernel interface, slcan over a serial line, or UDP multicast between processes of one machine."""

import asyncio
import contextlib
import errno
import logging
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Self

import can

from asty_edge.clock import mono_ms
from asty_edge.device import Counters, DeviceLostError, DeviceMisconfiguredError
from asty_edge.transports.options import Options

BITRATES = (10_000, 20_000, 50_000, 100_000, 125_000, 250_000, 500_000, 1_000_000)
MAX_WAITING = 1024
"""Frames that wait for the loop; then the oldest are dropped and counted as bad."""

_RECEIVE_S = 0.25
_SLCAN_READ_S = 0.05  # python-can's 1 ms spins: it wakes a thousand times a second on a quiet bus
_SLCAN_QUIET_S = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bus:
    """Which bus: `port` is the UDP port of udp_multicast, `bitrate` is set on slcan adapters."""

    interface: str
    channel: str
    port: int
    bitrate: int


@dataclass(frozen=True, slots=True)
class CanFrame:
    """One data frame with an extended identifier; `at` in monotonic ms."""

    at: int
    can_id: int
    data: bytes


def take_bus(options: Options) -> Bus:
    """Take the keys `interface`, `channel`, `bitrate` and, for udp_multicast, `port`."""
    interface = options.choice("interface", ("socketcan", "udp_multicast", "slcan"))
    channel = options.text("channel", expected="the name of the bus: can0, a multicast address, or the path of a serial port")
    port = options.whole("port", None, 1, 65535) if interface == "udp_multicast" else 0
    bitrate = options.whole("bitrate", 250_000, 10_000, 1_000_000)
    if bitrate not in BITRATES:
        options.fault("bitrate", bitrate, f"one of {', '.join(map(str, BITRATES))}")
    return Bus(interface, channel, port, bitrate)


class CanReader:
    """An open bus, listening for the given PGNs. Opening and `read()` raise DeviceLostError or DeviceMisconfiguredError."""

    def __init__(self, bus: Bus, pgns: Iterable[int], counters: Counters) -> None:
        self._bus = bus
        self._filters = [{"can_id": pgn << 8, "can_mask": 0x03FFFF00, "extended": True} for pgn in pgns]
        self._counters = counters
        self._waiting: deque[CanFrame] = deque(maxlen=MAX_WAITING)
        self._arrived = asyncio.Event()
        self._error: Exception | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    async def __aenter__(self) -> Self:
        opening = asyncio.ensure_future(asyncio.to_thread(self._open))
        try:
            opened = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_unused)
            raise
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._receive, args=(opened, loop), name=f"can {self._bus.channel}", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    async def read(self) -> list[CanFrame]:
        """Wait for frames and return all that wait."""
        self._arrived.clear()  # before the look, never between the look and the wait: a frame then would wake nobody
        while not self._waiting:
            if self._error is not None:
                raise DeviceLostError(f"CAN {self._bus.interface} {self._bus.channel} is lost: {self._error}") from self._error
            await self._arrived.wait()
            self._arrived.clear()
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def _open(self) -> can.BusABC:
        bus = self._bus
        where = f"CAN {bus.interface} {bus.channel}"
        try:
            if bus.interface == "udp_multicast":
                return can.Bus(bus.channel, "udp_multicast", port=bus.port, hop_limit=0, can_filters=self._filters)
            if bus.interface == "slcan":
                return can.Bus(
                    bus.channel, "slcan", bitrate=bus.bitrate, timeout=_SLCAN_READ_S, listen_only=True, can_filters=self._filters
                )
            return can.Bus(bus.channel, "socketcan", can_filters=self._filters)
        except can.CanInterfaceNotImplementedError as error:
            raise DeviceMisconfiguredError(f"{where} is not possible on this machine: {error}") from error
        except (can.CanError, OSError, ValueError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            number = cause.errno if isinstance(cause, OSError) else None
            if number in (errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM, errno.ENOTTY):
                raise DeviceMisconfiguredError(f"{where} is not possible on this machine: {cause}") from error
            raise DeviceLostError(f"{where} can't be opened: {cause or error}") from error

    def _receive(self, bus: can.BusABC, loop: asyncio.AbstractEventLoop) -> None:
        """Receive until closed or lost; the thread that reads the bus is the one that closes it."""
        heard = monotonic()
        try:
            while not self._closing.is_set():
                try:
                    message = bus.recv(_RECEIVE_S)
                except (can.CanError, ValueError, IndexError, KeyError, TypeError) as error:
                    if isinstance(error.__cause__, OSError):
                        raise
                    self._refuse(f"not the shape of a CAN frame: {error.__cause__ or error}")
                    _forget_half_lines(bus)
                    continue
                if message is None:
                    if monotonic() - heard > _SLCAN_QUIET_S:
                        _forget_half_lines(bus)
                        heard = monotonic()
                    continue
                heard = monotonic()
                if message.is_extended_id and not message.is_remote_frame and not message.is_error_frame:
                    if len(self._waiting) == MAX_WAITING:
                        self._refuse("frames came faster than they were read")
                    self._waiting.append(CanFrame(mono_ms(), message.arbitration_id, bytes(message.data)))
                    self._wake(loop)
        except (can.CanError, OSError) as error:
            self._error = error
        finally:
            _close(bus)
            self._wake(loop)

    def _refuse(self, why: str) -> None:
        self._counters.bad += 1
        self._counters.last_bad = why

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._arrived.is_set():
            with contextlib.suppress(RuntimeError):  # the loop may have ended first
                loop.call_soon_threadsafe(self._arrived.set)


def _forget_half_lines(bus: can.BusABC) -> None:
    """slcan keeps what has no line end, and what it can't decode, for ever: a line at the wrong speed would fill the memory."""
    if (flush := getattr(bus, "flush", None)) is not None:
        with contextlib.suppress(can.CanError):
            flush()


def _close(bus: can.BusABC) -> None:
    try:
        bus.shutdown()
    except can.CanError as error:
        log.debug("closing %s: %s", bus.channel_info, error)
        if (port := getattr(bus, "serialPortOrig", None)) is not None:  # slcan leaves it open when its last command fails
            port.close()


def _close_unused(opening: "asyncio.Future[can.BusABC]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        _close(opening.result())
