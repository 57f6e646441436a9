"""The area of a closure, and the edges of the roads that it closes."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import shapely
from shapely.geometry import LineString, Polygon

from asty_cloud_api.roads.legs import decode
from asty_cloud_api.roads.valhalla import Ring

MOST_CORNERS = 100
MOST_METRES = 10_000
"""What Valhalla takes in one request with its own limits: a closure that every server takes."""
GRID_METRES = 20.0
REACH_METRES = 16
HEADING_TOLERANCE = 60
_DEGREE = 111_320.0


class BadAreaError(Exception):
    """An area that can't be closed: says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class ClosedEdge:
    """One direction of a street between two junctions, by Valhalla's id, with a point inside it and the heading there (degrees)."""

    id: int
    lat: float
    lon: float
    heading: float

    def location(self) -> dict[str, Any]:
        """Return the point so that Valhalla takes this edge in this direction and no other."""
        return {
            "lat": self.lat, "lon": self.lon, "heading": round(self.heading) % 360, "heading_tolerance": HEADING_TOLERANCE,
            "minimum_reachability": 0, "search_cutoff": REACH_METRES, "node_snap_tolerance": 0, "rank_candidates": False,
        }  # fmt: skip


def ring_of(area: object) -> Ring:
    """Check a GeoJSON Polygon and return its outer ring, (lon, lat), closed. Raises BadAreaError."""
    ring = _points(area)
    if len(ring) - 1 > MOST_CORNERS:
        raise BadAreaError(f"the area has {len(ring) - 1} corners: at most {MOST_CORNERS}")
    polygon = Polygon(ring)
    if not polygon.is_valid or polygon.area == 0:
        raise BadAreaError(f"the area's edge crosses itself or encloses nothing ({shapely.is_valid_reason(polygon)})")
    if (metres := length(ring)) > MOST_METRES:
        raise BadAreaError(f"the area is {metres / 1000:.1f} km around: at most {MOST_METRES // 1000} km; close the streets one by one")
    return ring


def _points(area: object) -> Ring:
    if not isinstance(area, dict) or area.get("type") != "Polygon":
        raise BadAreaError("expected a GeoJSON Polygon")
    match area.get("coordinates"):
        case [list(outer)]:
            pass
        case [_, _, *_]:
            raise BadAreaError("the area has holes: draw it without")
        case _:
            raise BadAreaError("expected coordinates [[[lon, lat], …]]")
    ring: Ring = []
    for point in outer:
        match point:
            case [int() | float() as lon, int() | float() as lat, *_] if abs(lon) <= 180 and abs(lat) <= 90:
                ring.append((float(lon), float(lat)))
            case _:
                raise BadAreaError(f"{point!r} is no point [lon, lat]")
    if ring and ring[0] != ring[-1]:
        ring.append(ring[0])
    if len(set(ring)) < 3:
        raise BadAreaError("the area has fewer than three corners")
    return ring


def length(line: Ring) -> float:
    """Return a line's length, m; a town is flat."""
    return sum(math.hypot(*_east_north(a, b)) for a, b in pairwise(line))


def _east_north(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return (b[0] - a[0]) * _DEGREE * math.cos(math.radians(a[1])), (b[1] - a[1]) * _DEGREE


def grid(ring: Ring) -> list[dict[str, Any]]:
    """Return locations so dense that every edge with a point in the ring is near one of them."""
    polygon = Polygon(ring)
    west, south, east, north = polygon.bounds
    up = GRID_METRES / _DEGREE
    right = up / math.cos(math.radians(south))
    near = polygon.buffer(right)
    lats = [south + up * row for row in range(math.ceil((north - south) / up) + 1)]
    lons = [west + right * column for column in range(math.ceil((east - west) / right) + 1)]
    points = [(lon, lat) for lat in lats for lon in lons if near.contains(shapely.Point(lon, lat))]
    return [{"lat": lat, "lon": lon, "radius": REACH_METRES, "minimum_reachability": 0, "node_snap_tolerance": 0} for lon, lat in points]


def number(edge: dict[str, Any]) -> int:
    """Return Valhalla's id of an edge that it located: one direction of a street between two junctions."""
    return int(edge["edge_id"]["value"])


def edges(ring: Ring, located: list[list[dict[str, Any]]]) -> dict[int, ClosedEdge]:
    """Return, out of the edges that were located near the grid's points, those that the ring closes: they touch or enter it."""
    polygon = Polygon(ring)
    found: dict[int, ClosedEdge] = {}
    for edge in (edge for near in located for edge in near):
        its = number(edge)
        if its in found:
            continue
        line = decode(edge["edge_info"]["shape"])
        if len(line) > 1 and polygon.intersects(LineString(line)):
            found[its] = _middle(its, line if edge["edge"]["forward"] else line[::-1])
    return found


def _middle(edge: int, line: tuple[tuple[float, float], ...]) -> ClosedEdge:
    """Return a point in the middle of the edge's longest stretch, away from junctions and bends."""
    a, b = max(pairwise(line), key=lambda stretch: math.hypot(*_east_north(*stretch)))
    east, north = _east_north(a, b)
    return ClosedEdge(edge, (a[1] + b[1]) / 2, (a[0] + b[0]) / 2, math.degrees(math.atan2(east, north)) % 360)
