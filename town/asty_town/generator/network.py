"""Courses become a planar network: junctions where they cross, pieces between junctions."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from math import hypot

import numpy as np

from asty_town.generator.tracing import Course, Point

_REACH = 75.0  # a course that ends this near another one is led to it
_SNAP = 17.0  # crossings nearer than this are one junction
_STUB = 42.0  # a shorter dead end is dropped


@dataclass
class Piece:
    """A stretch of street between two junctions; `line` includes both ends."""

    a: int
    b: int
    line: list[Point]
    course: int

    @property
    def metres(self) -> float:
        """Length."""
        return sum(hypot(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise(self.line))


@dataclass
class Network:
    """Junction positions and the pieces between them."""

    junctions: list[Point] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)

    def degrees(self) -> dict[int, int]:
        """Return how many pieces meet at each junction."""
        count: dict[int, int] = defaultdict(int)
        for piece in self.pieces:
            count[piece.a] += 1
            count[piece.b] += 1
        return count


def connect(found: list[Course]) -> Network:
    """Cut all courses where they cross."""
    lines = [_simplified(course.line, 1.2) for course in found]
    lines = [_led_to_others(number, lines) for number in range(len(lines))]
    crossings = _crossings(lines)
    network = Network()
    on_line = _snapped(crossings, network)
    for number, line in enumerate(lines):
        _cut(number, line, on_line[number], network)
    _drop_stubs(network)
    return network


def _simplified(line: list[Point], tolerance: float) -> list[Point]:
    """Douglas-Peucker."""
    if len(line) < 3:
        return line
    (xa, ya), (xb, yb) = line[0], line[-1]
    length = hypot(xb - xa, yb - ya)
    points = np.array(line)
    if length < 1e-6:
        off = np.hypot(points[:, 0] - xa, points[:, 1] - ya)
    else:
        off = np.abs((xb - xa) * (points[:, 1] - ya) - (yb - ya) * (points[:, 0] - xa)) / length
    worst = int(off.argmax())
    if off[worst] <= tolerance:
        return [line[0], line[-1]]
    return _simplified(line[: worst + 1], tolerance)[:-1] + _simplified(line[worst:], tolerance)


def _hit(a: Point, b: Point, c: Point, d: Point) -> tuple[float, float] | None:
    """Return where segment ab meets cd, as fractions of each; None when it doesn't."""
    rx, ry, sx, sy = b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]
    cross = rx * sy - ry * sx
    if abs(cross) < 1e-9:
        return None
    t = ((c[0] - a[0]) * sy - (c[1] - a[1]) * sx) / cross
    u = ((c[0] - a[0]) * ry - (c[1] - a[1]) * rx) / cross
    return (t, u) if 0 <= t <= 1 and 0 <= u <= 1 else None


def _led_to_others(number: int, lines: list[list[Point]]) -> list[Point]:
    line = lines[number]
    for _ in range(2):
        line = line[::-1]
        (px, py), (x, y) = line[-2], line[-1]
        length = hypot(x - px, y - py) or 1.0
        far = (x + (x - px) / length * _REACH, y + (y - py) / length * _REACH)
        hits = [
            found[0]
            for other, course in enumerate(lines)
            if other != number
            for c, d in pairwise(course)
            if (found := _hit((x, y), far, c, d)) is not None
        ]
        if hits:
            t = min(hits) + 2.0 / _REACH
            line = [*line, (x + (far[0] - x) * t, y + (far[1] - y) * t)]
    return line


@dataclass(frozen=True, slots=True)
class _Crossing:
    at: Point
    one: tuple[int, float]  # course, metres along it
    two: tuple[int, float]


def _crossings(lines: list[list[Point]]) -> list[_Crossing]:
    found: list[_Crossing] = []
    segments: list[tuple[int, float, Point, Point]] = []
    for number, line in enumerate(lines):
        along = 0.0
        for a, b in pairwise(line):
            segments.append((number, along, a, b))
            along += hypot(b[0] - a[0], b[1] - a[1])
    low = np.array([(min(a[0], b[0]), min(a[1], b[1])) for _, _, a, b in segments])
    high = np.array([(max(a[0], b[0]), max(a[1], b[1])) for _, _, a, b in segments])
    for i, (one, along, a, b) in enumerate(segments):
        near = np.nonzero(((low[i + 1 :] <= high[i]) & (high[i + 1 :] >= low[i])).all(axis=1))[0] + i + 1
        for j in near:
            two, other, c, d = segments[j]
            hit = _hit(a, b, c, d) if one != two else None
            if hit is not None:
                at = (a[0] + hit[0] * (b[0] - a[0]), a[1] + hit[0] * (b[1] - a[1]))
                t = along + hit[0] * hypot(b[0] - a[0], b[1] - a[1])
                u = other + hit[1] * hypot(d[0] - c[0], d[1] - c[1])
                found.append(_Crossing(at, (one, t), (two, u)))
    return found


def _snapped(crossings: list[_Crossing], network: Network) -> dict[int, list[tuple[float, int]]]:
    """Make junctions of crossings; return for each course its junctions by metres along it."""
    members: list[list[Point]] = []
    on_line: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for crossing in crossings:
        x, y = crossing.at
        junction = next((k for k, (jx, jy) in enumerate(network.junctions) if hypot(jx - x, jy - y) < _SNAP), None)
        if junction is None:
            junction = len(network.junctions)
            network.junctions.append(crossing.at)
            members.append([])
        members[junction].append(crossing.at)
        for number, along in (crossing.one, crossing.two):
            on_line[number].append((along, junction))
    network.junctions = [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in members]
    for stops in on_line.values():
        stops.sort()
    return on_line


def _cut(number: int, line: list[Point], stops: list[tuple[float, int]], network: Network) -> None:
    """Add the pieces of one course, with its loose ends as dead ends."""
    along = [0.0]
    for (x0, y0), (x1, y1) in pairwise(line):
        along.append(along[-1] + hypot(x1 - x0, y1 - y0))
    ends = list(stops)
    if not ends or ends[0][0] > _STUB:
        network.junctions.append(line[0])
        ends.insert(0, (0.0, len(network.junctions) - 1))
    if along[-1] - ends[-1][0] > _STUB:
        network.junctions.append(line[-1])
        ends.append((along[-1], len(network.junctions) - 1))
    known = {frozenset((piece.a, piece.b)) for piece in network.pieces}
    for (t, a), (u, b) in pairwise(ends):
        if a == b or frozenset((a, b)) in known:
            continue
        shape = [point for metres, point in zip(along, line, strict=True) if t + 12 < metres < u - 12]
        network.pieces.append(Piece(a, b, [network.junctions[a], *shape, network.junctions[b]], number))
        known.add(frozenset((a, b)))


def _drop_stubs(network: Network) -> None:
    while True:
        degree = network.degrees()
        kept = [p for p in network.pieces if p.metres > _STUB or min(degree[p.a], degree[p.b]) > 1]
        if len(kept) == len(network.pieces):
            return
        network.pieces = kept
