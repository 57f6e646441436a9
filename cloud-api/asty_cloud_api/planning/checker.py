"""Every rule of a day, verified on a finished plan from its own times and loads. Shares nothing with the engines, the scheduler or
the break placing: it reads the day's data and the plan's lines, and believes neither."""

import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from asty_cloud_api.planning.model import Day, Roads, Truck
from asty_cloud_api.planning.plan import Plan, Route, Visit

SLACK = 1e-3
"""Of kg, litres, metres and euro in comparisons; times are exact."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a plan breaks; `truck` is empty when it is about the whole plan."""

    rule: str
    truck: str
    what: str


def check(day: Day, plan: Plan) -> tuple[Violation, ...]:
    """Return every violation of the original day's rules, none when the plan may be driven. Never raises on a plan, whatever it holds."""
    found = list(_account(day, plan))
    trucks = {truck.id: truck for truck in reversed(day.trucks)}
    fixed = distance = time = overtime = 0.0
    for route in plan.routes:
        truck = trucks.get(route.truck)
        if truck is None or truck.profile not in day.roads:
            found.append(Violation("truck", route.truck, "there is no such truck, or no roads for it"))
            continue
        check_route = _RouteCheck(day, truck, route)
        found += check_route.run()
        metres = sum(v.metres for v in route.visits)
        last = route.visits[-1].arrive if route.visits else truck.shift.start
        begin = truck.shift.start if truck.ready is None else max(truck.ready, truck.shift.start)
        fixed += truck.prices.fixed if truck.ready is None else 0.0
        distance += metres * truck.prices.per_km / 1000
        time += (last - begin) * truck.prices.per_hour / 3600
        overtime += max(0, last - truck.shift.end) * truck.prices.overtime_per_hour / 3600
    for name, said, true in (
        ("fixed", plan.cost.fixed, fixed),
        ("distance", plan.cost.distance, distance),
        ("time", plan.cost.time, time),
        ("overtime", plan.cost.overtime, overtime),
    ):
        if not math.isclose(said, true, rel_tol=1e-6, abs_tol=SLACK):
            found.append(Violation("cost", "", f"{name}: the plan says {said:.2f} EUR, its lines make {true:.2f}"))
    return tuple(found)


def _account(day: Day, plan: Plan) -> list[Violation]:
    """Each stop exactly once: done, on a route, or left out with a reason; each truck at most once."""
    trucks = Counter(route.truck for route in plan.routes)
    found = [Violation("truck", truck, "it has two routes") for truck, times in trucks.items() if times > 1]
    planned = Counter(v.id for route in plan.routes for v in route.visits if v.kind == "stop")
    done = {d.stop for d in day.done}
    left = {item.id for item in plan.left_out if item.what == "stop"}
    known = {stop.id for stop in day.stops}
    for name, times in planned.items():
        if times > 1:
            found.append(Violation("once", "", f"stop {name} is visited {times} times"))
        if name not in known:
            found.append(Violation("once", "", f"stop {name} is not in the day"))
        if name in done:
            found.append(Violation("frozen", "", f"stop {name} was already done"))
        if name in left and sum(s.id == name for s in day.stops) == 1:
            found.append(Violation("account", "", f"stop {name} is both planned and left out"))
    silent = known - set(planned) - done - left
    found += [Violation("account", "", f"stop {name} is neither planned nor left out") for name in sorted(silent)]
    if list(plan.done) != [d.stop for d in sorted(day.done, key=lambda d: d.at)]:
        found.append(Violation("frozen", "", "the done stops are not those of the day"))
    stops = {stop.id: stop for stop in reversed(day.stops)}
    worth = sum(
        stops[n].prize for n in planned if n in stops and not stops[n].must and math.isfinite(stops[n].prize) and stops[n].prize > 0
    )
    if not math.isclose(worth, plan.cost.prizes, rel_tol=1e-6, abs_tol=SLACK):
        found.append(Violation("cost", "", f"prizes: the plan says {plan.cost.prizes:.2f} EUR, its stops make {worth:.2f}"))
    return found


class _RouteCheck:
    """One route against the rules of its truck."""

    def __init__(self, day: Day, truck: Truck, route: Route) -> None:
        self._day = day
        self._truck = truck
        self._route = route
        self._roads: Roads = day.roads[truck.profile]
        self._stops = {stop.id: stop for stop in reversed(day.stops)}
        self._stations = {station.id: station for station in reversed(day.stations)}
        self._found: list[Violation] = []

    def run(self) -> list[Violation]:
        visits = self._route.visits
        kinds = [v.kind for v in visits]
        if len(visits) < 2 or kinds[0] != "start" or kinds[-1] != "end" or "start" in kinds[1:] or "end" in kinds[:-1]:
            self._say("shape", "a route begins with one start and ends with one end")
            return self._found
        self._ends()
        self._stream()
        kg = self._aboard(self._truck.kg, self._truck.kg_max)
        litres = self._aboard(self._truck.litres, self._truck.litres_max)
        for before, visit in pairwise(visits):
            self._leg(before, visit)
            kg, litres = self._load(visit, kg, litres)
        self._releases()
        self._trips()
        self._breaks()
        return self._found

    def _say(self, rule: str, what: str) -> None:
        self._found.append(Violation(rule, self._truck.id, what))

    @staticmethod
    def _aboard(load: float, most: float) -> float:
        """Whole units; more than the body holds, or nothing that is a load, is a full body."""
        full = float(math.floor(most))
        return min(float(math.ceil(load)), full) if math.isfinite(load) and load >= 0 else full

    def _ends(self) -> None:
        first, last, truck = self._route.visits[0], self._route.visits[-1], self._truck
        begin = truck.shift.start if truck.ready is None else max(truck.ready, truck.shift.start)
        if first.place != truck.start:
            self._say("start", f"it starts at place {first.place}, but stands at {truck.start}")
        if last.place != truck.garage:
            self._say("garage", f"it ends at place {last.place}, its garage is {truck.garage}")
        if first.begin < begin or first.leave < first.begin:
            self._say("shift", f"it leaves at {first.leave} s, before it can at {begin} s")
        if last.arrive > truck.shift.end + truck.overtime:
            self._say("shift", f"it is home at {last.arrive} s, its shift with overtime ends at {truck.shift.end + truck.overtime} s")

    def _stream(self) -> None:
        stream, truck = self._route.stream, self._truck
        if self._route.stops and stream not in truck.streams:
            self._say("stream", f"it may not carry {stream}")
        if truck.aboard is not None and truck.aboard != stream:
            self._say("stream", f"it has {truck.aboard} aboard and would carry {stream}")

    def _leg(self, before: Visit, visit: Visit) -> None:
        if visit.kind == "break":
            seconds, metres = 0.0, 0.0
            if visit.place != before.place:
                self._say("break", "a break is taken where the truck stands")
        else:
            seconds = float(self._roads.seconds[before.place, visit.place]) if before.place != visit.place else 0.0
            metres = float(self._roads.metres[before.place, visit.place]) if before.place != visit.place else 0.0
        if not math.isfinite(seconds) or not math.isfinite(metres) or seconds < 0 or metres < 0:
            self._say("way", f"there is no way from place {before.place} to {visit.place}")
            return
        if visit.arrive < before.leave + seconds:
            self._say(
                "time", f"{visit.kind} {visit.id}: it arrives at {visit.arrive} s, the way takes until {before.leave + seconds:.0f} s"
            )
        if visit.seconds < seconds or visit.seconds > visit.arrive - before.leave:
            self._say("time", f"{visit.kind} {visit.id}: the way takes {seconds:.0f} s, the plan says {visit.seconds} s")
        if abs(visit.metres - metres) > SLACK:
            self._say("metres", f"{visit.kind} {visit.id}: the way is {metres:.0f} m, the plan says {visit.metres:.0f} m")
        if not visit.arrive <= visit.begin <= visit.leave:
            self._say(
                "time", f"{visit.kind} {visit.id}: arrive {visit.arrive}, begin {visit.begin}, leave {visit.leave} s are not in order"
            )

    def _load(self, visit: Visit, kg: float, litres: float) -> tuple[float, float]:
        truck = self._truck
        if visit.kind == "stop":
            stop = self._stops.get(visit.id)
            if stop is None:
                return kg, litres
            kg, litres = kg + self._whole(stop.kg), litres + self._whole(stop.litres)
            if stop.place != visit.place:
                self._say("place", f"stop {stop.id} is at place {stop.place}, not {visit.place}")
            if stop.stream != self._route.stream:
                self._say("stream", f"stop {stop.id} is {stop.stream}, the truck carries {self._route.stream}")
            if not stop.skills <= truck.skills:
                self._say("skill", f"stop {stop.id} needs {sorted(stop.skills - truck.skills)}")
            if stop.windows and not any(w.start <= visit.begin <= w.end for w in stop.windows):
                self._say("window", f"stop {stop.id}: service begins at {visit.begin} s, outside its windows")
            if not visit.leave - visit.begin >= stop.service:
                self._say("service", f"stop {stop.id}: {visit.leave - visit.begin} s of service, it needs {stop.service}")
        elif visit.kind == "unload":
            self._unload(visit)
            kg, litres = 0.0, 0.0
        if kg > truck.kg_max + SLACK or litres > truck.litres_max + SLACK:
            self._say(
                "load",
                f"{visit.kind} {visit.id}: {kg:.0f} kg, {litres:.0f} l aboard, it holds {truck.kg_max:.0f} kg, {truck.litres_max:.0f} l",
            )
        if abs(visit.kg - kg) > SLACK or abs(visit.litres - litres) > SLACK:
            self._say(
                "load",
                f"{visit.kind} {visit.id}: the plan says {visit.kg:.0f} kg, {visit.litres:.0f} l aboard; it is {kg:.0f} kg, {litres:.0f} l",
            )
        if visit.kind == "end" and self._stations and (kg > SLACK or litres > SLACK):
            self._say("empty", f"it comes home with {kg:.0f} kg, {litres:.0f} l aboard")
        return kg, litres

    def _whole(self, load: float) -> float:
        if not math.isfinite(load) or load < 0:
            self._say("load", f"a load of {load} is no load")
            return 0.0
        return float(math.ceil(load))

    def _unload(self, visit: Visit) -> None:
        station = self._stations.get(visit.id)
        if station is None:
            self._say("station", f"there is no station {visit.id}")
            return
        if station.place != visit.place:
            self._say("place", f"station {station.id} is at place {station.place}, not {visit.place}")
        if station.streams is not None and self._route.stream not in station.streams:
            self._say("station", f"station {station.id} does not take {self._route.stream}")
        if station.open is not None and not station.open.start <= visit.begin <= station.open.end:
            self._say("station", f"station {station.id} is closed at {visit.begin} s")
        if visit.leave - visit.begin < station.service:
            self._say("service", f"station {station.id}: {visit.leave - visit.begin} s, unloading takes {station.service}")

    def _releases(self) -> None:
        left = self._route.visits[0].leave
        for visit in self._route.visits:
            if visit.kind == "unload":
                left = visit.leave
            elif visit.kind == "stop" and visit.id in self._stops and self._stops[visit.id].release > left:
                self._say("release", f"stop {visit.id} is served by a trip that left at {left} s, before {self._stops[visit.id].release} s")

    def _trips(self) -> None:
        if self._truck.max_trips is None:
            return
        trips, empty = self._truck.trips, False
        for visit in self._route.visits:
            if visit.kind == "unload":
                empty = True
            elif visit.kind == "stop" and empty:
                trips, empty = trips + 1, False
        if trips > self._truck.max_trips:
            self._say("trips", f"{trips} trips, at most {self._truck.max_trips}")

    def _breaks(self) -> None:
        rule = self._truck.break_rule
        if rule is None:
            return
        begin = self._truck.shift.start if self._truck.ready is None else max(self._truck.ready, self._truck.shift.start)
        driven, rested = self._truck.counted, begin - self._truck.counted
        for before, visit in pairwise(self._route.visits):
            driven += visit.seconds
            if visit.kind == "break" and visit.leave - visit.begin >= rule.length:
                if rule.counted == "duty" and visit.begin - rested > rule.limit:
                    self._say("break", f"{visit.begin - rested} s of duty before the break at {visit.begin} s, at most {rule.limit}")
                driven, rested = 0, visit.leave
            elif rule.counted == "driving" and driven > rule.limit:
                self._say("break", f"{driven} s driven without a break when it leaves {before.kind} {before.id}, at most {rule.limit}")
                driven = 0  # say it once per stretch
            elif rule.counted == "duty" and visit.leave - rested > rule.limit:
                self._say("break", f"{visit.leave - rested} s of duty without a break at {visit.kind} {visit.id}, at most {rule.limit}")
                rested = visit.leave
