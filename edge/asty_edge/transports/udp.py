"""A UDP port on which a device speaks: datagrams in order of arrival, answers to whom they came from."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Any, Self

from asty_edge.clock import mono_ms
from asty_edge.device import DeviceLostError, DeviceMisconfiguredError

MAX_WAITING = 512
"""Datagrams that wait for the loop; then the oldest are dropped."""


class UdpPort(asyncio.DatagramProtocol):
    """An open port. Opening raises DeviceMisconfiguredError when it is taken, or no address of this machine."""

    def __init__(self, host: str, port: int) -> None:
        self._at = (host, port)
        self._waiting: deque[tuple[int, bytes, Any]] = deque(maxlen=MAX_WAITING)
        self._arrived = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        host, port = self._at
        try:
            self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=self._at)
        except OSError as error:
            raise DeviceMisconfiguredError(f"UDP port {port} of {host} can't be opened: {error.strerror or error}") from error
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._transport is not None:
            self._transport.close()

    async def read(self, timeout: float) -> tuple[int, bytes, Any]:
        """Wait for a datagram; returns when it arrived, its bytes and its sender. Raises DeviceLostError after `timeout` silent seconds."""
        try:
            async with asyncio.timeout(timeout):
                while not self._waiting:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError as error:
            raise DeviceLostError(f"nobody has spoken to UDP port {self._at[1]} for {timeout:g} s") from error
        return self._waiting.popleft()

    def write(self, data: bytes, to: Any) -> None:
        """Send a datagram; like every datagram it may be lost."""
        if self._transport is not None:
            self._transport.sendto(data, to)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Take what came."""
        self._waiting.append((mono_ms(), data, addr))
        self._arrived.set()

    def error_received(self, exc: Exception) -> None:
        """Pass over that an answer found nobody: a forwarder that ended is missed by its silence."""
