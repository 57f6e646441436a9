"""From an order of steps to a timed route, or to the first rule it breaks; and what routes cost."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from asty_cloud_api.planning.model import Day, Roads, Station, Stop, Truck, Window
from asty_cloud_api.planning.plan import Cost, Route, Visit

Rule = Literal["way", "window", "load", "shift", "station", "trips"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `id` names the stop or the station."""

    kind: Literal["stop", "unload", "break"]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """The rule that the step at `index` breaks (`len(steps)` is the way home); `excess` seconds too late for the shift."""

    index: int
    rule: Rule
    excess: int = 0


def travel(roads: Roads, a: int, b: int) -> int | None:
    """Whole seconds from place to place, None where there is no way."""
    seconds = roads.seconds[a, b]
    return None if math.isnan(seconds) else math.ceil(seconds)


def begin(windows: Sequence[Window], arrive: int) -> int | None:
    """When service can begin at the earliest, None when every window is over."""
    if not windows:
        return arrive
    starts = [max(w.start, arrive) for w in windows if max(w.start, arrive) <= w.end]
    return min(starts) if starts else None


class Timetable:
    """Times routes of one day. Between two calls it keeps nothing."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.stops: dict[str, Stop] = {stop.id: stop for stop in day.stops}
        self.stations: dict[str, Station] = {station.id: station for station in day.stations}

    def run(self, truck: Truck, stream: str, steps: Sequence[Step]) -> Route | Fault:
        """Time the steps as early as possible, from the truck's start to its garage."""
        visits = self.walk(truck, stream, steps)
        if isinstance(visits, Fault):
            return visits
        last, end = visits[-1], len(steps)
        roads = self.day.roads[truck.profile]
        home = travel(roads, last.place, truck.garage)
        if home is None:
            return Fault(end, "way")
        if self.day.stations and (last.kg > 0 or last.litres > 0):
            return Fault(end, "load")
        arrive = last.leave + home
        if arrive > truck.latest:
            return Fault(end, "shift", arrive - truck.latest)
        if truck.max_trips is not None and trips(truck, visits) > truck.max_trips:
            return Fault(end, "trips")
        metres = float(roads.metres[last.place, truck.garage])
        return Route(truck.id, stream, (*visits, Visit("end", truck.garage, arrive, arrive, arrive, last.kg, last.litres, metres, home)))

    def walk(self, truck: Truck, stream: str, steps: Sequence[Step]) -> tuple[Visit, ...] | Fault:
        """Time the steps without the way home."""
        releases = self._releases(steps)
        leave = max(truck.leaves, releases[0])
        visits = [Visit("start", truck.start, truck.leaves, truck.leaves, leave, math.ceil(truck.kg), math.ceil(truck.litres))]
        for index, step in enumerate(steps):
            visit = _rest(truck, visits[-1]) if step.kind == "break" else self._visit(truck, stream, visits[-1], step)
            if not isinstance(visit, Visit):
                return Fault(index, visit)
            visits.append(visit if releases[index + 1] <= visit.leave else replace(visit, leave=releases[index + 1]))
        return tuple(visits)

    def _visit(self, truck: Truck, stream: str, last: Visit, step: Step) -> Visit | Rule:
        """The visit after `last`, or the rule it breaks."""
        target = self.stops[step.id] if step.kind == "stop" else self.stations[step.id]
        roads = self.day.roads[truck.profile]
        seconds = travel(roads, last.place, target.place)
        if seconds is None:
            return "way"
        arrive = last.leave + seconds
        if isinstance(target, Stop):
            start = begin(target.windows, arrive)
            kg, litres = last.kg + math.ceil(target.kg), last.litres + math.ceil(target.litres)
        else:
            start = begin((target.open,) if target.open else (), arrive)
            kg, litres = 0.0, 0.0
            if not target.takes(stream):
                return "station"
        if kg > truck.kg_max or litres > truck.litres_max:
            return "load"
        if start is None:
            return "window"
        metres = float(roads.metres[last.place, target.place])
        return Visit(step.kind, target.place, arrive, start, start + target.service, kg, litres, metres, seconds, step.id)

    def _releases(self, steps: Sequence[Step]) -> list[int]:
        """For the start and after each step: when the trip may leave that begins there (0 inside a trip)."""
        releases = [0] * (len(steps) + 1)
        head = 0
        for index, step in enumerate(steps):
            if step.kind == "stop":
                releases[head] = max(releases[head], self.stops[step.id].release)
            elif step.kind == "unload":
                head = index + 1
        return releases


def trips(truck: Truck, visits: Iterable[Visit]) -> int:
    """How many trips the truck has made: an unloading with stops behind it begins another."""
    count, empty = truck.trips, False
    for visit in visits:
        if visit.kind == "unload":
            empty = True
        elif visit.kind == "stop" and empty:
            count, empty = count + 1, False
    return count


def steps_of(route: Route) -> tuple[Step, ...]:
    """The steps that `Timetable.run` would time to this route."""
    return tuple(Step(v.kind, v.id) for v in route.visits if v.kind in ("stop", "unload", "break"))


def price(day: Day, routes: Iterable[Route]) -> Cost:
    """What the routes cost."""
    trucks = {truck.id: truck for truck in day.trucks}
    stops = {stop.id: stop for stop in day.stops}
    fixed = distance = time = overtime = prizes = 0.0
    for route in routes:
        truck = trucks[route.truck]
        if truck.ready is None:
            fixed += truck.prices.fixed
        distance += truck.prices.per_km * route.metres / 1000
        time += truck.prices.per_hour * (route.ends - truck.leaves) / 3600
        overtime += truck.prices.overtime_per_hour * max(0, route.ends - truck.shift.end) / 3600
        prizes += sum(stops[name].prize for name in route.stops if not stops[name].must)
    return Cost(fixed, distance, time, overtime, prizes)


def _rest(truck: Truck, last: Visit) -> Visit:
    length = truck.break_rule.length if truck.break_rule else 0
    return Visit("break", last.place, last.leave, last.leave, last.leave + length, last.kg, last.litres)
