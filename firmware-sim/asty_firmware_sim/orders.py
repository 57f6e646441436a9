"""The drivers' orders: each truck's route, asked of the town's fleet server as the tablet in the cab asks for it."""

import asyncio
import json
import logging
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asty_firmware_sim.world import Errand

log = logging.getLogger(__name__)

_EVERY = 3.0
_TIMEOUT = 5.0


class Orders:
    """Asks for every truck's route and passes on each new version. While nobody answers, drivers go on with what they have."""

    def __init__(self, url: str, edges: list[str], follow: Callable[[str, tuple[Errand, ...]], None], token: Path | None = None) -> None:
        """`url` as http://host:port; `follow(edge, errands)` is called with what is still to be done of a new version.

        `token` is a file; it may come later than the simulator, and nobody answers until it is there.
        """
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._edges = edges
        self._follow = follow
        self._token = token
        self._versions: dict[str, tuple[str, int]] = {}

    async def ask(self) -> None:
        """Ask every few seconds until cancelled."""
        while True:
            for edge in self._edges:
                route = await asyncio.to_thread(self._route, edge)
                if route is not None:
                    self.take(edge, route)
            await asyncio.sleep(_EVERY)

    def take(self, edge: str, route: dict[str, Any]) -> None:
        """Follow a route unless the driver has this version already; what cannot be read is no order."""
        try:
            version = str(route["day"]), int(route["version"])
            todo = errands(route)
        except (KeyError, TypeError, ValueError) as error:
            log.warning("edge=%s route not understood: %r", edge, error)
            return
        if self._versions.get(edge) == version:
            return
        self._versions[edge] = version
        log.info("edge=%s follows route version=%d errands=%d", edge, version[1], len(todo))
        self._follow(edge, todo)

    def _route(self, edge: str) -> dict[str, Any] | None:
        connection = HTTPConnection(self._host, self._port, timeout=_TIMEOUT)
        try:
            headers = {"Accept": "application/json"}
            if self._token is not None:
                headers["Authorization"] = f"Bearer {self._token.read_text().strip()}"
            connection.request("GET", f"/api/routes/{edge}", headers=headers)
            answer = connection.getresponse()
            said = json.loads(answer.read()) if answer.status == 200 else None
        except (OSError, HTTPException, ValueError):
            return None
        finally:
            connection.close()
        return said if isinstance(said, dict) else None


def errands(route: dict[str, Any]) -> tuple[Errand, ...]:
    """What is still to be done of a route: its bins and unloadings without those done before it was made or since."""
    since = {one["stop"] for one in route.get("outcomes", ()) if str(one["at"]) >= str(route["made"])}
    todo = (stop for stop in route["stops"] if not stop.get("done") and stop["id"] not in since)
    return tuple(
        Errand("lift", str(stop["id"])) if stop["kind"] == "bin" else Errand("unload")
        for stop in todo
        if stop["kind"] in ("bin", "station")
    )
