"""The town's plan: from network and blocks to OSM elements."""

from itertools import pairwise
from math import hypot

import numpy as np

from asty_town.generator.alleys import add_alleys
from asty_town.generator.blocks import Block, blocks, without_slivers
from asty_town.generator.grounds import fill
from asty_town.generator.network import Network, Piece, connect
from asty_town.generator.osm_writer import Draft
from asty_town.generator.shore import draw_shore
from asty_town.generator.streets import StreetPlan, name_streets, open_one_ways
from asty_town.generator.terrain import on_hill
from asty_town.generator.tracing import Course, Point, courses


def lay_out(seed: int) -> Draft:
    """Draw the town."""
    rng = np.random.default_rng(seed)
    found = courses(rng)
    network = connect(found)
    without_slivers(network, [course.rank for course in found])
    footpaths = _merge_blocks(network, found, rng)
    add_alleys(network, found, rng)
    plans = name_streets(network, found, rng)
    open_one_ways(network, plans, rng)
    draft = Draft()
    draft.node((-20.0, 330.0), place="town", name="Άστυ", name__el="Άστυ", name__en="Asty", population="14200")
    junctions = [draft.node(point) for point in network.junctions]
    _draw_streets(draft, network, plans, junctions, rng)
    for piece in footpaths:
        middle = piece.line[len(piece.line) // 2]
        kind = {"highway": "steps", "wheelchair": "no"} if on_hill(*middle) else {"highway": "footway", "surface": "paving_stones"}
        draft.way([junctions[piece.a], *(draft.node(p) for p in piece.line[1:-1]), junctions[piece.b]], kind)
    draw_shore(draft)
    fill(draft, network, plans, _usable(network), junctions, rng)
    return draft


def _usable(network: Network) -> list[Block]:
    return sorted(blocks(network), key=lambda block: block.middle)


def _merge_blocks(network: Network, found: list[Course], rng: np.random.Generator) -> list[Piece]:
    """Close some small streets between two blocks; return those that stay as a way on foot."""
    degree = network.degrees()
    footpaths: list[Piece] = []
    kept: list[Piece] = []
    for piece in network.pieces:
        minor = found[piece.course].rank == 2 and 45 < piece.metres < 150
        if minor and degree[piece.a] > 3 and degree[piece.b] > 3 and rng.random() < 0.22:
            degree[piece.a] -= 1
            degree[piece.b] -= 1
            if rng.random() < 0.55:
                footpaths.append(piece)
        else:
            kept.append(piece)
    network.pieces = kept
    return footpaths


def _draw_streets(draft: Draft, network: Network, plans: list[StreetPlan], junctions: list[int], rng: np.random.Generator) -> None:
    degree = network.degrees()
    for plan in plans:
        refs = [junctions[plan.first]]
        for number, forward in plan.run:
            piece = network.pieces[number]
            line = piece.line if forward else piece.line[::-1]
            end = piece.b if forward else piece.a
            shape = [draft.node(point) for point in line[1:-1]]
            if plan.busy and degree[end] > 2 and piece.metres > 40:
                shape.append(_crossing(draft, line, rng))
            refs += [*shape, junctions[end]]
        draft.way(refs, plan.tags)


def _crossing(draft: Draft, line: list[Point], rng: np.random.Generator) -> int:
    """Add a crossing 9 m before the end of a line, after its last shape point."""
    (px, py), (x, y) = list(pairwise(line))[-1]
    share = min(9.0, 0.4 * hypot(x - px, y - py)) / hypot(x - px, y - py)
    kerb = str(rng.choice(("lowered", "lowered", "flush", "raised")))
    at = (x + (px - x) * share, y + (py - y) * share)
    return draft.node(at, highway="crossing", crossing="marked", kerb=kerb, tactile_paving="yes" if kerb != "raised" else "no")
