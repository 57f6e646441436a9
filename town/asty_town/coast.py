"""The sea as rings: OSM maps only the coastline, with land on its left and water on its right."""

import itertools
from collections.abc import Iterable, Sequence
from math import inf

LonLat = tuple[float, float]
Bbox = tuple[float, float, float, float]


def sea_and_islands(lines: Iterable[Sequence[LonLat]], bbox: Bbox) -> tuple[list[tuple[LonLat, ...]], list[tuple[LonLat, ...]]]:
    """Return closed rings (sea, islands) inside `bbox` (west, south, east, north) for coastlines as the file holds them.

    A coast that ends inside the box, because the extract lacks a part, goes on at the next beginning or straight to the nearest side.
    """
    chains = _bridged(_chained([list(line) for line in lines]), bbox)
    islands = [tuple(chain) for chain in chains if chain[0] == chain[-1] and _area(chain) > 0 and all(_inside(p, bbox) for p in chain)]
    pieces = [
        piece
        for chain in chains
        if not (chain[0] == chain[-1] and all(_inside(p, bbox) for p in chain))
        for piece in _clipped(_reaching_out(chain, bbox), bbox)
    ]
    return _closed(pieces, bbox), islands


def _chained(lines: list[list[LonLat]]) -> list[list[LonLat]]:
    by_start = {line[0]: line for line in lines if len(line) > 1}
    ends = {line[-1] for line in by_start.values()}
    chains: list[list[LonLat]] = []
    for start in sorted(by_start, key=lambda point: point in ends):  # true beginnings first, so that only rings begin anywhere
        chain = by_start.pop(start, None)
        if chain is None:
            continue
        while (following := by_start.pop(chain[-1], None)) is not None:
            chain = chain + following[1:]
        chains.append(chain)
    return chains


def _bridged(chains: list[list[LonLat]], bbox: Bbox) -> list[list[LonLat]]:
    """Join a chain that ends inside the box to the one that begins there, where that is nearer than a side."""
    kept = [chain for chain in chains if chain[0] == chain[-1]]
    waiting = [chain for chain in chains if chain[0] != chain[-1]]
    while waiting:
        chain = waiting.pop(0)
        end = chain[-1]
        begins = [(_gap(end, other[0]), number) for number, other in enumerate(waiting) if _inside(other[0], bbox)]
        gap, number = min(begins, default=(inf, -1))
        if _inside(end, bbox) and gap < _gap(end, _nearest_side(end, bbox)):
            waiting[number] = chain + waiting[number]
        else:
            kept.append(chain)
    return kept


def _gap(a: LonLat, b: LonLat) -> float:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def _area(ring: Sequence[LonLat]) -> float:
    return sum(xa * yb - xb * ya for (xa, ya), (xb, yb) in itertools.pairwise(ring)) / 2


def _inside(point: LonLat, bbox: Bbox) -> bool:
    west, south, east, north = bbox
    return west < point[0] < east and south < point[1] < north


def _reaching_out(chain: list[LonLat], bbox: Bbox) -> list[LonLat]:
    if chain[0] == chain[-1]:
        return chain
    head = [_nearest_side(chain[0], bbox)] if _inside(chain[0], bbox) else []
    tail = [_nearest_side(chain[-1], bbox)] if _inside(chain[-1], bbox) else []
    return [*head, *chain, *tail]


def _nearest_side(point: LonLat, bbox: Bbox) -> LonLat:
    west, south, east, north = bbox
    x, y = point
    return min(((west, y), (east, y), (x, south), (x, north)), key=lambda side: _gap(side, point))


def _clipped(chain: list[LonLat], bbox: Bbox) -> list[list[LonLat]]:
    """Cut a line into its pieces inside the box (Liang-Barsky, segment by segment)."""
    pieces: list[list[LonLat]] = []
    for a, b in itertools.pairwise(chain):
        cut = _cut(a, b, bbox)
        if cut is None:
            continue
        if pieces and pieces[-1][-1] == cut[0]:
            pieces[-1].append(cut[1])
        else:
            pieces.append(list(cut))
    return [piece for piece in pieces if _on_side(piece[0], bbox) and _on_side(piece[-1], bbox)]


def _cut(a: LonLat, b: LonLat, bbox: Bbox) -> tuple[LonLat, LonLat] | None:
    west, south, east, north = bbox
    dx, dy = b[0] - a[0], b[1] - a[1]
    enters, leaves = 0.0, 1.0
    for step, room in ((-dx, a[0] - west), (dx, east - a[0]), (-dy, a[1] - south), (dy, north - a[1])):
        if step == 0:
            if room < 0:
                return None
        elif step < 0:
            enters = max(enters, room / step)
        else:
            leaves = min(leaves, room / step)
    if enters >= leaves:
        return None
    first = a if enters == 0 else _held((a[0] + enters * dx, a[1] + enters * dy), bbox)
    last = b if leaves == 1 else _held((a[0] + leaves * dx, a[1] + leaves * dy), bbox)
    return first, last


def _held(point: LonLat, bbox: Bbox) -> LonLat:
    """Put a point that rounding moved off a side back on it."""
    west, south, east, north = bbox
    x, y = point
    near = 1e-9
    x = west if abs(x - west) < near else east if abs(x - east) < near else x
    y = south if abs(y - south) < near else north if abs(y - north) < near else y
    return x, y


def _on_side(point: LonLat, bbox: Bbox) -> bool:
    return point[0] in (bbox[0], bbox[2]) or point[1] in (bbox[1], bbox[3])


def _along(point: LonLat, bbox: Bbox) -> float:
    """Return how far round the box a point on a side lies, clockwise from the north-west corner, 0 to 4."""
    west, south, east, north = bbox
    x, y = point
    if y == north:
        return (x - west) / (east - west)
    if x == east:
        return 1 + (north - y) / (north - south)
    if y == south:
        return 2 + (east - x) / (east - west)
    return 3 + (y - south) / (north - south)


def _closed(pieces: list[list[LonLat]], bbox: Bbox) -> list[tuple[LonLat, ...]]:
    west, south, east, north = bbox
    corners = [(west, north), (east, north), (east, south), (west, south)]
    rings: list[tuple[LonLat, ...]] = []
    waiting = list(pieces)
    while waiting:
        ring = list(waiting.pop(0))
        while True:
            here = _along(ring[-1], bbox)
            starts = [(((_along(piece[0], bbox) - here) % 4), number) for number, piece in enumerate(waiting)]
            home = (_along(ring[0], bbox) - here) % 4 or inf
            ahead, number = min(starts, default=(inf, -1))
            reach = min(ahead, home)
            ring += [corners[int(turn) % 4] for turn in range(int(here) + 1, int(here) + 6) if turn - here < reach]
            if ahead >= home:
                break
            ring += waiting.pop(number)
        rings.append((*ring, ring[0]))
    return rings
