"""Orders made into timed routes: close each with an unloading, place its breaks, take out what does not fit and put it where it does."""

from collections.abc import Sequence

from asty_cloud_api.planning import break_rule
from asty_cloud_api.planning.engines.order import Order
from asty_cloud_api.planning.model import Stop, Truck
from asty_cloud_api.planning.plan import Route
from asty_cloud_api.planning.schedule import Fault, Step, Timetable, price, steps_of, travel

REINSERTED = 40
"""Must-stops that a repair tries to put elsewhere, at most."""


def timed(table: Timetable, given: dict[str, str], order: Order) -> tuple[Route, ...]:
    """Time every truck's steps. A truck that is out comes home even without stops."""
    routes: dict[str, Route] = {}
    taken_out: list[str] = []
    for truck in table.day.trucks:
        steps = _tidy(order.get(truck.id, ()))
        if not steps and not truck.is_out:
            continue
        route, out = _fitted(table, truck, given[truck.id], steps)
        taken_out += out
        if route is not None and (route.stops or truck.is_out):
            routes[truck.id] = route
    musts = [name for name in taken_out if table.stops[name].must]
    for name in musts[:REINSERTED]:
        insert(table, given, routes, table.stops[name])
    return tuple(routes.values())


def closed(table: Timetable, truck: Truck, stream: str, steps: Sequence[Step]) -> tuple[Step, ...]:
    """End with an unloading at the station that brings the truck home earliest, where there is something to unload."""
    steps = tuple(steps)
    kinds = [step.kind for step in steps if step.kind != "break"]
    loaded = truck.kg > 0 or truck.litres > 0 or "stop" in kinds
    if not table.day.stations or not loaded or (kinds and kinds[-1] == "unload"):
        return steps
    tries = [(*steps, Step("unload", s.id)) for s in table.day.stations if s.takes(stream)]
    ends = [(run.ends if isinstance(run := table.run(truck, stream, tried), Route) else 1 << 40, tried) for tried in tries]
    return min(ends, key=lambda end: end[0])[1] if ends else steps


def insert(table: Timetable, given: dict[str, str], routes: dict[str, Route], stop: Stop) -> bool:
    """Put a stop where it costs least, breaks and windows kept; routes change in place. Tells whether there was such a place."""
    best: tuple[float, Route] | None = None
    for truck in table.day.trucks:
        if not truck.may_serve(stop, given[truck.id]):
            continue
        route = routes.get(truck.id)
        before = price(table.day, (route,)).total if route else 0.0
        for position in _positions(table, truck, route, stop):
            steps = opened(route)
            tried = (*steps[:position], Step("stop", stop.id), *steps[position:])
            made = break_rule.place(table, truck, stop.stream, closed(table, truck, stop.stream, tried))
            if isinstance(made, Route):
                cost = price(table.day, (made,)).total - before
                if best is None or cost < best[0]:
                    best = (cost, made)
    if best is not None:
        routes[best[1].truck] = best[1]
    return best is not None


def opened(route: Route | None) -> list[Step]:
    """A route's steps without breaks and without its last unloading."""
    steps = [step for step in steps_of(route) if step.kind != "break"] if route else []
    if steps and steps[-1].kind == "unload":
        steps.pop()
    return steps


def _positions(table: Timetable, truck: Truck, route: Route | None, stop: Stop) -> list[int]:
    """The five places in a route with the smallest detour that the time left in it allows."""
    steps = opened(route)
    unloads = route is not None and route.visits[-2].kind == "unload"
    end = route.visits[-2].place if route is not None and unloads else truck.garage
    places = [truck.start, *(table.stops[s.id].place if s.kind == "stop" else table.stations[s.id].place for s in steps), end]
    left = truck.latest - (route.ends - sum(v.begin - v.arrive for v in route.visits) if route is not None else truck.leaves)
    roads = table.day.roads[truck.profile]
    detours: list[tuple[int, int]] = []
    for position in range(len(steps) + 1):
        a, b = places[position], places[position + 1]
        there, back = travel(roads, a, stop.place), travel(roads, stop.place, b)
        if there is not None and back is not None:
            detour = there + back - (travel(roads, a, b) or 0)
            if detour + stop.service <= left:
                detours.append((detour, position))
    return [position for _, position in sorted(detours)[:5]]


def _fitted(table: Timetable, truck: Truck, stream: str, steps: tuple[Step, ...]) -> tuple[Route | None, list[str]]:
    """Take stops out until everything fits: the one whose window or load is broken, else the one that gives most time for its worth."""
    out: list[str] = []
    while True:
        whole = closed(table, truck, stream, steps)
        made = break_rule.place(table, truck, stream, whole)
        if isinstance(made, Route):
            return made, out
        stops = [i for i, step in enumerate(steps) if step.kind == "stop"]
        if not stops:
            return (None if steps == () else _fitted(table, truck, stream, ())[0]), out
        gone = _victims(table, truck, steps, stops, made)
        out += [steps[i].id for i in sorted(gone)]
        steps = _tidy(tuple(step for i, step in enumerate(steps) if i not in gone))


def _victims(table: Timetable, truck: Truck, steps: tuple[Step, ...], stops: list[int], fault: Fault) -> set[int]:
    """What to take out at once: the faulty stop, or as many of those worth least for their time as the shift is exceeded by."""
    kinds = [step.kind for step in steps]
    if fault.rule in ("window", "way", "load") and fault.index < len(steps) and kinds[fault.index] == "stop":
        return {fault.index}
    roads = table.day.roads[truck.profile]

    def spent(index: int) -> int:
        stop = table.stops[steps[index].id]
        before = table.stops[steps[index - 1].id].place if index and kinds[index - 1] == "stop" else truck.start
        return stop.service + (travel(roads, before, stop.place) or 0) + 1

    def value(index: int) -> tuple[bool, float]:
        stop = table.stops[steps[index].id]
        return stop.must, (stop.prize if not stop.must else 1.0) / spent(index)

    gone: set[int] = set()
    freed = 0
    for index in sorted(stops, key=value):
        gone.add(index)
        freed += spent(index)
        if freed >= fault.excess:
            break
    return gone


def _tidy(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Without unloadings of an empty body."""
    kept: list[Step] = []
    for step in steps:
        if step.kind == "unload" and kept and kept[-1].kind == "unload":
            continue
        kept.append(step)
    return tuple(kept)
