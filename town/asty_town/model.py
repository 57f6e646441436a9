"""What a town is made of. Lines and rings are lon/lat in degrees (WGS 84), as in GeoJSON."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from asty_town.graph import RoadGraph
from asty_town.plane import Plane

LonLat = tuple[float, float]
Hint = str | None
"""The value of an OSM tag as it stands in the file; None when the file does not say."""


@dataclass(frozen=True, slots=True)
class Street:
    """One way for vehicles or, where `drivable` is false, a pedestrian street; `nodes` are OSM node ids along `line`."""

    osm_id: int
    name: str | None
    highway: str  # OSM class: primary … residential, living_street, service, pedestrian
    oneway: Literal[-1, 0, 1]  # 1 along the line, -1 against it
    drivable: bool
    nodes: tuple[int, ...]
    line: tuple[LonLat, ...]
    maxspeed: float | None = None  # km/h, from the file
    surface: Hint = None
    foot: Hint = None
    bicycle: Hint = None
    wheelchair: Hint = None
    kerb: Hint = None
    lit: Hint = None


@dataclass(frozen=True, slots=True)
class Path:
    """One way on foot or by bicycle."""

    osm_id: int
    name: str | None
    kind: Literal["foot", "cycle", "steps"]
    nodes: tuple[int, ...]
    line: tuple[LonLat, ...]
    surface: Hint = None
    wheelchair: Hint = None
    kerb: Hint = None


@dataclass(frozen=True, slots=True)
class Place:
    """Something with a position that people look for; `kind` is its OSM value (school, townhall, bus_stop, depot, …)."""

    osm_id: int
    kind: str
    name: str | None
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where people cross a street, with the kerb as the file tells it."""

    osm_id: int
    lat: float
    lon: float
    kerb: Hint = None


@dataclass(frozen=True, slots=True)
class Area:
    """A surface for the map; `ring` is its closed outer ring. "land" is an island: it lies over the sea."""

    osm_id: int
    kind: Literal["sea", "land", "water", "park", "square", "beach", "sport", "building"]
    name: str | None
    ring: tuple[LonLat, ...]


@dataclass(frozen=True)
class Town:
    """A town as an OpenStreetMap file tells it. `bbox` is (west, south, east, north) in degrees."""

    name: str
    bbox: tuple[float, float, float, float]
    node_ids: NDArray[np.int64]  # sorted; the nodes of streets and paths
    node_lonlat: NDArray[np.float64]  # (n, 2), in the order of node_ids
    streets: tuple[Street, ...]
    paths: tuple[Path, ...]
    places: tuple[Place, ...]
    crossings: tuple[Crossing, ...]
    areas: tuple[Area, ...]

    @cached_property
    def plane(self) -> Plane:
        """Metres around the middle of the town."""
        west, south, east, north = self.bbox
        return Plane((south + north) / 2, (west + east) / 2)

    @cached_property
    def junctions(self) -> frozenset[int]:
        """OSM ids of nodes where three or more street ends meet, or two different streets."""
        ends: dict[int, int] = {}
        for street in self.streets:
            last = len(street.nodes) - 1
            for i, node in enumerate(street.nodes):
                ends[node] = ends.get(node, 0) + (1 if i in (0, last) else 2)
        return frozenset(node for node, count in ends.items() if count >= 3)

    @cached_property
    def _graph(self) -> RoadGraph:
        return RoadGraph(self.streets, self.plane)

    def graph(self) -> RoadGraph:
        """Return the drivable graph (largest strongly connected part), built once.

        Raises NoRouteError when the town has no drivable street.
        """
        return self._graph

    def place(self, kind: str) -> Place | None:
        """Return the first place of this kind."""
        return next((place for place in self.places if place.kind == kind), None)
