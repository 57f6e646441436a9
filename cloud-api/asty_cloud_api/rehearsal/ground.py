"""Where a rehearsal takes place: bins on the kerbs of a town, its depot and transfer station, trucks, and the ways between all of them."""

import heapq
import math
from dataclasses import dataclass

import numpy as np
from asty_town import Town
from asty_town.graph import Edge, RoadGraph
from numpy.typing import NDArray

from asty_cloud_api.planning.model import Day, Prices, Roads, Station, Stop, Truck, Window

GARAGE, STATION = 0, 1
"""Places 0 and 1 of the matrices; bin i is place i + 2."""
SITE_GAP = 30.0
"""Metres between two sites of bins, as far as the town is large enough."""
SITES: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.45, ("residual",)),
    (0.35, ("residual", "recycling")),
    (0.10, ("residual", "residual", "recycling")),
    (0.10, ("residual", "residual", "recycling", "recycling")),
)
"""What stands at a site, and how often."""
LITRES = 1100
DENSITY = {"residual": 0.115, "recycling": 0.046}
"""kg per litre as it lies in the bin."""
SERVICE = 60
SPEED = {"primary": 11.0, "secondary": 10.0, "tertiary": 9.0, "residential": 7.0, "living_street": 4.0, "service": 3.5}
"""m/s of a loaded refuse truck by OSM class, corners and crossings included."""
OTHER_SPEED = 12.0
SHIFT = Window(6 * 3600, 12 * 3600)
PRICES = Prices(fixed=30.0, per_km=1.0, per_hour=40.0, overtime_per_hour=60.0)
BINS_PER_TRUCK = 75


@dataclass(frozen=True, slots=True)
class Site:
    """A bin; `core` is 0 at the edge of the town and 1 in its middle."""

    id: str
    stream: str
    litres: int
    lat: float
    lon: float
    x: float
    y: float
    core: float

    @property
    def kg_full(self) -> float:
        """What it weighs when full, by the usual density of its stream."""
        return self.litres * DENSITY[self.stream]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The fixed part of every day's problem."""

    bins: tuple[Site, ...]
    trucks: tuple[Truck, ...]
    station: Station
    roads: Roads

    def day(self, stops: tuple[Stop, ...]) -> Day:
        """A day with these stops."""
        return Day(self.trucks, stops, (self.station,), {"truck": self.roads})


def lay_out(town: Town, count: int, seed: int) -> Ground:
    """Set `count` bins in a town, with the trucks that they need. Raises NoRouteError for a town without streets."""
    graph = town.graph()
    rng = np.random.default_rng((seed, 1))
    edges = [e for e in graph.edges if e.metres > 16 and town.streets[e.street].highway not in ("motorway", "trunk", "service")]
    spots = _spots(graph, edges or graph.edges, count, rng)
    ends = [_gate(town, kind) for kind in ("depot", "waste_transfer_station")]
    roads = _roads(town, graph, [_at_node(graph, node) for node in ends] + [(edge, along) for edge, along, _ in spots])
    xy = np.array([_point(graph, edge, along) for edge, along, _ in spots])
    away = np.hypot(*(xy - np.median(xy, axis=0)).T)
    core = np.exp(-away / max(1.0, float(np.median(away))))
    bins = []
    for i, ((_, _, stream), (x, y)) in enumerate(zip(spots, xy.tolist(), strict=True)):
        lat, lon = town.plane.latlon(x, y)
        bins.append(Site(f"bin-{i + 1:04d}", stream, LITRES, lat, lon, x, y, float(core[i])))
    return Ground(tuple(bins), _trucks(count), Station("transfer", STATION), roads)


def _trucks(bins: int) -> tuple[Truck, ...]:
    """16 m³ bodies that press 5 to 1 and carry 4.2 t, as the trucks of the simulated town do; at least one for each stream."""
    streams = frozenset(DENSITY)
    size = max(len(streams), math.ceil(bins / BINS_PER_TRUCK))
    return tuple(
        Truck(f"truck-{i + 1:02d}", 4200, 80_000, SHIFT, GARAGE, GARAGE, streams=streams, prices=PRICES, overtime=3600) for i in range(size)
    )


def _spots(graph: RoadGraph, edges: list[Edge], count: int, rng: np.random.Generator) -> list[tuple[Edge, float, str]]:
    """Edge, metres along it, and stream of each bin."""
    shares = np.array([share for share, _ in SITES])
    spots: list[tuple[Edge, float, str]] = []
    taken: list[tuple[float, float]] = []
    gap = SITE_GAP
    while len(spots) < count:
        for k in rng.permutation(len(edges)):
            edge = edges[k]
            along = float(rng.uniform(5.0, max(5.1, edge.metres - 5.0)))
            x, y = _point(graph, edge, along)
            if any(math.hypot(x - a, y - b) < gap for a, b in taken):
                continue
            taken.append((x, y))
            streams = SITES[int(rng.choice(len(SITES), p=shares / shares.sum()))][1]
            spots += [(edge, along, stream) for stream in streams]
            if len(spots) >= count:
                return spots[:count]
        gap *= 0.7
    return spots


def _point(graph: RoadGraph, edge: Edge, along: float) -> tuple[float, float]:
    (ax, ay), (bx, by) = graph.xy[edge.tail], graph.xy[edge.head]
    share = along / edge.metres
    return ax + (bx - ax) * share, ay + (by - ay) * share


def _gate(town: Town, kind: str) -> int:
    """The node of the depot or the station; without one, the ends of the town."""
    graph, place = town.graph(), town.place(kind)
    if place is not None:
        return graph.nearest(place.lat, place.lon)
    xs = [x for x, _ in graph.xy]
    return xs.index(max(xs)) if kind == "depot" else xs.index(min(xs))


def _at_node(graph: RoadGraph, node: int) -> tuple[Edge, float]:
    return graph.out[node][0], 0.0


def _roads(town: Town, graph: RoadGraph, spots: list[tuple[Edge, float]]) -> Roads:
    """Quickest ways; a bin is reached along its own side of the street and left in the same direction."""
    speeds = [_speed(street.highway, street.maxspeed) for street in town.streets]
    size = len(spots)
    seconds, metres = np.zeros((size, size)), np.zeros((size, size))
    tails = np.array([edge.tail for edge, _ in spots])
    along = np.array([along for _, along in spots])
    pace = np.array([1 / speeds[edge.street] for edge, _ in spots])
    found: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for i, (edge, begin) in enumerate(spots):
        if edge.head not in found:
            found[edge.head] = _quickest(graph, edge.head, speeds)
        time, length = found[edge.head]
        rest = edge.metres - begin
        seconds[i] = rest * pace[i] + time[tails] + along * pace
        metres[i] = rest + length[tails] + along
        for j, (other, end) in enumerate(spots):
            if other is edge and end >= begin:
                seconds[i, j], metres[i, j] = (end - begin) * pace[i], end - begin
    return Roads(np.ceil(seconds), metres)


def _speed(highway: str, maxspeed: float | None) -> float:
    usual = SPEED.get(highway.removesuffix("_link"), OTHER_SPEED)
    return min(usual, maxspeed / 3.6) if maxspeed else usual


def _quickest(graph: RoadGraph, start: int, speeds: list[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds and metres of the quickest way from a node to each (Dijkstra)."""
    seconds, metres = np.full(len(graph), np.inf), np.full(len(graph), np.inf)
    seconds[start] = metres[start] = 0.0
    queue = [(0.0, start)]
    while queue:
        here, node = heapq.heappop(queue)
        if here > seconds[node]:
            continue
        for edge in graph.out[node]:
            time = here + edge.metres / speeds[edge.street]
            if time < seconds[edge.head]:
                seconds[edge.head], metres[edge.head] = time, metres[node] + edge.metres
                heapq.heappush(queue, (time, edge.head))
    return seconds, metres
