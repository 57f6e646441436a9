"""What stands on the blocks: the square, parks, schools, municipal yards, alleys, houses, shops and stops."""

from itertools import pairwise
from math import hypot

import numpy as np

from asty_town.generator import names
from asty_town.generator.blocks import Block, buildings, inset
from asty_town.generator.network import Network
from asty_town.generator.osm_writer import Draft, Tags
from asty_town.generator.streets import StreetPlan
from asty_town.generator.terrain import SQUARE
from asty_town.generator.tracing import Point


def fill(
    draft: Draft, network: Network, plans: list[StreetPlan], every: list[Block], junctions: list[int], rng: np.random.Generator
) -> None:
    """Give each block its use, then set shops and stops along the streets."""
    free = [block for block in every if block.area > 900]
    _square(draft, free)
    _parks(draft, free, rng)
    _schools(draft, free)
    _yards(draft, network, free, junctions)
    for block in free:
        far = hypot(block.middle[0] - SQUARE[0], block.middle[1] - SQUARE[1])
        for ring in buildings(block, 0.05 + min(0.45, far / 2200), rng):
            draft.ring(ring, {"building": "yes"})
    _shops_and_stops(draft, network, plans, rng)


def _take(free: list[Block], near: Point, low: float, high: float) -> Block:
    """Take the free block nearest to a point whose area is in range, m2."""
    fitting = [block for block in free if low < block.area < high and inset(block, 7.0)] or free
    block = min(fitting, key=lambda b: hypot(b.middle[0] - near[0], b.middle[1] - near[1]))
    free.remove(block)
    return block


def _ground(block: Block, setback: float) -> list[Point]:
    return inset(block, setback) or block.ring


def _square(draft: Draft, free: list[Block]) -> None:
    square = _take(free, SQUARE, 1500, 12000)
    ring = _ground(square, 6.0)
    draft.ring(ring, {"highway": "pedestrian", "area": "yes", "place": "square", "name": "Πλατεία Ελευθερίας", "surface": "paving_stones"})
    x, y = square.middle
    draft.ring(_shrunk(ring, square.middle, 0.55), {"leisure": "park", "name": "Κήπος Πλατείας"})
    draft.line([ring[0], square.middle, ring[len(ring) // 2]], {"highway": "footway", "wheelchair": "yes"})
    draft.node((x + 6, y + 4), amenity="drinking_water", name="Κρήνη Πλατείας")
    draft.node((x - 14, y + 12), amenity="bicycle_parking", capacity="24", name="Ποδηλατοστάσιο Πλατείας")
    hall = _take(free, (SQUARE[0], SQUARE[1] + 60), 1500, 12000)
    draft.ring(_ground(hall, 9.0), {"building": "public", "amenity": "townhall", "name": "Δημαρχείο"})
    office = (hall.middle[0] + 16, hall.middle[1] - 6)
    draft.node(office, office="government", government="public_service", name="Κέντρο Εξυπηρέτησης Πολιτών (ΚΕΠ)")
    church = _take(free, (SQUARE[0] + 130, SQUARE[1] + 40), 1200, 9000)
    draft.ring(
        _shrunk(_ground(church, 7.0), church.middle, 0.5),
        {"building": "church", "amenity": "place_of_worship", "name": "Ιερός Ναός Αγίου Νικολάου"},
    )
    market = _take(free, (SQUARE[0] - 210, SQUARE[1] - 20), 1500, 9000)
    draft.ring(_ground(market, 7.0), {"amenity": "marketplace", "name": "Λαϊκή Αγορά"})


def _shrunk(ring: list[Point], middle: Point, share: float) -> list[Point]:
    return [(middle[0] + (x - middle[0]) * share, middle[1] + (y - middle[1]) * share) for x, y in ring]


def _parks(draft: Draft, free: list[Block], rng: np.random.Generator) -> None:
    spots = [(-470.0, 755.0), (-200.0, 560.0), (330.0, 300.0), (560.0, 560.0), (200.0, 830.0)]
    for name, near in zip(names.PARKS, spots, strict=True):
        block = _take(free, near, 2000, 30000)
        ring = _ground(block, 6.0)
        kind = "playground" if name.startswith("Παιδική") else "park"
        draft.ring(ring, {"leisure": kind, "name": name})
        for k in range(0, len(ring), max(1, len(ring) // 3)):
            draft.line([ring[k], block.middle], {"highway": "footway", "surface": "fine_gravel", "wheelchair": "limited"})
        draft.node((block.middle[0] + rng.uniform(-9, 9), block.middle[1] + 8), amenity="drinking_water")


def _schools(draft: Draft, free: list[Block]) -> None:
    spots = [(-330.0, 250.0), (300.0, 520.0), (560.0, 330.0), (-120.0, 700.0), (60.0, 620.0)]
    for name, near in zip(names.SCHOOLS, spots, strict=True):
        block = _take(free, near, 2500, 16000)
        ring = _ground(block, 7.0)
        draft.ring(ring, {"amenity": "school", "name": name})
        draft.ring(_shrunk(ring, block.middle, 0.42), {"building": "school"})
        if (yard := _pitch(block)) is not None:
            draft.ring(yard, {"leisure": "pitch", "sport": "basketball"})


def _pitch(block: Block) -> list[Point] | None:
    (x, y), reach = block.middle, block.depth(block.middle)
    low = y - reach * 0.85
    pitch = [(x - 11, low), (x + 11, low), (x + 11, low + 9), (x - 11, low + 9)]
    return pitch if all(block.contains(p) and block.depth(p) > 7.5 for p in pitch) and reach > 30 else None


def _yards(draft: Draft, network: Network, free: list[Block], junctions: list[int]) -> None:
    """The municipal depot in the north-east and the waste transfer station in the north-west, each with a drive to the street."""
    depot: Tags = {"landuse": "depot", "name": "Αμαξοστάσιο Δήμου", "operator": "Δήμος Άστεως"}
    transfer: Tags = {"amenity": "waste_transfer_station", "name": "Σταθμός Μεταφόρτωσης Απορριμμάτων"}
    for near, tags in (((640.0, 640.0), depot), ((-660.0, 500.0), transfer)):
        block = _take(free, near, 4000, 40000)
        draft.ring(_ground(block, 8.0), tags)
        shed = _shrunk(_ground(block, 8.0), block.middle, 0.3)
        draft.ring([(x + 14, y + 10) for x, y in shed], {"building": "industrial"})
        ends = {end for k in block.pieces for end in (network.pieces[k].a, network.pieces[k].b)}
        gate = min(sorted(ends), key=lambda e: hypot(network.junctions[e][0] - block.middle[0], network.junctions[e][1] - block.middle[1]))
        (x, y), (mx, my) = network.junctions[gate], block.middle
        inside = draft.node((x + (mx - x) * 0.6, y + (my - y) * 0.6))
        draft.way([junctions[gate], inside], {"highway": "service", "service": "driveway", "surface": "concrete"})


def _shops_and_stops(draft: Draft, network: Network, plans: list[StreetPlan], rng: np.random.Generator) -> None:
    shops: list[Tags] = [{"amenity": "pharmacy", "name": f"Φαρμακείο {surname}"} for surname in names.SURNAMES]
    shops += [{"amenity": "parking", "name": f"Δημοτικός Χώρος Στάθμευσης {k}", "access": "yes"} for k in (1, 2, 3)]
    shops += [{"amenity": "bicycle_parking", "capacity": "10"} for _ in range(4)]
    shops += [{"amenity": "recycling", "recycling_type": "container", "name": "Γωνιά Ανακύκλωσης"} for _ in range(5)]
    shops += [{"amenity": "post_office", "name": "Ταχυδρομείο"}, {"amenity": "library", "name": "Δημοτική Βιβλιοθήκη"}]
    shops += [{"amenity": "police", "name": "Αστυνομικό Τμήμα"}, {"amenity": "clinic", "name": "Κέντρο Υγείας"}]
    shops += [{"amenity": "toilets", "name": "Δημόσιες Τουαλέτες", "wheelchair": "yes"}]
    pieces = [piece for piece in network.pieces if piece.metres > 45]
    central = sorted(pieces, key=lambda piece: hypot(piece.line[0][0] - SQUARE[0], piece.line[0][1] - SQUARE[1]))
    for k, tags in enumerate(shops):
        draft.node(_beside(central[int((k + rng.random()) * len(central) * 0.8 / len(shops))].line, 7.5), **tags)
    crossed = {end: plan.name for plan in plans if not plan.busy and plan.name for k, _ in plan.run for end in _ends(network, k)}
    for plan in plans:
        if plan.highway not in ("primary", "secondary"):
            continue
        for k, _ in plan.run[1::3]:
            piece = network.pieces[k]
            name = crossed.get(piece.b) or crossed.get(piece.a) or plan.name
            draft.node(_beside(piece.line, 6.0), highway="bus_stop", name=f"Στάση {name}", shelter="yes")


def _ends(network: Network, number: int) -> tuple[int, int]:
    return network.pieces[number].a, network.pieces[number].b


def _beside(line: list[Point], metres: float) -> Point:
    """Return a point to the right of the middle of a line's longest stretch."""
    (ax, ay), (bx, by) = max(pairwise(line), key=lambda side: hypot(side[1][0] - side[0][0], side[1][1] - side[0][1]))
    length = hypot(bx - ax, by - ay)
    return (ax + bx) / 2 + (by - ay) / length * metres, (ay + by) / 2 - (bx - ax) / length * metres
