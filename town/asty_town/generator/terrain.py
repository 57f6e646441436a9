"""The ground that the town stands on: coast, hill, and which way streets run at a point. Metres, x east, y north."""

from math import atan2, cos, exp, hypot, pi, sin

ORIGIN = (39.3563, 22.9512)
"""lat, lon of (0, 0): an invented spot by the Pagasetic gulf."""

HALF_WIDTH = 800.0
NORTH = 1010.0
BBOX = (-880.0, -330.0, 880.0, 1080.0)
"""West, south, east, north of the file."""
SQUARE = (-20.0, 330.0)
HILL = (-470.0, 760.0)
_UPPER = (470.0, 720.0)


def coast(x: float) -> float:
    """Return y of the shore at x: a bay with a cape in the east."""
    return 52.0 * sin(x / 265.0 + 0.9) - 0.00009 * x * x + 60.0 * exp(-(((x - 600.0) / 150.0) ** 2))


def coast_angle(x: float) -> float:
    """Return the direction of the shore at x, radians from east."""
    return atan2(coast(x + 5) - coast(x - 5), 10)


def inland(x: float, y: float) -> float:
    """Return metres from the shore, roughly; negative in the sea."""
    return (y - coast(x)) * cos(coast_angle(x))


def is_town(x: float, y: float) -> bool:
    """Tell whether streets may reach here: the town thins out in rounded corners."""
    north = NORTH - 0.00052 * (x + 60) ** 2 + 26 * sin(x / 95.0)
    return inland(x, y) > 44.0 and y < north and abs(x) < HALF_WIDTH - 30 * sin(y / 120.0)


def on_hill(x: float, y: float) -> bool:
    """Tell whether a point is in the old quarter on the hill."""
    return hypot(x - HILL[0], y - HILL[1]) < 235


def direction(x: float, y: float) -> float:
    """Return the angle of the streets that run along the coast, radians; others cross them at right angles."""
    parts = [(1.7 * exp(-((inland(x, y) / 330.0) ** 2)), coast_angle(x)), (0.35, 0.10)]
    away = hypot(x - _UPPER[0], y - _UPPER[1])
    parts.append((1.5 * exp(-((away / 360.0) ** 2)), -0.42))
    dx, dy = x - HILL[0], y - HILL[1]
    parts.append((3.0 * exp(-((hypot(dx, dy) / 230.0) ** 2)), atan2(dy, dx) + pi / 2))
    c = sum(weight * cos(2 * angle) for weight, angle in parts)
    s = sum(weight * sin(2 * angle) for weight, angle in parts)
    return atan2(s, c) / 2 + 0.07 * sin(x / 83.0 + 1.3) * sin(y / 97.0)


def spacing(x: float, y: float) -> float:
    """Return metres between parallel streets: close in the centre and on the hill, wide at the edge of town."""
    if on_hill(x, y):
        return 50.0
    far = hypot(x - SQUARE[0], y - SQUARE[1]) / 800.0
    return (56.0 + 34.0 * far) * (1 + 0.18 * sin(x / 140.0 + y / 210.0))
