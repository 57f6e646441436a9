"""Everything between the seafront street and the sea: coastline, mole, promenade, cycle path, beach."""

from math import cos

import numpy as np

from asty_town.generator.osm_writer import Draft
from asty_town.generator.terrain import coast, coast_angle
from asty_town.generator.tracing import Point

_MOLE = (-344.0, -334.0)


def draw_shore(draft: Draft) -> None:
    """Draw it. The coastline runs west to east: land lies on its left."""
    west, east = _MOLE
    y = coast(west)
    mole: list[Point] = [(west, y), (west, y - 112), (west - 88, y - 126), (west - 87, y - 136), (east, y - 121), (east, coast(east))]
    line = [*_shore(-960, west - 8, 0), *mole, *_shore(east + 8, 960, 0)]
    draft.line(line, {"natural": "coastline"})
    draft.line([(west + 5, y + 14), (west + 5, y - 112), (west - 84, y - 130)], {"highway": "footway", "name": "Λιμενοβραχίονας"})
    promenade = {"highway": "footway", "name": "Παραλία", "surface": "paving_stones", "wheelchair": "yes", "lit": "yes"}
    draft.line(_shore(-730, 735, 14), promenade)
    cycle = {"highway": "cycleway", "name": "Ποδηλατόδρομος Παραλίας", "surface": "asphalt", "segregated": "yes", "lit": "yes"}
    draft.line(_shore(-730, 735, 27), cycle)
    draft.ring([*_shore(190, 500, -7), *_shore(190, 500, 10)[::-1]], {"natural": "beach", "name": "Δημοτική Πλαζ", "surface": "sand"})
    for start, end in ((-700, -560), (-540, -420), (-250, -90), (20, 150)):
        draft.ring([*_shore(start, end, 17), *_shore(start, end, 24)[::-1]], {"leisure": "garden"})
    draft.node((west - 40, y - 60), leisure="marina", name="Λιμάνι Άστεως")


def _shore(west: float, east: float, inland: float) -> list[Point]:
    """Return the line that keeps so many metres inland of the shore."""
    return [(float(x), coast(x) + inland / cos(coast_angle(x))) for x in np.linspace(west, east, max(2, int((east - west) / 18)))]
