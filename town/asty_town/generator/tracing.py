"""Streamlines through the field of directions: the courses of streets before they are cut at crossings."""

from dataclasses import dataclass
from math import cos, hypot, pi, sin

import numpy as np

from asty_town.generator.terrain import BBOX, SQUARE, coast, coast_angle, direction, is_town, spacing

Point = tuple[float, float]
_STEP = 7.0
_LONGEST = 330  # steps in one direction


@dataclass(frozen=True, slots=True)
class Course:
    """One street's line; `across` tells whether it climbs from the sea or runs along it; `rank` 0 is a main road."""

    line: list[Point]
    across: bool
    rank: int


class _Family:
    """Courses of one direction, which keep their distance from each other."""

    def __init__(self) -> None:
        self._points = np.empty((0, 2))

    def gap(self, x: float, y: float) -> float:
        if not len(self._points):
            return float("inf")
        delta = self._points - (x, y)
        return float(np.sqrt(np.einsum("ij,ij->i", delta, delta).min()))

    def add(self, line: list[Point]) -> None:
        self._points = np.vstack((self._points, np.array(line)))


def courses(rng: np.random.Generator) -> list[Course]:
    """Return the courses of all streets, main roads first."""
    along, across = _Family(), _Family()
    seafront = [(x, coast(x) + 46 / cos(coast_angle(x))) for x in (float(east) for east in range(-770, 771, 14))]
    along.add(seafront)
    found = [Course(seafront, across=False, rank=0)]
    for family, turned, seed, rank in (
        (along, False, (SQUARE[0], SQUARE[1] + 42), 0),
        (across, True, (SQUARE[0] - 52, SQUARE[1]), 0),
        (along, False, (SQUARE[0], SQUARE[1] - 40), 1),
        (across, True, (SQUARE[0] + 48, SQUARE[1]), 1),
        (across, True, (-400.0, 300.0), 1),
        (across, True, (420.0, 400.0), 1),
        (along, False, (100.0, 700.0), 1),
        (across, True, (-742.0, 230.0), 2),
        (across, True, (735.0, 330.0), 2),
        (along, False, (60.0, 940.0), 2),
    ):
        line = _trace(seed, turned=turned, family=family, keep=20.0)
        family.add(line)
        found.append(Course(line, across=turned, rank=rank))
    found[1] = Course(_led_out(found[1].line), across=False, rank=0)
    spots = [(float(x), float(y)) for x in np.arange(-780, 781, 17) for y in np.arange(0, 1000, 17)]
    for number in rng.permutation(len(spots)):
        x, y = spots[number]
        x, y = x + rng.uniform(-8, 8), y + rng.uniform(-8, 8)
        if not is_town(x, y):
            continue
        for family, turned, wide in ((along, False, 1.0), (across, True, 1.22)):
            apart = spacing(x, y) * wide
            if not apart < family.gap(x, y) < 1.5 * apart:
                continue
            line = _trace((x, y), turned=turned, family=family, keep=0.72 * apart)
            if len(line) * _STEP > 95:
                family.add(line)
                found.append(Course(line, across=turned, rank=2))
    return found


def _trace(seed: Point, *, turned: bool, family: _Family, keep: float) -> list[Point]:
    forward = _walk(seed, 1, turned=turned, family=family, keep=keep)
    backward = _walk(seed, -1, turned=turned, family=family, keep=keep)
    return [*backward[::-1], seed, *forward]


def _walk(seed: Point, sense: int, *, turned: bool, family: _Family, keep: float) -> list[Point]:
    x, y = seed
    heading = direction(x, y) + (pi / 2 if turned else 0.0) + (pi if sense < 0 else 0.0)
    line: list[Point] = []
    for step in range(_LONGEST):
        middle = _continued(heading, direction(x + _STEP / 2 * cos(heading), y + _STEP / 2 * sin(heading)))
        heading = middle
        x, y = x + _STEP * cos(heading), y + _STEP * sin(heading)
        if not is_town(x, y) or family.gap(x, y) < keep:
            break
        if step > 16 and min(hypot(x - u, y - v) for u, v in line[:-14]) < keep:  # round the hill and home again
            break
        line.append((x, y))
    return line


def _continued(heading: float, angle: float) -> float:
    """Return whichever of the field's four directions bends least."""
    return min((angle + k * pi / 2 for k in range(-4, 8)), key=lambda a: abs((a - heading + pi) % (2 * pi) - pi))


def _led_out(line: list[Point]) -> list[Point]:
    """Lead a main road on to both ends of the map: it comes from the next town and goes to another."""
    if line[0][0] > line[-1][0]:
        line.reverse()
    (west, y0), (east, y1) = line[0], line[-1]
    out_west = [(float(x), y0 - 0.10 * (west - x)) for x in np.arange(BBOX[0] - 20, west - 20, 40)]
    out_east = [(float(x), y1 + 0.12 * (x - east)) for x in np.arange(east + 30, BBOX[2] + 21, 40)]
    return [*out_west, *line, *out_east]
