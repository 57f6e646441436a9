"""Which pieces make one street, and its class, name, direction and tags."""

from dataclasses import dataclass, field
from math import hypot

import numpy as np

from asty_town.generator.names import AVENUE, MAIN, SEAFRONT, STREETS
from asty_town.generator.network import Network, Piece
from asty_town.generator.osm_writer import Tags
from asty_town.generator.terrain import SQUARE, on_hill
from asty_town.generator.tracing import Course
from asty_town.graph import largest_component

_SEAFRONT, _AVENUE, _VENIZELOU, _ERMOU = 0, 1, 2, 3
"""The main courses, in the order in which tracing gives them."""


@dataclass
class StreetPlan:
    """One way to be written: its pieces in order, each with whether it is walked from a to b."""

    course: int
    highway: str
    first: int
    run: list[tuple[int, bool]] = field(default_factory=list)
    name: str = ""
    tags: Tags = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether it has marked crossings."""
        return self.highway in ("primary", "secondary", "tertiary")


def name_streets(network: Network, found: list[Course], rng: np.random.Generator) -> list[StreetPlan]:
    """Return the streets, named and tagged; a street that climbs may change its name at the avenue."""
    pool = [STREETS[k] for k in rng.permutation(len(STREETS))]
    on_avenue = {end for piece in network.pieces if piece.course == _AVENUE for end in (piece.a, piece.b)}
    plans: list[StreetPlan] = []
    for number, course in enumerate(found):
        renamed = course.across and course.rank == 2 and rng.random() < 0.6
        for plan in _runs(network, number, course, on_avenue if renamed else set()):
            plan.name = "" if course.rank == 3 else _main_name(plan) or pool.pop()
            plans.append(plan)
    for plan in plans:
        plan.tags = _tags(plan, network, rng)
    return plans


def _runs(network: Network, number: int, course: Course, breaks: set[int]) -> list[StreetPlan]:
    plans: list[StreetPlan] = []
    end = -1
    for k, piece in enumerate(network.pieces):
        if piece.course != number:
            continue
        highway = _highway(piece, course)
        if not plans or end != piece.a or highway != plans[-1].highway or piece.a in breaks:
            plans.append(StreetPlan(number, highway, piece.a))
        plans[-1].run.append((k, True))
        end = piece.b
    return plans


def _highway(piece: Piece, course: Course) -> str:
    middle = piece.line[len(piece.line) // 2]
    if piece.course == _AVENUE:
        return "primary"
    if piece.course in (_SEAFRONT, _VENIZELOU):
        return "secondary"
    if piece.course == _ERMOU and abs((piece.line[0][0] + piece.line[-1][0]) / 2 - SQUARE[0]) < 210:
        return "pedestrian"
    if course.rank == 1:
        return "tertiary"
    if course.rank == 3:
        return "service"
    if on_hill(*middle):
        return "living_street"
    return "residential"


def _main_name(plan: StreetPlan) -> str | None:
    if plan.course == _SEAFRONT:
        return SEAFRONT
    if plan.course == _AVENUE:
        return AVENUE
    main = plan.course - _VENIZELOU
    return MAIN[main] if main < len(MAIN) else None


_SPEED = {"primary": "50", "secondary": "50", "tertiary": "40", "residential": "30", "living_street": "20"}


def _tags(plan: StreetPlan, network: Network, rng: np.random.Generator) -> Tags:
    tags = {"highway": plan.highway, "name": plan.name, "maxspeed": _SPEED.get(plan.highway, ""), "lit": "yes"}
    x, y = network.junctions[plan.first]
    central = hypot(x - SQUARE[0], y - SQUARE[1]) < 350
    if plan.highway == "pedestrian":
        tags |= {"surface": "paving_stones", "foot": "designated", "bicycle": "yes", "wheelchair": "yes", "kerb": "flush"}
    elif plan.highway == "living_street":
        tags |= {"surface": "sett", "foot": "yes", "wheelchair": "limited", "kerb": "no"}
    elif plan.highway == "service":
        tags |= {"service": "alley", "surface": "concrete"}
    elif plan.busy:
        tags |= {"surface": "asphalt", "sidewalk": "both", "wheelchair": "yes" if central else "limited", "kerb": "lowered"}
    else:
        tags |= {"surface": "asphalt", "sidewalk": str(rng.choice(("both", "both", "right", "left", "no")))}
        tags |= {"wheelchair": "limited", "kerb": str(rng.choice(("raised", "raised", "lowered")))}
    return tags


def open_one_ways(network: Network, plans: list[StreetPlan], rng: np.random.Generator) -> None:
    """Make about half of the small streets one-way, as long as every junction can still reach every other."""
    degree = network.degrees()
    whole = len(_reachable(network, plans))
    for k in rng.permutation(len(plans)):
        plan = plans[k]
        ends = [network.pieces[number] for number, _ in plan.run]
        dead_end = any(degree[end] == 1 for piece in ends for end in (piece.a, piece.b))
        if plan.highway not in ("residential", "living_street", "tertiary") or dead_end or rng.random() < 0.35:
            continue
        for value in ("yes", "-1") if rng.random() < 0.5 else ("-1", "yes"):
            plan.tags["oneway"] = value
            if len(_reachable(network, plans)) == whole:
                break
            del plan.tags["oneway"]
    for plan in plans:
        if plan.tags.get("oneway") == "-1":  # a one-way is drawn in its direction
            plan.tags["oneway"] = "yes"
            last = network.pieces[plan.run[-1][0]].b
            plan.run = [(number, not forward) for number, forward in reversed(plan.run)]
            plan.first = last


def _reachable(network: Network, plans: list[StreetPlan]) -> list[int]:
    arcs: list[tuple[int, int, int]] = []
    for k, plan in enumerate(plans):
        if plan.highway == "pedestrian":
            continue
        oneway = plan.tags.get("oneway")
        for number, _ in plan.run:
            piece = network.pieces[number]
            if oneway != "-1":
                arcs.append((piece.a, piece.b, k))
            if oneway != "yes":
                arcs.append((piece.b, piece.a, k))
    return largest_component(len(network.junctions), arcs)
