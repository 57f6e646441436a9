"""The second engine: OR-Tools' routing solver. It checks the first one's answers, repairs an order, and knows duty breaks natively.

Optional reload visits carry a negative load (the pattern of OR-Tools' `cvrp_reload` sample). Release times are only bounded, not solved.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2
from ortools.constraint_solver.routing_parameters_pb2 import RoutingSearchParameters

from asty_cloud_api.planning.engines.construct import nearest
from asty_cloud_api.planning.engines.fleet import Homing, Whole, allowed, columns_home, homing
from asty_cloud_api.planning.engines.order import Order
from asty_cloud_api.planning.model import Day, Matrix, Station, Truck, Window
from asty_cloud_api.planning.schedule import Step
from asty_cloud_api.planning.stop import StoppingRule, Until

UNITS = 10_000
"""Of money per euro inside the engine."""
WITH_BREAKS = 0.6
"""The share of the budget in which an answer with breaks inside must be found."""
RELOADS = 4
"""Unloadings offered per truck in one plan, when its own limit is not lower."""


def solve(day: Day, streams: dict[str, str], stop: StoppingRule, seed: int, *, warm: Order | None = None) -> Order:
    """Order the stops of an admitted day. Always gives an answer: stops that do not fit are left out. `warm` is repaired when it fits."""
    if not day.stops or not day.trucks:
        return {}
    warm = nearest(day, streams) if warm is None else warm
    if any(breaks_inside(truck) for truck in day.trucks):
        found = Model(day, streams, breaks=True).search(Until(stop, WITH_BREAKS), seed, warm)
        if found:
            return found
    return Model(day, streams, breaks=False).search(stop, seed, warm) or nearest(day, streams)


def breaks_inside(truck: Truck) -> bool:
    """Whether this engine itself can keep the truck's break rule: it counts duty, and the shift is long enough to need it."""
    rule = truck.break_rule
    return rule is not None and rule.counted == "duty" and truck.latest - truck.leaves + truck.counted > rule.limit


class Model:
    """A day as OR-Tools' routing model: nodes are stops, then reload visits, then each truck's start, then each truck's end.

    With `breaks` the search itself keeps duty breaks, which costs it much time on big days.
    """

    def __init__(self, day: Day, streams: dict[str, str], *, breaks: bool) -> None:
        self._day = day
        self._breaks = breaks
        self._streams = streams
        self._trucks = list(day.trucks)
        self._ways = [homing(day, truck, streams[truck.id]) for truck in self._trucks]
        self._reloads = self._offer_reloads()
        count = len(self._trucks)
        first = len(day.stops) + len(self._reloads)
        self._starts, self._ends = list(range(first, first + count)), list(range(first + count, first + 2 * count))
        self._manager = pywrapcp.RoutingIndexManager(first + 2 * count, count, self._starts, self._ends)
        self._model = pywrapcp.RoutingModel(self._manager)
        self._horizon = max(truck.latest for truck in self._trucks)
        self._services = [s.service for s in day.stops] + [s.service for s in self._reloads] + [0] * (2 * count)
        self._set_ways()
        self._set_loads()
        self._set_times()
        self._set_worths()

    def search(self, stop: StoppingRule, seed: int, warm: Order | None) -> Order:
        """Search until `stop`; an empty order when nothing was found."""
        best = math.inf
        order: Order = {}

        def at_solution() -> None:
            nonlocal best, order
            cost = float(self._model.CostVar().Max())
            if cost < best:
                best, order = cost, self._order()

        def enough() -> bool:
            if stop(best) < 1:
                return False
            self._model.CancelSearch()  # the limit alone ends only the outermost of the nested searches
            return True

        solver = self._model.solver()
        solver.ReSeed(seed)
        self._model.AddAtSolutionCallback(at_solution)
        self._model.AddSearchMonitor(solver.CustomLimit(enough))
        parameters = self._parameters()
        self._model.CloseModelWithParameters(parameters)
        initial = None if warm is None else self._model.ReadAssignmentFromRoutes(self._routes(warm), True)
        if initial is None:
            self._model.SolveWithParameters(parameters)
        else:
            self._model.SolveFromAssignmentWithParameters(initial, parameters)
        return order

    def _parameters(self) -> RoutingSearchParameters:
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        timed = any(s.windows for s in self._day.stops) or bool(self._reloads)
        strategy = routing_enums_pb2.FirstSolutionStrategy
        parameters.first_solution_strategy = strategy.PARALLEL_CHEAPEST_INSERTION if timed else strategy.SAVINGS
        parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        parameters.time_limit.FromSeconds(24 * 3600)  # the stopping rule decides
        return parameters

    def _offer_reloads(self) -> list[Station]:
        offered: list[Station] = []
        load = max(sum(math.ceil(s.kg) for s in self._day.stops) / max(1.0, self._least("kg_max")), self._litre_bodies())
        for truck in self._trucks:
            most = RELOADS if truck.max_trips is None else min(RELOADS, max(0, truck.max_trips - truck.trips))
            needed = min(most, math.ceil(load) + 1)
            offered += [s for s in self._day.stations if s.takes(self._streams[truck.id]) for _ in range(needed)]
        return offered

    def _least(self, what: str) -> float:
        return min(float(getattr(truck, what)) for truck in self._trucks)

    def _litre_bodies(self) -> float:
        return sum(math.ceil(s.litres) for s in self._day.stops) / max(1.0, self._least("litres_max"))

    def _matrices(self, truck: Truck) -> tuple[Whole, Whole]:
        """Seconds (with the service at the first node) and cost units between nodes for one truck; a forbidden way outlasts the day."""
        places = np.array(
            [s.place for s in self._day.stops]
            + [s.place for s in self._reloads]
            + [t.start for t in self._trucks]
            + [t.garage for t in self._trucks]
        )
        roads = self._day.roads[truck.profile]
        seconds, metres = np.ceil(roads.seconds[np.ix_(places, places)]), roads.metres[np.ix_(places, places)].copy()
        reloads = slice(len(self._day.stops), len(self._day.stops) + len(self._reloads))
        for end, way in zip(self._ends, self._ways, strict=True):
            self._fill_end(seconds, metres, end, way, truck.profile, places, reloads)
        for start in self._starts:
            seconds[:, start] = np.nan
        hole = np.isnan(seconds)
        far = float(np.nanmax(np.where(hole, np.nan, metres), initial=0.0)) * 4 + 1
        cost = np.rint(np.where(hole, far, metres) * truck.prices.per_km * UNITS / 1000)
        seconds = np.where(hole, self._horizon + 1, seconds + np.array(self._services)[:, None])
        same = np.zeros_like(hole)
        same[reloads, reloads] = places[reloads, None] == places[None, reloads]
        seconds[same] = 0  # spare reload visits pile up on a real one and are taken out afterwards
        return seconds.astype(np.int64), cost.astype(np.int64)

    def _fill_end(self, seconds: Matrix, metres: Matrix, end: int, way: Homing, profile: str, places: Whole, reloads: slice) -> None:
        seconds[:, end], metres[:, end] = columns_home(self._day, profile, way, places)
        roads = self._day.roads[profile]
        seconds[reloads, end] = np.ceil(roads.seconds[places[reloads], way.garage])
        metres[reloads, end] = roads.metres[places[reloads], way.garage]
        for start, truck in zip(self._starts, self._trucks, strict=True):
            if not truck.is_out:
                seconds[start, end], metres[start, end] = 0, 0

    def _set_ways(self) -> None:
        known: dict[tuple[str, float], tuple[int, int]] = {}
        self._transits: list[int] = []
        for vehicle, truck in enumerate(self._trucks):
            key = (truck.profile, truck.prices.per_km)
            if key not in known:
                seconds, cost = self._matrices(truck)
                known[key] = (self._model.RegisterTransitMatrix(seconds.tolist()), self._model.RegisterTransitMatrix(cost.tolist()))
            time, money = known[key]
            self._transits.append(time)
            self._model.SetArcCostEvaluatorOfVehicle(money, vehicle)
            self._model.SetVehicleUsedWhenEmpty(truck.is_out, vehicle)
            self._model.SetFixedCostOfVehicle(0 if truck.ready is not None else _units(truck.prices.fixed), vehicle)
        for node in range(len(self._day.stops)):
            fit = [v for v, t in enumerate(self._trucks) if allowed(self._day, t, self._streams[t.id])[node]]
            self._model.VehicleVar(self._manager.NodeToIndex(node)).SetValues([-1, *fit])
        for node, station in enumerate(self._reloads, len(self._day.stops)):
            fit = [v for v, t in enumerate(self._trucks) if station.takes(self._streams[t.id]) and t.max_trips != t.trips]
            self._model.VehicleVar(self._manager.NodeToIndex(node)).SetValues([-1, *fit])

    def _set_loads(self) -> None:
        loads = {
            "kg": [math.ceil(s.kg) for s in self._day.stops],
            "litres": [math.ceil(s.litres) for s in self._day.stops],
        }
        for name, stops in loads.items():
            caps = [math.floor(t.kg_max if name == "kg" else t.litres_max) for t in self._trucks]
            aboard = [math.ceil(t.kg if name == "kg" else t.litres) for t in self._trucks]
            most = max(caps)
            demand = self._model.RegisterUnaryTransitVector(stops + [-most] * len(self._reloads) + [0] * (2 * len(self._trucks)))
            self._model.AddDimensionWithVehicleCapacity(demand, most, caps, False, name)
            dimension = self._model.GetDimensionOrDie(name)
            for node in range(len(stops)):
                dimension.SlackVar(self._manager.NodeToIndex(node)).SetValue(0)
            for vehicle, (kg, cap) in enumerate(zip(aboard, caps, strict=True)):
                start = self._model.Start(vehicle)
                dimension.SlackVar(start).SetValue(0)
                dimension.CumulVar(start).SetValue(min(kg, cap))
        if any(t.max_trips is not None for t in self._trucks):
            ones = [0] * len(self._day.stops) + [1] * len(self._reloads) + [0] * (2 * len(self._trucks))
            most_trips = [len(self._reloads) if t.max_trips is None else max(0, t.max_trips - t.trips) for t in self._trucks]
            self._model.AddDimensionWithVehicleCapacity(self._model.RegisterUnaryTransitVector(ones), 0, most_trips, True, "reloads")

    def _set_times(self) -> None:
        self._model.AddDimensionWithVehicleTransits(self._transits, self._horizon, self._horizon, False, "time")
        time = self._model.GetDimensionOrDie("time")
        for node, stop in enumerate(self._day.stops):
            self._open(time.CumulVar(self._manager.NodeToIndex(node)), stop.windows, stop.release)
        for node, station in enumerate(self._reloads, len(self._day.stops)):
            self._open(time.CumulVar(self._manager.NodeToIndex(node)), (station.open,) if station.open else (), 0)
        for vehicle, (truck, way) in enumerate(zip(self._trucks, self._ways, strict=True)):
            self._set_shift(time, vehicle, truck, way)

    def _set_shift(self, time: pywrapcp.RoutingDimension, vehicle: int, truck: Truck, way: Homing) -> None:
        start, end = time.CumulVar(self._model.Start(vehicle)), time.CumulVar(self._model.End(vehicle))
        paid = truck.prices.per_hour > 0
        start.SetRange(truck.leaves, truck.leaves if paid else truck.latest)
        end.SetRange(max(truck.leaves, way.early if way.stations and truck.is_out else 0), max(truck.leaves, min(truck.latest, way.late)))
        if paid:
            time.SetSpanCostCoefficientForVehicle(round(truck.prices.per_hour * UNITS / 3600), vehicle)
        if truck.overtime and truck.prices.overtime_per_hour:
            price = round(truck.prices.overtime_per_hour * UNITS / 3600)
            time.SetCumulVarSoftUpperBound(self._model.End(vehicle), max(truck.leaves, truck.shift.end), price)
        self._model.AddVariableMinimizedByFinalizer(end)
        rule = truck.break_rule
        if rule is not None and self._breaks and breaks_inside(truck):
            latest = max(truck.leaves, truck.leaves + rule.limit - truck.counted)
            pause = self._model.solver().FixedDurationIntervalVar(truck.leaves, latest, rule.length, True, f"break {truck.id}")
            time.SetBreakIntervalsOfVehicle([pause], vehicle, self._services)
            time.SetBreakDistanceDurationOfVehicle(rule.limit, rule.length, vehicle)

    def _open(self, moment: pywrapcp.IntVar, windows: Sequence[Window], earliest: int) -> None:
        if windows:
            earliest = max(earliest, windows[0].start)
            moment.SetRange(min(max(0, earliest), self._horizon), min(max(w.end for w in windows), self._horizon))
            for before, after in pairwise(windows):
                if before.end + 1 < after.start:
                    moment.RemoveInterval(before.end + 1, after.start - 1)
        elif earliest:
            moment.SetMin(min(earliest, self._horizon))

    def _set_worths(self) -> None:
        prices = [truck.prices for truck in self._trucks]
        metres = max(float(np.nanmax(roads.metres, initial=0.0)) for roads in self._day.roads.values())
        way = max(
            _units(p.fixed + 4 * p.per_km * metres / 1000 + (p.per_hour + p.overtime_per_hour) * self._horizon / 3600) for p in prices
        )
        must = 2 * way + 10 * max(_units(stop.prize) for stop in self._day.stops)
        for node, stop in enumerate(self._day.stops):
            self._model.AddDisjunction([self._manager.NodeToIndex(node)], must if stop.must else _units(stop.prize))
        for node in range(len(self._day.stops), len(self._day.stops) + len(self._reloads)):
            self._model.AddDisjunction([self._manager.NodeToIndex(node)], 0)

    def _order(self) -> Order:
        """The solution at hand."""
        order: Order = {}
        for vehicle, truck in enumerate(self._trucks):
            steps: list[Step] = []
            index = self._model.NextVar(self._model.Start(vehicle)).Value()
            while not self._model.IsEnd(index):
                steps.append(self._step(self._manager.IndexToNode(index)))
                index = self._model.NextVar(index).Value()
            if any(step.kind == "stop" for step in steps):
                order[truck.id] = tuple(steps)
        return order

    def _step(self, node: int) -> Step:
        stops = self._day.stops
        return Step("stop", stops[node].id) if node < len(stops) else Step("unload", self._reloads[node - len(stops)].id)

    def _routes(self, order: Order) -> list[list[int]]:
        node_of = {stop.id: node for node, stop in enumerate(self._day.stops)}
        spare: dict[str, list[int]] = {}
        for node, station in enumerate(self._reloads, len(self._day.stops)):
            spare.setdefault(station.id, []).append(node)
        routes: list[list[int]] = []
        for truck in self._trucks:
            nodes: list[int] = []
            for step in order.get(truck.id, ()):
                if step.kind == "stop" and step.id in node_of:
                    nodes.append(node_of[step.id])
                elif step.kind == "unload" and spare.get(step.id):
                    nodes.append(spare[step.id].pop())
            routes.append(nodes)
        return routes


def _units(euro: float) -> int:
    return round(euro * UNITS)
