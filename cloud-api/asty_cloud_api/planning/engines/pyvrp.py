"""The main engine: PyVRP's iterated local search (Wouda, Lan & Kool 2024) over trips with reloads,
kg and litres, overtime, windows and prizes."""

import math
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyvrp
from pyvrp.exceptions import PenaltyBoundWarning

from asty_cloud_api.planning.engines.construct import nearest
from asty_cloud_api.planning.engines.fleet import Homing, Whole, allowed, columns_home, homing
from asty_cloud_api.planning.engines.order import Order
from asty_cloud_api.planning.model import Day, Prices, Stop, Truck, Window
from asty_cloud_api.planning.schedule import Step
from asty_cloud_api.planning.stop import StoppingRule, Until

UNITS = 10_000
"""Of money per euro inside the engine: 0.10 EUR per km is one unit per metre."""
HISTORY = 300
HASTY_HISTORY = 50
"""For budgets of a few seconds: the steps of late acceptance, of PyVRP's own default and of ours."""
HOPELESS = 0.3
"""The share of the budget after which must-stops that don't all fit are weighed against each other instead."""


def solve(day: Day, streams: dict[str, str], stop: StoppingRule, seed: int, *, warm: Order | None = None, history: int = HISTORY) -> Order:
    """Order the stops of an admitted day. Always gives an answer: must-stops that do not fit are left out.

    `history`: a worse step is taken when it is better than the one so many steps ago. Fewer converge sooner, to less.
    """
    if not day.stops or not day.trucks:
        return {}
    hard = Model(day, streams, required=True)
    found = hard.search(Until(stop, 1.0, HOPELESS), seed, warm, history)
    if found is None:
        found = Model(day, streams, required=False).search(stop, seed, warm, history)
    return nearest(day, streams) if found is None else found


def solve_hastily(day: Day, streams: dict[str, str], stop: StoppingRule, seed: int, *, warm: Order | None = None) -> Order:
    """`solve` for a budget of a few seconds."""
    return solve(day, streams, stop, seed, warm=warm, history=HASTY_HISTORY)


@dataclass(frozen=True, slots=True)
class _Kind:
    """Trucks that differ in nothing but their name."""

    profile: int
    start: int
    home: int
    stations: tuple[int, ...]
    kg: int
    litres: int
    aboard: tuple[int, int]
    shift: Window
    leaves: int
    overtime: int
    prices: Prices
    out: bool
    trips: int | None


class Model:
    """A day as PyVRP's data, and the way back. `required` false lets the search weigh must-stops, at a worth above any detour."""

    def __init__(self, day: Day, streams: dict[str, str], *, required: bool) -> None:
        self._day = day
        self._streams = streams
        self._required = required
        self._places: list[int] = []  # of each location; of a way home, its garage
        self._homings: dict[int, Homing] = {}  # by location
        self._depots: list[pyvrp.Depot] = []
        self._depot_of: dict[object, int] = {}
        self._clients: list[pyvrp.Client] = []
        self._groups: list[pyvrp.ClientGroup] = []
        self._stop_of: list[Stop] = []  # by client
        self._profiles: dict[tuple[str, bytes], int] = {}
        self._top = self._most()
        for one in day.stops:
            self._add_stop(one)
        self._out = [truck for truck in day.trucks if truck.is_out]
        for truck in self._out:
            self._add_way_home(truck)
        for station in day.stations:
            window = station.open or Window(0, self._horizon)
            self._depot(station.id, station.place, Window(max(0, window.start), min(window.end, self._horizon)), station.service)
        kinds: dict[_Kind, list[str]] = {}
        for truck in day.trucks:
            kinds.setdefault(self._kind(truck), []).append(truck.id)
        self._kinds = list(kinds)
        self._trucks = list(kinds.values())
        metres, seconds = self._matrices()
        self.data = pyvrp.ProblemData(
            [pyvrp.Location(0, 0) for _ in self._places],
            self._clients,
            self._depots,
            [self._vehicles(kind, len(names)) for kind, names in kinds.items()],
            metres,  # type: ignore[arg-type]  # PyVRP's stub names an impossible shape
            seconds,  # type: ignore[arg-type]
            self._groups,
        )

    def search(self, stop: StoppingRule, seed: int, warm: Order | None = None, history: int = HISTORY) -> Order | None:
        """Search until `stop`; None when nothing feasible was found."""

        def enough(best_cost: int) -> bool:
            return stop(best_cost if best_cost < np.iinfo(np.int64).max else math.inf) >= 1

        initial = None if warm is None else self._solution(warm)
        params = pyvrp.SolveParams(ils=pyvrp.IteratedLocalSearchParams(history_length=history))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PenaltyBoundWarning)  # an impossible day is answered, not warned of
            result = pyvrp.solve(self.data, enough, seed=seed, collect_stats=False, params=params, initial_solution=initial)
        return self._order(result.best) if result.best.is_feasible() else None

    @property
    def _horizon(self) -> int:
        return max(truck.latest for truck in self._day.trucks)

    def _most(self) -> int:
        """A worth above what any detour of the day costs, in units."""
        metres = max(float(np.nanmax(roads.metres, initial=0.0)) for roads in self._day.roads.values())
        seconds = max(float(np.nanmax(roads.seconds, initial=0.0)) for roads in self._day.roads.values())
        prices = [truck.prices for truck in self._day.trucks]
        way = max(_units(p.fixed + 4 * p.per_km * metres / 1000) for p in prices)
        hours = max(_units((p.per_hour + p.overtime_per_hour) * 4 * (seconds + 3600) / 3600) for p in prices)
        return 2 * (way + hours) + 10 * max(_units(stop.prize) for stop in self._day.stops)

    def _add_stop(self, stop: Stop) -> None:
        self._places.append(stop.place)
        location = len(self._places) - 1
        worth = (0 if self._required else self._top) if stop.must else _units(stop.prize)
        required = stop.must and self._required
        windows = [window for window in stop.windows or (Window(0, self._horizon),) if window.end >= stop.release]
        if not windows:  # a part of the fleet may be home before it is released: nobody serves it then
            windows = [Window(stop.release, stop.release)]
        group = None
        if len(windows) > 1:
            group = len(self._groups)
            first = len(self._clients)
            self._groups.append(pyvrp.ClientGroup(list(range(first, first + len(windows))), required=required))
        for window in windows:
            self._stop_of.append(stop)
            self._clients.append(
                pyvrp.Client(
                    location,
                    pickup=[math.ceil(stop.kg), math.ceil(stop.litres)],
                    service_duration=stop.service,
                    tw_early=max(0, window.start),
                    tw_late=max(0, window.end),
                    release_time=stop.release,
                    prize=worth,
                    required=required and group is None,
                    group=group,
                )
            )

    def _add_way_home(self, truck: Truck) -> None:
        """A visit where the truck stands: it comes home even without stops, and the search has to know what that costs."""
        self._places.append(truck.start)
        self._clients.append(pyvrp.Client(len(self._places) - 1, pickup=[0, 0], required=True))

    def _depot(self, key: object, place: int, window: Window, service: int = 0, way: Homing | None = None) -> int:
        if (known := self._depot_of.get(key)) is not None:
            return known
        self._places.append(place)
        if way is not None:
            self._homings[len(self._places) - 1] = way
        self._depots.append(pyvrp.Depot(len(self._places) - 1, window.start, max(window.start, window.end), service))
        self._depot_of[key] = len(self._depots) - 1
        return len(self._depots) - 1

    def _kind(self, truck: Truck) -> _Kind:
        stream = self._streams[truck.id]
        way = homing(self._day, truck, stream)
        mask = np.append(allowed(self._day, truck, stream), np.array([other.id == truck.id for other in self._out], dtype=np.bool_))
        return _Kind(
            profile=self._profiles.setdefault((truck.profile, mask.tobytes()), len(self._profiles)),
            start=self._depot(("start", truck.start), truck.start, Window(0, self._horizon)),
            home=self._depot(way, truck.garage, Window(way.early, way.late), way=way),
            stations=tuple(self._depot_of[s.id] for s in self._day.stations if s.takes(stream)),
            kg=math.floor(truck.kg_max),
            litres=math.floor(truck.litres_max),
            aboard=(min(math.ceil(truck.kg), math.floor(truck.kg_max)), min(math.ceil(truck.litres), math.floor(truck.litres_max))),
            shift=truck.shift,
            leaves=truck.leaves,
            overtime=truck.overtime,
            prices=truck.prices,
            out=truck.ready is not None,
            trips=None if truck.max_trips is None else max(0, truck.max_trips - truck.trips),
        )

    def _vehicles(self, kind: _Kind, count: int) -> pyvrp.VehicleType:
        priced = kind.prices.per_hour > 0 or (kind.overtime > 0 and kind.prices.overtime_per_hour > 0)
        punctual = priced and not any(client.release_time for client in self._clients)  # paid from the start of the shift
        regular = max(0, kind.shift.end - kind.leaves)
        return pyvrp.VehicleType(
            count,
            [kind.kg, kind.litres],
            start_depot=kind.start,
            end_depot=kind.home,
            fixed_cost=0 if kind.out else _units(kind.prices.fixed),
            tw_early=kind.leaves,
            tw_late=kind.shift.end + kind.overtime,
            start_late=kind.leaves if punctual else None,
            unit_distance_cost=round(kind.prices.per_km * UNITS / 1000),
            unit_duration_cost=round(kind.prices.per_hour * UNITS / 3600),
            unit_overtime_cost=round(kind.prices.overtime_per_hour * UNITS / 3600),
            profile=kind.profile,
            initial_load=list(kind.aboard),
            reload_depots=list(kind.stations),
            max_reloads=sys.maxsize if kind.trips is None else kind.trips,
            shift_duration=regular if kind.overtime else sys.maxsize,
            max_overtime=kind.overtime,
        )

    def _matrices(self) -> tuple[list[Whole], list[Whole]]:
        """One pair of matrices per profile; a forbidden way lasts longer than the day."""
        places = np.array(self._places)
        all_metres, all_seconds = [], []
        for name, mask in self._profiles:
            roads = self._day.roads[name]
            metres, seconds = roads.metres[np.ix_(places, places)], np.ceil(roads.seconds[np.ix_(places, places)])
            for location, way in self._homings.items():
                seconds[:, location], metres[:, location] = columns_home(self._day, name, way, places)
                at_station = np.isin(places, [s.place for s in way.stations])
                at_station[: len(self._day.stops) + len(self._out)] = False
                seconds[at_station, location] = np.ceil(roads.seconds[places[at_station], way.garage])
                metres[at_station, location] = roads.metres[places[at_station], way.garage]
                seconds[location, :] = metres[location, :] = np.nan
            banned = ~np.frombuffer(mask, dtype=np.bool_)
            seconds[: len(banned)][banned, :] = np.nan
            seconds[:, : len(banned)][:, banned] = np.nan
            np.fill_diagonal(seconds, 0)
            np.fill_diagonal(metres, 0)
            hole = np.isnan(seconds)
            far = float(np.nanmax(metres, initial=0.0)) * 4 + 1
            all_seconds.append(np.where(hole, self._horizon + 1, seconds).astype(np.int64))
            all_metres.append(np.where(hole, far, np.rint(metres)).astype(np.int64))
        return all_metres, all_seconds

    def _order(self, solution: pyvrp.Solution) -> Order:
        station_at = {self._depot_of[s.id]: s.id for s in self._day.stations}
        names = [list(trucks) for trucks in self._trucks]
        order: Order = {}
        for route in solution.routes():
            steps = [
                Step("stop", self._stop_of[activity.idx].id) if activity.is_client() else Step("unload", station_at[activity.idx])
                for activity in list(route)[1:-1]
                if not activity.is_client() or activity.idx < len(self._stop_of)
            ]
            if any(step.kind == "stop" for step in steps):
                order[names[route.vehicle_type()].pop(0)] = tuple(steps)
        return order

    def _solution(self, order: Order) -> pyvrp.Solution:
        """A plan as PyVRP's solution; what this day no longer has is skipped."""
        client_of: dict[str, int] = {}
        for index, stop in enumerate(self._stop_of):
            client_of.setdefault(stop.id, index)
        routes = []
        for kind, trucks in enumerate(self._trucks):
            for name in trucks:
                activities = self._activities(order.get(name, ()), client_of)
                at_start = [i for i, truck in enumerate(self._out, len(self._stop_of)) if truck.id == name]
                activities[:0] = [pyvrp.Activity(pyvrp.ActivityType.CLIENT, i) for i in at_start]
                if any(activity.is_client() for activity in activities):
                    routes.append(pyvrp.Route(self.data, activities, kind))
        return pyvrp.Solution(self.data, routes)

    def _activities(self, steps: Sequence[Step], client_of: dict[str, int]) -> list[pyvrp.Activity]:
        made = []
        for step in steps:
            if step.kind == "stop" and step.id in client_of:
                made.append(pyvrp.Activity(pyvrp.ActivityType.CLIENT, client_of[step.id]))
            elif step.kind == "unload" and step.id in self._depot_of:
                made.append(pyvrp.Activity(pyvrp.ActivityType.DEPOT, self._depot_of[step.id]))
        return made


def _units(euro: float) -> int:
    return round(euro * UNITS)
