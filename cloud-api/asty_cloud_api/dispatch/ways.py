"""What planning asks of the roads; the program joins it to the real ones."""

from collections.abc import Sequence
from typing import Any, Protocol

from asty_cloud_api.dispatch.known import Measures, Point, Polygon
from asty_cloud_api.planning.model import Roads

Leg = dict[str, Any]
"""metres, seconds, shape [[lon, lat], …], turns [{at, metres, text, say, type}, …]: as a route's path has it, without `to`."""


class WaysAwayError(Exception):
    """The roads do not answer; what was asked may be asked again."""


class Ways(Protocol):
    """Travel for one kind of truck, past what is closed."""

    async def matrix(self, truck: Measures, places: Sequence[Point], closed: Sequence[Polygon]) -> Roads:
        """Travel between all places, NaN where there is no way. Raises WaysAwayError."""
        ...

    async def legs(self, truck: Measures, points: Sequence[Point], closed: Sequence[Polygon]) -> list[Leg]:
        """The ways from each point to the next: one fewer than points; an empty shape where there is none. Raises WaysAwayError."""
        ...
