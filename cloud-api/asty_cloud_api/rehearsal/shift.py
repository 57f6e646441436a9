"""A shift as it really goes: the planned order with the real contents; a truck that is full unloads before it goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asty_cloud_api.planning.model import Truck
from asty_cloud_api.planning.plan import Plan
from asty_cloud_api.planning.schedule import Step, steps_of
from asty_cloud_api.rehearsal.ground import GARAGE, SERVICE, STATION, Ground

FUEL_PER_KM, FUEL_STANDING_HOUR, FUEL_PER_LIFT = 0.38, 2.6, 0.045
"""Litres of diesel: driving between stops, standing with the engine on, the pump of a lift."""
STANDS = 1e-9


@dataclass(frozen=True, slots=True)
class Worked:
    """What a truck's shift came to."""

    metres: float
    seconds: int
    late: int
    fuel: float
    lifts: int
    unloads: int


def orders(plan: Plan) -> dict[str, tuple[Step, ...]]:
    """What each truck is told: stops and unloadings in order."""
    return {route.truck: steps_of(route) for route in plan.routes if route.stops}


def drive(ground: Ground, truck: Truck, steps: Sequence[Step], real: Mapping[str, tuple[int, float, float]]) -> Worked:
    """Drive the steps; `real` gives each stop's place, kg and litres as they are."""
    metres, clock, kg, litres, at = 0.0, truck.shift.start, 0.0, 0.0, truck.start
    standing = lifts = unloads = 0

    def go(place: int, stands: int) -> None:
        nonlocal metres, clock, at, standing
        metres += float(ground.roads.metres[at, place])
        clock += int(ground.roads.seconds[at, place]) + stands
        standing += stands
        at = place

    for step in steps:
        place, more_kg, more_litres = real[step.id] if step.kind == "stop" else (STATION, 0.0, 0.0)
        full = kg + more_kg > truck.kg_max or litres + more_litres > truck.litres_max
        if (step.kind == "unload" or full) and kg > STANDS:
            go(STATION, ground.station.service)
            kg, litres, unloads = 0.0, 0.0, unloads + 1
        if step.kind == "stop":
            go(place, SERVICE)
            kg, litres, lifts = kg + more_kg, litres + more_litres, lifts + 1
    if kg > STANDS:
        go(STATION, ground.station.service)
        unloads += 1
    go(GARAGE, 0)
    fuel = FUEL_PER_KM * metres / 1000 + FUEL_STANDING_HOUR * standing / 3600 + FUEL_PER_LIFT * lifts
    return Worked(metres, clock - truck.shift.start, max(0, clock - truck.shift.end), fuel, lifts, unloads)
