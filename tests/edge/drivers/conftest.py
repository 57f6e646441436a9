"""Captured frames, the driver's device on a real line, and a way to read from it."""

import asyncio
import socket
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asty_edge.device import Device
from asty_edge.reading import Reading
from hypothesis import HealthCheck, settings

HERE = Path(__file__).parent
PATIENCE_S = 20.0

settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


def frames_of(kind: str) -> list[dict[str, Any]]:
    """Return the captured frames of a kind; `bytes` holds those of a byte stream."""
    found = []
    for file in sorted((HERE / kind / "frames").glob("*.toml")):
        for frame in tomllib.loads(file.read_text())["frame"]:
            raw = frame["text"].encode() if "text" in frame else bytes.fromhex(frame.get("hex", ""))
            found.append({"dialect": None, "says": {}, "unknown": [], **frame, "bytes": raw})
    return found


@pytest.fixture(scope="session")
def frames() -> Callable[[str], list[dict[str, Any]]]:
    return frames_of


class Listener:
    """What a running device has said: `readings`, and `error` once it is lost."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.error: Exception | None = None
        self._news = asyncio.Condition()

    async def run(self, device: Device) -> None:
        try:
            async with aclosing(device.readings()) as readings:  # type: ignore[type-var]
                async for reading in readings:
                    await self._tell(lambda reading=reading: self.readings.append(reading))
        except Exception as error:
            await self._tell(lambda error=error: setattr(self, "error", error))

    async def _tell(self, change: Callable[[], None]) -> None:
        async with self._news:
            change()
            self._news.notify_all()

    async def until(self, condition: Callable[["Listener"], Any], *, meanwhile: Callable[[], None] | None = None) -> Any:
        """Wait until the condition holds and return what it gave; `meanwhile` is done again and again."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with self._news:
                    if found := condition(self):
                        return found
                    if meanwhile is None:
                        if self.error is not None:
                            raise self.error
                        await self._news.wait()
                        continue
                meanwhile()
                await asyncio.sleep(0.02)

    async def heard(self, kind: type[Reading], *, meanwhile: Callable[[], None] | None = None, **said: object) -> Any:
        """Wait for a reading of a type that says all of this."""

        def find(listener: "Listener") -> Reading | None:
            if listener.error is not None:
                raise listener.error
            for reading in listener.readings:
                if isinstance(reading, kind) and all(getattr(reading, name) == value for name, value in said.items()):
                    return reading
            return None

        return await self.until(find, meanwhile=meanwhile)

    async def lost(self, *, meanwhile: Callable[[], None] | None = None) -> Exception:
        """Wait until the device has ended and return its error."""
        return await self.until(lambda listener: listener.error, meanwhile=meanwhile)  # type: ignore[no-any-return]


@asynccontextmanager
async def _listening(device: Device) -> AsyncIterator[Listener]:
    listener = Listener()
    task = asyncio.create_task(listener.run(device))
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def listening() -> Callable[[Device], Any]:
    """Return `async with listening(device) as heard`: it runs the device's readings until the end."""
    return _listening


@pytest.fixture
def unused_port() -> int:
    """Return a TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
