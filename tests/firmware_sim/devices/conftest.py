"""What tests of devices share: a line opened by pyserial, and waiting for something to become true."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import serial

Opener = Callable[[Path], serial.Serial]
Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Return an opener of serial lines that closes them at the end."""
    with ExitStack() as stack:
        yield lambda link: stack.enter_context(serial.Serial(str(link), 9600, timeout=5))


@pytest.fixture
def until() -> Until:
    """Return a waiter that lets the event loop run until its condition is true, for at most 10 s."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - what is waited for happens in the kernel, which sets no event
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
