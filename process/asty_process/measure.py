"""How many requests were answered, how, and how long they took; by route, so that the number of series is bounded."""

import mmap
import time
import zlib
from collections import defaultdict
from dataclasses import dataclass, field

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ROOM = 1 << 18
_HEAD = 8


class Board:
    """What each process of a server has counted, where all of them read it: memory that is made before they fork."""

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._memory = mmap.mmap(-1, processes * _ROOM)

    def write(self, number: int, counted: bytes) -> None:
        """Put what one process has counted in place of what it wrote before."""
        at = number * _ROOM
        head = len(counted).to_bytes(4) + zlib.crc32(counted).to_bytes(4)
        self._memory[at : at + _HEAD + len(counted)] = head + counted

    def read(self, number: int) -> bytes | None:
        """Return what a process wrote last; None when it has written nothing. Waits for one that is writing."""
        while True:
            at = number * _ROOM
            length, checksum = (int.from_bytes(self._memory[at + n : at + n + 4]) for n in (0, 4))
            counted = self._memory[at + _HEAD : at + _HEAD + length]
            if zlib.crc32(counted) == checksum:
                return counted or None


@dataclass(slots=True)
class Measured:
    """`process` begins the name of each series, such as asty_citizen."""

    process: str
    answers: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _board: Board | None = None
    _number: int = 0

    def share(self, board: Board, number: int) -> None:
        """Count together with the other processes of the server, as the one of this number."""
        self._board, self._number = board, number

    def note(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self.answers[route, status] += 1
        self.seconds[route] += seconds
        if self._board is not None:
            counted = [[[*key, n] for key, n in self.answers.items()], self.seconds]
            self._board.write(self._number, msgspec.json.encode(counted))

    def lines(self) -> list[str]:
        """Return the counters of all processes as Prometheus text."""
        answers, taken = self._of_all()
        requests, seconds = f"{self.process}_requests_total", f"{self.process}_request_seconds_total"
        return [
            f"# TYPE {requests} counter",
            *(f'{requests}{{route="{route}",status="{status}"}} {n}' for (route, status), n in sorted(answers.items())),
            f"# TYPE {seconds} counter",
            *(f'{seconds}{{route="{route}"}} {total:.6f}' for route, total in sorted(taken.items())),
        ]

    def _of_all(self) -> tuple[dict[tuple[str, int], int], dict[str, float]]:
        answers, seconds = self.answers.copy(), self.seconds.copy()
        for number in range(self._board.processes if self._board else 0):
            said = self._board.read(number) if self._board and number != self._number else None
            if said is not None:
                others, took = msgspec.json.decode(said, type=tuple[list[tuple[str, int, int]], dict[str, float]])
                for route, status, n in others:
                    answers[route, status] += n
                for route, total in took.items():
                    seconds[route] += total
        return answers, seconds


class Measure:
    """ASGI middleware: counts into a Measured."""

    def __init__(self, app: ASGIApp, measured: Measured) -> None:
        self.app, self.measured = app, measured

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self.measured.note(route, status, time.monotonic() - began)
