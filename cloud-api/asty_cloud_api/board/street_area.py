"""Areas that close a street without drawing: whole, or between two of its crossings. Geometry over the map's own streets.

Trucks' ways are closed where an area touches them. So each block gets an area of its own that ends short of the crossings: the streets
across stay open.
"""

import gzip
import heapq
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from shapely import LineString, transform
from shapely.ops import substring
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.fleet.models import TownLayer
from asty_cloud_api.reads.listing import folded

HALF_WIDTH = 4.0
"""Metres of the area to each side of the street's middle."""
SHORT_OF = 12.0
"""Metres that an area ends before a crossing; on a short block a third of it at most."""
_DEGREE = 111_320.0

type Point = tuple[float, float]
"""lon, lat"""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where other streets meet a street; `name` tells them. `number` counts along it."""

    number: int
    name: str
    at: Point


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a street between two crossings, with the area that closes it as a GeoJSON Polygon."""

    name: str
    line: tuple[Point, ...]
    area: Mapping[str, Any]


class Street:
    """One street by name out of the map's streets; empty when the map has no such street."""

    def __init__(self, features: Iterable[Mapping[str, Any]], name: str) -> None:
        self.name = name
        self._ways: dict[Point, set[Point]] = defaultdict(set)
        others: dict[Point, set[str]] = defaultdict(set)
        for feature in features:
            said = feature["properties"]
            if said.get("layer") != "street" or feature["geometry"]["type"] != "LineString":
                continue
            points = [(float(lon), float(lat)) for lon, lat, *_ in feature["geometry"]["coordinates"]]
            if said.get("name") == name:
                for a, b in pairwise(points):
                    self._ways[a].add(b)
                    self._ways[b].add(a)
            else:
                for point in points:
                    others[point].add(said.get("name") or "")
        self._knots = {p for p, near in self._ways.items() if p in others or len(near) != 2}
        self.crossings = tuple(
            Crossing(number, " / ".join(sorted(n for n in others[p] if n)), p)
            for number, p in enumerate(self._along([p for p in self._ways if any(others.get(p, ()))]))
        )
        self._names = {crossing.at: crossing.name for crossing in self.crossings}

    def blocks(self, begin: int | None = None, end: int | None = None) -> tuple[Block, ...]:
        """The blocks of the whole street, or of its shortest way between two crossings. Raises KeyError for no crossing."""
        if begin is None or end is None:
            chains = self._chains()
        else:
            places = {crossing.number: crossing.at for crossing in self.crossings}
            chains = self._cut(self._way(places[begin], places[end]))
        return tuple(self._block(chain) for chain in chains)

    def _along(self, points: Sequence[Point]) -> list[Point]:
        """Order points along the street's longer side."""
        if not points:
            return []
        lons, lats = [p[0] for p in points], [p[1] for p in points]
        east_west = (max(lons) - min(lons)) * math.cos(math.radians(lats[0])) >= max(lats) - min(lats)
        return sorted(points, key=lambda p: p if east_west else (-p[1], p[0]))

    def _chains(self) -> list[list[Point]]:
        """Every stretch from knot to knot once; a ring without a knot is one stretch."""
        chains: list[list[Point]] = []
        seen: set[frozenset[Point]] = set()
        for start in [*sorted(self._knots), *sorted(self._ways)]:
            for step in sorted(self._ways[start]):
                if frozenset((start, step)) in seen:
                    continue
                chain = [start, step]
                seen.add(frozenset((start, step)))
                while chain[-1] not in self._knots:
                    ahead = [p for p in self._ways[chain[-1]] if frozenset((chain[-1], p)) not in seen]
                    if not ahead:
                        break
                    seen.add(frozenset((chain[-1], ahead[0])))
                    chain.append(ahead[0])
                chains.append(chain)
        return chains

    def _way(self, begin: Point, end: Point) -> list[Point]:
        """The shortest way along the street; empty when its parts do not hang together, or both are one."""
        best: dict[Point, float] = {begin: 0.0}
        before: dict[Point, Point] = {}
        queue = [(0.0, begin)]
        while queue:
            metres, here = heapq.heappop(queue)
            if here == end:
                way = [end]
                while way[-1] != begin:
                    way.append(before[way[-1]])
                return way[::-1]
            for there in self._ways[here]:
                further = metres + _metres(here, there)
                if further < best.get(there, math.inf):
                    best[there], before[there] = further, here
                    heapq.heappush(queue, (further, there))
        return []

    def _cut(self, way: list[Point]) -> list[list[Point]]:
        chains: list[list[Point]] = []
        for a, b in pairwise(way):
            if not chains or a in self._knots:
                chains.append([a])
            chains[-1].append(b)
        return chains

    def _block(self, chain: Sequence[Point]) -> Block:
        lat = chain[0][1]
        scale = math.cos(math.radians(lat))
        line = LineString([(lon * scale * _DEGREE, y * _DEGREE) for lon, y in chain])
        gap = min(SHORT_OF, line.length / 3)
        middle = substring(line, gap, line.length - gap)
        area = transform(middle.buffer(HALF_WIDTH, cap_style="flat"), lambda c: c / [scale * _DEGREE, _DEGREE])
        ring = [[round(x, 7), round(y, 7)] for x, y in area.exterior.coords]
        ends = [self._names.get(chain[0], ""), self._names.get(chain[-1], "")]
        between = " – ".join(end for end in ends if end)
        return Block(f"{self.name} ({between})" if between else self.name, tuple(chain), {"type": "Polygon", "coordinates": [ring]})


def names(features: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the map's streets, in order."""
    found = {f["properties"]["name"] for f in features if f["properties"].get("layer") == "street" and f["properties"].get("name")}
    return sorted(found, key=folded)


async def streets_of(connection: AsyncConnection) -> list[dict[str, Any]]:
    """The streets of the town's map as GeoJSON features; none where no map was drawn."""
    packed = (await connection.execute(select(TownLayer.geojson_gz).where(TownLayer.name == "streets"))).scalar_one_or_none()
    return list(json.loads(gzip.decompress(packed))["features"]) if packed else []


def _metres(a: Point, b: Point) -> float:
    return math.hypot((b[0] - a[0]) * math.cos(math.radians(a[1])), b[1] - a[1]) * _DEGREE
