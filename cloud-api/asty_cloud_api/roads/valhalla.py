"""Valhalla over HTTP: its errors translated, its answers as plain data."""

from typing import Any

import httpx
import msgspec
import numpy as np
from numpy.typing import NDArray

from asty_cloud_api.roads.errors import NoWayError, RoadsAwayError, RoadsRefusedError
from asty_cloud_api.roads.place import Profile

NO_STREET = 171
NO_PATH = {170, NO_STREET, 442, 443}
"""Valhalla's codes: regions unconnected, no street near a point, no path between points."""
LOCATED_AT_ONCE = 500
LEAST_ROWS = 40
Times = NDArray[np.float32]
Ring = list[tuple[float, float]]


class Valhalla:
    """One Valhalla server. Raises RoadsAwayError when it does not answer, RoadsRefusedError when it says no."""

    def __init__(self, url: str, *, timeout: float = 300.0) -> None:
        self.url = url
        self._client = httpx.AsyncClient(base_url=url, timeout=httpx.Timeout(timeout, connect=3.0), trust_env=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def tiles(self) -> str:
        """Return what names the tiles that are served: other streets, another name."""
        said = await self._ask("status", {})
        return f"{said['version']}/{said['tileset_last_modified']}"

    async def locate(self, profile: Profile, locations: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        """Return the edges near each location which the profile may use, nearest first."""
        found: list[list[dict[str, Any]]] = []
        for first in range(0, len(locations), LOCATED_AT_ONCE):
            part = locations[first : first + LOCATED_AT_ONCE]
            said = await self._ask("locate", {"locations": part, "verbose": True, **profile.costing()})
            found += [one["edges"] or [] for one in said]
        return found

    async def matrix(
        self, profile: Profile, sources: list[dict[str, Any]], targets: list[dict[str, Any]], closed: list[Ring]
    ) -> tuple[Times, Times]:
        """Return seconds and metres, sources x targets; NaN where there is no way.

        Given more sources than targets Valhalla would search backwards, and answers otherwise then, even between neighbours on one street
        (3.9.1): such requests go in parts, whose targets are repeated until they are as many.
        """
        at_once = max(len(targets), LEAST_ROWS)
        parts = [
            await self._forwards(profile, sources[first : first + at_once], targets, closed) for first in range(0, len(sources), at_once)
        ]
        return np.concatenate([seconds for seconds, _ in parts]), np.concatenate([metres for _, metres in parts])

    async def _forwards(
        self, profile: Profile, sources: list[dict[str, Any]], targets: list[dict[str, Any]], closed: list[Ring]
    ) -> tuple[Times, Times]:
        filled = [targets[at % len(targets)] for at in range(max(len(sources), len(targets)))]
        asked: dict[str, Any] = {"sources": sources, "targets": filled, "verbose": False, **profile.costing()}
        try:
            said = (await self._ask("sources_to_targets", asked | _closed(closed)))["sources_to_targets"]
        except NoWayError as error:
            if error.code == NO_STREET:  # of one point, for which Valhalla drops the whole block
                raise RoadsRefusedError(f"Valhalla finds no street near a place where it had found one: {error}") from error
            nothing = np.full((len(sources), len(targets)), np.nan, np.float32)
            return nothing, nothing.copy()
        seconds, metres = np.array(said["durations"], np.float32), np.array(said["distances"], np.float32) * np.float32(1000)
        return seconds[:, : len(targets)], metres[:, : len(targets)]

    async def route(self, profile: Profile, locations: list[dict[str, Any]], closed: list[Ring]) -> dict[str, Any]:
        """Return the trip through the locations, with Greek directions. Raises NoWayError."""
        asked = {"locations": locations, "language": "el-GR", "units": "kilometers", **profile.costing()}
        trip: dict[str, Any] = (await self._ask("route", asked | _closed(closed)))["trip"]
        return trip

    async def _ask(self, action: str, body: dict[str, Any]) -> Any:
        try:
            answer = await self._client.post(f"/{action}", content=msgspec.json.encode(body))
        except httpx.HTTPError as error:
            raise RoadsAwayError(
                f"Valhalla does not answer at {self.url} ({type(error).__name__}); start it, or check ASTY_VALHALLA_URL"
            ) from error
        try:
            said = msgspec.json.decode(answer.content)
        except msgspec.DecodeError as error:
            raise RoadsAwayError(f"what answers at {self.url} is no Valhalla; check ASTY_VALHALLA_URL") from error
        if answer.status_code == httpx.codes.OK:
            return said
        code, words = said.get("error_code", 0), said.get("error", answer.reason_phrase)
        if code in NO_PATH:
            raise NoWayError(words, code)
        raise RoadsRefusedError(f"Valhalla refuses {action}: {words} (its code {code})")


def _closed(rings: list[Ring]) -> dict[str, Any]:
    return {"exclude_polygons": rings} if rings else {}
