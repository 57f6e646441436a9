"""Dead-end service alleys from a street into a deep block."""

from itertools import pairwise
from math import hypot

import numpy as np

from asty_town.generator.blocks import distance
from asty_town.generator.network import Network, Piece
from asty_town.generator.tracing import Course, Point

_CLEAR = 17.0  # m between an alley's end and any other street


def add_alleys(network: Network, found: list[Course], rng: np.random.Generator, wanted: int = 14) -> None:
    """Split some long small streets and lead an alley inwards; each alley is a course of its own, of rank 3."""
    added = 0
    for piece in [network.pieces[k] for k in rng.permutation(len(network.pieces))]:
        if added == wanted:
            return
        if found[piece.course].rank != 2 or piece.metres < 84:
            continue
        cut, middle, along = _halfway(piece.line)
        side = rng.choice((-1.0, 1.0))
        deep = rng.uniform(32.0, 46.0)
        end = (middle[0] - along[1] * side * deep, middle[1] + along[0] * side * deep)
        others = np.array([(*a, *b) for other in network.pieces for a, b in pairwise(other.line)])
        if distance(end, others) < _CLEAR:
            continue
        fork, tip = len(network.junctions), len(network.junctions) + 1
        network.junctions += [middle, end]
        at = network.pieces.index(piece)
        network.pieces[at : at + 1] = [
            Piece(piece.a, fork, [*piece.line[:cut], middle], piece.course),
            Piece(fork, piece.b, [middle, *piece.line[cut:]], piece.course),
        ]
        found.append(Course([middle, end], across=False, rank=3))
        network.pieces.append(Piece(fork, tip, [middle, end], len(found) - 1))
        added += 1


def _halfway(line: list[Point]) -> tuple[int, Point, Point]:
    """Return the middle of the longest straight stretch: index after which it lies, the point, and the direction there."""
    lengths = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(line)]
    k = int(np.argmax(lengths))
    (ax, ay), (bx, by) = line[k], line[k + 1]
    return k + 1, ((ax + bx) / 2, (ay + by) / 2), ((bx - ax) / lengths[k], (by - ay) / lengths[k])
