"""Who goes first: what comes home with a backlog waits while live packs are being stored, though never for long."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

GIVE_WAY_SECONDS = 0.25
"""How long a backlog's transaction waits for live ones at most: it goes on under any load."""


class Precedence:
    """Shared by all hands of a worker."""

    def __init__(self) -> None:
        self._live = 0
        self._free = asyncio.Event()
        self._free.set()

    @contextmanager
    def live(self) -> Iterator[None]:
        """Live packs are being stored."""
        self._live += 1
        self._free.clear()
        try:
            yield
        finally:
            self._live -= 1
            if not self._live:
                self._free.set()

    async def give_way(self) -> None:
        """Wait until no live packs are being stored, or GIVE_WAY_SECONDS."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._free.wait(), GIVE_WAY_SECONDS)
