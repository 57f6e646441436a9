"""Where the day stands: what is done, where each truck is and what it carries. Pure."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

from asty_cloud_api.dispatch.known import Known, KnownOutcome, KnownPosition, Point
from asty_cloud_api.dispatch.problem import Problem
from asty_cloud_api.planning.model import Done, Truck
from asty_cloud_api.planning.plan import Plan, Route

FRESH = timedelta(minutes=30)
"""A position older than this does not say where a truck is; its last stop does then."""
AT_HOME = 150.0
"""Within so many metres of its garage a truck that has done nothing has not left."""
EARTH = 6_371_000.0


def standing(problem: Problem, known: Known, running: Plan | None, now: datetime) -> Problem:
    """The problem as it is now: done stops frozen, trucks that are out where they are with what they carry."""
    names = {stop.id for stop in problem.stops}
    done: dict[str, Done] = {}
    for outcome in known.outcomes:
        at = problem.seconds(outcome.at)
        if outcome.stop in names and at >= problem.asked.get(outcome.stop, at):
            done.setdefault(outcome.stop, Done(outcome.stop, outcome.edge, max(0, at)))
    points = list(problem.points[: problem.fixed])
    trucks = tuple(_truck(problem, known, running, truck, points, now) for truck in problem.trucks)
    return replace(problem, points=tuple(points), trucks=trucks, done=tuple(done.values()))


def metres_between(a: Point, b: Point) -> float:
    """Great-circle metres, good for a town."""
    x = math.radians(b.lon - a.lon) * math.cos(math.radians((a.lat + b.lat) / 2))
    return EARTH * math.hypot(x, math.radians(b.lat - a.lat))


def _truck(problem: Problem, known: Known, running: Plan | None, truck: Truck, points: list[Point], now: datetime) -> Truck:
    own = [outcome for outcome in known.outcomes if outcome.edge == truck.id and problem.seconds(outcome.at) >= truck.shift.start]
    garage = points[truck.garage]
    position = next((p for p in known.positions if p.edge == truck.id and p.place.is_real), None)
    here = _here(problem, own, position, now)
    seconds = problem.seconds(now)
    truck = replace(truck, start=truck.garage, ready=None, kg=0.0, litres=0.0, aboard=None, counted=0, trips=1)
    if seconds < truck.shift.start:
        return truck
    if not own and (here is None or metres_between(here, garage) <= AT_HOME):
        return replace(truck, ready=seconds)
    if here is not None:
        points.append(here)
    route = running.route(truck.id) if running else None
    kg, litres, trips, aboard = _aboard(problem, truck, own, route)
    if truck.id in problem.full and not _emptied_since(problem, own, truck.id):
        kg, litres = truck.kg_max, truck.litres_max
    stream = aboard or (route.stream if route else None)
    return replace(
        truck,
        start=len(points) - 1 if here is not None else truck.garage,
        ready=seconds,
        kg=min(kg, truck.kg_max),
        litres=min(litres, truck.litres_max),
        aboard=stream if kg > 0 or litres > 0 else None,
        counted=_counted(truck, route, seconds),
        trips=trips,
    )


def _here(problem: Problem, own: list[KnownOutcome], position: KnownPosition | None, now: datetime) -> Point | None:
    """Where it stands: by its position while that is fresh, else at its last stop, else where it was seen last."""
    if position is not None and now - position.at <= FRESH:
        return position.place
    places = {stop.id: problem.points[stop.place] for stop in problem.stops}
    places |= {station.id: problem.points[station.place] for station in problem.stations}
    last = next((places[outcome.stop] for outcome in reversed(own) if outcome.stop in places), None)
    return last or (position.place if position else None)


def _aboard(problem: Problem, truck: Truck, own: list[KnownOutcome], route: Route | None) -> tuple[float, float, int, str | None]:
    """Kg, litres, trips and stream since its last unloading: one that was said, or one that its route had before a stop done since."""
    stops = {stop.id: stop for stop in problem.stops}
    stations = {station.id for station in problem.stations}
    before = _unloads_before(route)
    kg = litres = 0.0
    trips, unloads, stream = 1, 0, None
    for outcome in own:
        passed = before.get(outcome.stop, unloads)
        if outcome.stop in stations or passed > unloads:
            trips, kg, litres, stream = trips + 1, 0.0, 0.0, None
            unloads = max(passed, unloads)
        stop = stops.get(outcome.stop)
        if outcome.lifted and stop is not None:
            weighed = outcome.kg if outcome.kg is not None and math.isfinite(outcome.kg) and outcome.kg >= 0 else stop.kg
            share = weighed / stop.kg if stop.kg > 0 else 1.0
            kg, litres, stream = kg + weighed, litres + stop.litres * min(share, 2.0), stop.stream
    return kg, min(litres, truck.litres_max), trips, stream


def _unloads_before(route: Route | None) -> dict[str, int]:
    """How often the truck unloads before each stop of its route."""
    found: dict[str, int] = {}
    unloads = 0
    for visit in route.visits if route else ():
        if visit.kind == "unload":
            unloads += 1
        elif visit.kind == "stop":
            found[visit.id] = unloads
    return found


def _emptied_since(problem: Problem, own: list[KnownOutcome], edge: str) -> bool:
    stations = {station.id for station in problem.stations}
    return any(outcome.stop in stations and problem.seconds(outcome.at) > problem.full[edge] for outcome in own)


def _counted(truck: Truck, route: Route | None, now: int) -> int:
    """Seconds of duty since its last break, which counts as taken when the plan had it by now; never more than the rule allows."""
    if truck.break_rule is None:
        return 0
    rests = [visit.leave for visit in route.visits if visit.kind == "break" and visit.leave <= now] if route else []
    return max(0, min(now - max([truck.shift.start, *rests]), truck.break_rule.limit))
