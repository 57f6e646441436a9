"""How many requests were answered, how, and how long they took; by route, so that the number of series is bounded."""

import time
from collections import defaultdict
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(slots=True)
class Measured:
    """`process` begins the name of each series, such as asty_citizen."""

    process: str
    answers: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def lines(self) -> list[str]:
        """Return the counters as Prometheus text."""
        requests, seconds = f"{self.process}_requests_total", f"{self.process}_request_seconds_total"
        return [
            f"# TYPE {requests} counter",
            *(f'{requests}{{route="{route}",status="{status}"}} {n}' for (route, status), n in sorted(self.answers.items())),
            f"# TYPE {seconds} counter",
            *(f'{seconds}{{route="{route}"}} {total:.6f}' for route, total in sorted(self.seconds.items())),
        ]


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
            self.measured.answers[route, status] += 1
            self.measured.seconds[route] += time.monotonic() - began
