"""The drivable graph of a town and shortest ways in it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from asty_town.model import Street
    from asty_town.plane import Plane


class NoRouteError(Exception):
    """There is no drivable way: the town has no drivable street, or the two ends are not connected."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One piece of a street between two neighbouring nodes, in the direction of travel."""

    tail: int  # index of a node in the graph
    head: int
    metres: float
    street: int  # index into the town's streets


class RoadGraph:
    """Directed graph over the largest strongly connected part, so that every node reaches every other.

    `points` are (lat, lon), `xy` metres on the town's plane; both by node index.
    """

    def __init__(self, streets: Iterable[Street], plane: Plane) -> None:
        self._plane = plane
        every = list(streets)
        index: dict[int, int] = {}
        lonlat: list[tuple[float, float]] = []
        arcs: list[tuple[int, int, int]] = []
        for number, street in enumerate(every):
            if not street.drivable:
                continue
            for node, place in zip(street.nodes, street.line, strict=True):
                if index.setdefault(node, len(lonlat)) == len(lonlat):
                    lonlat.append(place)
            chain = [index[node] for node in street.nodes]
            for a, b in itertools.pairwise(chain):
                if street.oneway >= 0:
                    arcs.append((a, b, number))
                if street.oneway <= 0:
                    arcs.append((b, a, number))
        kept = largest_component(len(lonlat), arcs)
        if len(kept) < 2:
            raise NoRouteError("the town has no drivable streets that connect")
        place_of = {old: new for new, old in enumerate(kept)}
        self.points = [(lonlat[old][1], lonlat[old][0]) for old in kept]
        self.xy = [plane.xy(lat, lon) for lat, lon in self.points]
        self.out: list[list[Edge]] = [[] for _ in kept]
        for a, b, number in arcs:
            if a in place_of and b in place_of and a != b:
                tail, head = place_of[a], place_of[b]
                (xa, ya), (xb, yb) = self.xy[tail], self.xy[head]
                self.out[tail].append(Edge(tail, head, hypot(xb - xa, yb - ya), number))
        self._xy = np.array(self.xy)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def edges(self) -> list[Edge]:
        """All edges, in a stable order."""
        return [edge for out in self.out for edge in out]

    def nearest(self, lat: float, lon: float) -> int:
        """Return the index of the node nearest to a point."""
        gap = self._xy - np.array(self._plane.xy(lat, lon))
        return int(np.argmin(np.einsum("ij,ij->i", gap, gap)))

    def path(self, start: int, goal: int) -> list[Edge]:
        """Return the edges of the shortest way between two nodes (A*; the straight line never overestimates)."""
        if start == goal:
            return []
        gx, gy = self.xy[goal]
        best = {start: 0.0}
        came: dict[int, Edge] = {}
        queue = [(0.0, start)]
        done: set[int] = set()
        while queue:
            _, node = heapq.heappop(queue)
            if node == goal:
                return _walked_back(came, start, goal)
            if node in done:
                continue
            done.add(node)
            here = best[node]
            for edge in self.out[node]:
                metres = here + edge.metres
                if metres < best.get(edge.head, np.inf):
                    best[edge.head] = metres
                    came[edge.head] = edge
                    x, y = self.xy[edge.head]
                    heapq.heappush(queue, (metres + hypot(gx - x, gy - y), edge.head))
        raise NoRouteError(f"no way from node {start} to node {goal}")

    def metres_from(self, start: int) -> list[float]:
        """Return the length of the shortest way from one node to each node, m (Dijkstra)."""
        best = [float("inf")] * len(self)
        best[start] = 0.0
        queue = [(0.0, start)]
        while queue:
            here, node = heapq.heappop(queue)
            if here > best[node]:
                continue
            for edge in self.out[node]:
                metres = here + edge.metres
                if metres < best[edge.head]:
                    best[edge.head] = metres
                    heapq.heappush(queue, (metres, edge.head))
        return best

    def route(self, a: tuple[float, float], b: tuple[float, float]) -> tuple[list[tuple[float, float]], float]:
        """Return the shortest way between the nodes nearest to two (lat, lon) points: its (lat, lon) points and metres."""
        start = self.nearest(*a)
        edges = self.path(start, self.nearest(*b))
        return [self.points[start], *(self.points[edge.head] for edge in edges)], sum(edge.metres for edge in edges)


def _walked_back(came: dict[int, Edge], start: int, goal: int) -> list[Edge]:
    edges: list[Edge] = []
    node = goal
    while node != start:
        edges.append(came[node])
        node = came[node].tail
    return edges[::-1]


def largest_component(n: int, arcs: list[tuple[int, int, int]]) -> list[int]:
    """Return the nodes of the largest strongly connected component, ascending (Kosaraju, iterative)."""
    forward: list[list[int]] = [[] for _ in range(n)]
    backward: list[list[int]] = [[] for _ in range(n)]
    for a, b, _ in arcs:
        forward[a].append(b)
        backward[b].append(a)
    largest: list[int] = []
    taken = [False] * n
    for root in reversed(_finished(forward)):
        if taken[root]:
            continue
        taken[root] = True
        part = [root]
        for node in part:
            for tail in backward[node]:
                if not taken[tail]:
                    taken[tail] = True
                    part.append(tail)
        if len(part) > len(largest):
            largest = part
    return sorted(largest)


def _finished(forward: list[list[int]]) -> list[int]:
    """Return the nodes in the order in which a depth-first search leaves them."""
    order: list[int] = []
    seen = [False] * len(forward)
    for root in range(len(forward)):
        stack = [] if seen[root] else [(root, iter(forward[root]))]
        seen[root] = True
        while stack:
            node, heads = stack[-1]
            head = next((head for head in heads if not seen[head]), None)
            if head is None:
                order.append(node)
                stack.pop()
            else:
                seen[head] = True
                stack.append((head, iter(forward[head])))
    return order
