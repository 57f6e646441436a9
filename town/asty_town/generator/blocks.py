"""The faces between streets: which there are, and buildings along their sides."""

from itertools import pairwise
from math import atan2, hypot, pi

import numpy as np
from numpy.typing import NDArray

from asty_town.generator.network import Network, Piece
from asty_town.generator.tracing import Point

Polygon = list[Point]


class Block:
    """One face of the network, counter-clockwise, with the pieces that bound it."""

    def __init__(self, ring: Polygon, pieces: list[int]) -> None:
        self.ring = ring
        self.pieces = pieces
        self.area = signed_area(ring)
        self.middle = _middle(ring)
        self._sides = np.array([(*a, *b) for a, b in pairwise([*ring, ring[0]])])

    @property
    def width(self) -> float:
        """Return a measure of how wide the block is, m: a sliver between two roads has little."""
        lengths = np.hypot(self._sides[:, 2] - self._sides[:, 0], self._sides[:, 3] - self._sides[:, 1])
        return float(2 * self.area / lengths.sum())

    def contains(self, point: Point) -> bool:
        """Tell whether the point is inside (even-odd rule)."""
        x, y = point
        x0, y0, x1, y1 = self._sides.T
        crosses = (y0 > y) != (y1 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
        return bool(np.count_nonzero(crosses & (x < at)) % 2)

    def depth(self, point: Point) -> float:
        """Return metres from the nearest side."""
        return distance(point, self._sides)


def distance(point: Point, sides: NDArray[np.float64]) -> float:
    """Return metres from a point to the nearest of segments of shape (n, 4)."""
    start, along = sides[:, :2], sides[:, 2:] - sides[:, :2]
    length2 = np.maximum(np.einsum("ij,ij->i", along, along), 1e-9)
    t = np.clip(np.einsum("ij,ij->i", np.array(point) - start, along) / length2, 0, 1)
    gap = start + along * t[:, None] - np.array(point)
    return float(np.sqrt(np.einsum("ij,ij->i", gap, gap).min()))


def signed_area(ring: Polygon) -> float:
    """Return square metres, positive when counter-clockwise."""
    return sum(xa * yb - xb * ya for (xa, ya), (xb, yb) in pairwise([*ring, ring[0]])) / 2


def _middle(ring: Polygon) -> Point:
    area = signed_area(ring) or 1.0
    sides = list(pairwise([*ring, ring[0]]))
    x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in sides) / (6 * area)
    y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in sides) / (6 * area)
    return x, y


def blocks(network: Network) -> list[Block]:
    """Return the bounded faces of the network."""
    ways = [(piece.a, piece.b, piece.line, k) for k, piece in enumerate(network.pieces)]
    ways += [(piece.b, piece.a, piece.line[::-1], k) for k, piece in enumerate(network.pieces)]
    leaving: dict[int, list[tuple[float, int]]] = {}
    for number, (a, _, line, _) in enumerate(ways):
        leaving.setdefault(a, []).append((atan2(line[1][1] - line[0][1], line[1][0] - line[0][0]), number))
    for fan in leaving.values():
        fan.sort()
    found: list[Block] = []
    used: set[int] = set()
    for first in range(len(ways)):
        ring: Polygon = []
        pieces: list[int] = []
        number = first
        while number not in used:
            used.add(number)
            _, b, line, piece = ways[number]
            ring += line[:-1]
            pieces.append(piece)
            back = atan2(line[-2][1] - line[-1][1], line[-2][0] - line[-1][0])
            number = max(leaving[b], key=lambda out, back=back: (out[0] - back) % (2 * pi) or 0.0)[1]  # type: ignore[misc]
        if len(ring) > 2 and signed_area(ring) > 0:
            found.append(Block(ring, pieces))
    return found


def inset(block: Block, metres: float) -> Polygon | None:
    """Return the block shrunk on all sides, for a park or a yard; None when nothing is left or the shape folds."""
    ring = [p for p, q in pairwise([*block.ring, block.ring[0]]) if hypot(q[0] - p[0], q[1] - p[1]) > 2.5]
    n = len(ring)
    shrunk: Polygon = []
    for k in range(n):
        (ax, ay), (bx, by), (cx, cy) = ring[k - 1], ring[k], ring[(k + 1) % n]
        ux, uy = _normal(ax, ay, bx, by)
        vx, vy = _normal(bx, by, cx, cy)
        fold = 1 + ux * vx + uy * vy
        if fold < 0.25:
            return None
        shrunk.append((bx + metres * (ux + vx) / fold, by + metres * (uy + vy) / fold))
    fits = len(shrunk) > 2 and all(block.contains(p) and block.depth(p) > 0.8 * metres for p in shrunk)
    return shrunk if fits and signed_area(shrunk) > 150 else None


def _normal(ax: float, ay: float, bx: float, by: float) -> Point:
    length = hypot(bx - ax, by - ay) or 1.0
    return -(by - ay) / length, (bx - ax) / length


def buildings(block: Block, vacancy: float, rng: np.random.Generator) -> list[Polygon]:
    """Return house footprints along the sides of a block, clear of its streets and alleys."""
    placed: list[Polygon] = []
    setback = 6.2
    for (ax, ay), (bx, by) in pairwise([*block.ring, block.ring[0]]):
        length = hypot(bx - ax, by - ay)
        ex, ey = (bx - ax) / max(length, 1e-9), (by - ay) / max(length, 1e-9)
        along = setback
        while along + 8 < length:
            front, deep = rng.uniform(8.5, 17.0), rng.uniform(9.0, 14.0)
            gap = 0.0 if rng.random() < 0.7 else rng.uniform(1.5, 5.0)
            front = min(front, length - along)
            back = setback + rng.choice((0.0, 0.0, 0.0, 2.0))
            corners = [
                (ax + ex * s - ey * t, ay + ey * s + ex * t)
                for s, t in ((along, back), (along + front, back), (along + front, back + deep), (along, back + deep))
            ]
            along += front + gap
            if rng.random() > vacancy and _stands(corners, block, placed, setback):
                placed.append(corners)
    return placed


def _stands(corners: Polygon, block: Block, placed: list[Polygon], setback: float) -> bool:
    if not all(block.contains(p) and block.depth(p) > setback - 0.5 for p in corners):
        return False
    return not any(_overlap(corners, other) for other in placed)


def _overlap(one: Polygon, two: Polygon) -> bool:
    """Tell whether two convex polygons overlap (separating axes)."""
    for ring in (one, two):
        for (ax, ay), (bx, by) in pairwise([*ring, ring[0]]):
            nx, ny = ay - by, bx - ax
            first = [x * nx + y * ny for x, y in one]
            second = [x * nx + y * ny for x, y in two]
            slack = 0.05 * hypot(nx, ny)
            if max(first) <= min(second) + slack or max(second) <= min(first) + slack:
                return False
    return True


def without_slivers(network: Network, courses_rank: list[int]) -> None:
    """Take away small streets that run beside another one, so that no block is too narrow for a house."""
    while True:
        thin = [block for block in blocks(network) if block.width < 13.0]
        doomed = next((_smallest(network.pieces, block.pieces, courses_rank) for block in thin), None)
        if doomed is None:
            return
        network.pieces = [piece for k, piece in enumerate(network.pieces) if k != doomed]


def _smallest(pieces: list[Piece], around: list[int], rank: list[int]) -> int | None:
    minor = [k for k in around if rank[pieces[k].course] == 2]
    return max(minor, key=lambda k: pieces[k].metres, default=None)
