"""How often one address may try what could be guessed or what costs money. Counted in this process."""

import time
from collections import defaultdict, deque
from collections.abc import Callable

from starlette.requests import Request

MOST_ADDRESSES = 10_000


class TooOftenError(Exception):
    """An address has tried too often: `seconds` until it may again. Nothing was changed."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many tries: again in {seconds} s")
        self.seconds = seconds


class Limit:
    """At most `most` tries of one key within `within` seconds. `clock` gives monotonic seconds."""

    def __init__(self, most: int, within: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.within, self._clock = most, within, clock
        self._tries: defaultdict[str, deque[float]] = defaultdict(deque)

    def check(self, key: str) -> None:
        """Count a try. Raises TooOftenError."""
        now = self._clock()
        if len(self._tries) > MOST_ADDRESSES:
            for stale in [known for known, tries in self._tries.items() if now - tries[-1] > self.within]:
                del self._tries[stale]
        tries = self._tries[key]
        while tries and now - tries[0] > self.within:
            tries.popleft()
        if len(tries) >= self.most:
            raise TooOftenError(max(1, round(self.within - (now - tries[0]))))
        tries.append(now)

    def __call__(self, request: Request) -> None:
        """Count a request by its address, as a FastAPI dependency. Raises TooOftenError."""
        self.check(request.client.host if request.client else "")
