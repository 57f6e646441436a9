"""From an order of steps to a timed route, or to the first rule it breaks; and what routes cost."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from asty_cloud_api.planning.model import Day, Roads, Station, Stop, Truck, Window
from asty_cloud_api.planning.plan import Cost, Route, Visit


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `id` names the stop or the station."""

    kind: Literal["stop", "unload", "break"]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """The rule that the step at `index` breaks (`len(steps)` is the way home)."""

    index: int
    rule: Literal["way", "window", "load", "shift", "station", "trips"]


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
        roads = self.day.roads[truck.profile]
        releases = self._releases(steps)
        leave = max(truck.leaves, releases[0])
        at, kg, litres, trips = truck.start, truck.kg, truck.litres, truck.trips
        visits = [Visit("start", at, truck.leaves, truck.leaves, leave, kg, litres)]
        for index, step in enumerate(steps):
            if step.kind == "break":
                rule = truck.break_rule
                length = rule.length if rule else 0
                visits.append(Visit("break", at, leave, leave, leave + length, kg, litres))
                leave += length
                continue
            target = self.stops[step.id] if step.kind == "stop" else self.stations[step.id]
            seconds = travel(roads, at, target.place)
            if seconds is None:
                return Fault(index, "way")
            arrive = leave + seconds
            if isinstance(target, Stop):
                start = begin(target.windows, arrive)
                kg, litres = kg + target.kg, litres + target.litres
                if _over(kg, truck.kg_max) or _over(litres, truck.litres_max):
                    return Fault(index, "load")
            else:
                start = begin((target.open,) if target.open else (), arrive)
                kg, litres, trips = 0.0, 0.0, trips + 1
                if not target.takes(stream):
                    return Fault(index, "station")
            if start is None:
                return Fault(index, "window")
            leave = max(start + target.service, releases[index + 1])
            visits.append(
                Visit(step.kind, target.place, arrive, start, leave, kg, litres, float(roads.metres[at, target.place]), seconds, step.id)
            )
            at = target.place
        home = travel(roads, at, truck.garage)
        if home is None:
            return Fault(len(steps), "way")
        if self.day.stations and (kg > 0 or litres > 0):
            return Fault(len(steps), "load")
        if leave + home > truck.latest:
            return Fault(len(steps), "shift")
        if truck.max_trips is not None and trips - self._last_is_unload(steps) > truck.max_trips:
            return Fault(len(steps), "trips")
        metres = float(roads.metres[at, truck.garage])
        visits.append(Visit("end", truck.garage, leave + home, leave + home, leave + home, kg, litres, metres, home))
        return Route(truck.id, stream, tuple(visits))

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

    @staticmethod
    def _last_is_unload(steps: Sequence[Step]) -> int:
        kinds = [step.kind for step in steps if step.kind != "break"]
        return int(bool(kinds) and kinds[-1] == "unload")


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


def _over(load: float, most: float) -> bool:
    return load > most + 1e-6
