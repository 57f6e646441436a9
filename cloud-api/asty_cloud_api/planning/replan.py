"""A new version of a running plan after something happened: done stops frozen, trucks where they are with what they carry.

Pure: the caller says where the trucks are and what happened. Drivers are not tossed about: a truck's next stops change only when that is
worth it (`Hysteresis`).
"""

from dataclasses import dataclass, replace

from asty_cloud_api.planning import planner, repair, streams
from asty_cloud_api.planning.admission import Admission, admit, ways_to_end
from asty_cloud_api.planning.break_rule import counted_at
from asty_cloud_api.planning.engines.order import Order
from asty_cloud_api.planning.model import Day, Roads, Stop, Truck
from asty_cloud_api.planning.plan import LeftOut, Plan, Reason, Route, Visit
from asty_cloud_api.planning.schedule import Step, Timetable, steps_of, trips
from asty_cloud_api.planning.stop import StoppingRule, Until


@dataclass(frozen=True, slots=True)
class Overflow:
    """A bin overflows, or will before its next visit: it must be emptied today. `said_by`: forecast, sensor, citizen."""

    stop: str
    said_by: str = "forecast"


@dataclass(frozen=True, slots=True)
class MustVisit:
    """A stop that was not in the day, or is there with other data, must be served."""

    stop: Stop


@dataclass(frozen=True, slots=True)
class TruckFull:
    """A truck is full earlier than its load says."""

    truck: str


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A truck does not go on; what it carries stays in it."""

    truck: str


@dataclass(frozen=True, slots=True)
class StreetClosed:
    """The ways between places are other ones now: the matrices with the closure, indexed as before."""

    roads: dict[str, Roads]
    street: str = ""


@dataclass(frozen=True, slots=True)
class Skip:
    """A driver did not serve a stop, and it is not tried again today."""

    stop: str
    why: str


Trigger = Overflow | MustVisit | TruckFull | Breakdown | StreetClosed | Skip


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """The next `stops` of a truck stay as they are unless a plan that changes them saves over `gain` euro or serves another must-stop."""

    stops: int = 2
    gain: float = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Replanned:
    """The new plan, the day it is a plan of (for the checker), and the trucks whose stops or their order changed."""

    day: Day
    plan: Plan
    changed: frozenset[str]


NO_HYSTERESIS = Hysteresis(stops=0, gain=0.0)
LOCKED_SHARE = 0.8
"""The share of the budget for the plan that keeps the next stops; the rest is for one that may change them."""


def replan(
    day: Day,
    running: Plan,
    trigger: Trigger | tuple[Trigger, ...],
    stop: StoppingRule,
    seed: int,
    *,
    hysteresis: Hysteresis | None = None,
    engine: str = "pyvrp",
    hasty: bool = True,
) -> Replanned:
    """Plan on from here. `day` is the problem as it is now: `done` filled, trucks that are out with place, `ready`, load and counters.

    Several triggers are applied in their order and answered with one plan. `hasty` is for budgets of a few seconds. Raises KeyError for a
    trigger about a stop or truck that the day does not have.
    """
    hysteresis = hysteresis or Hysteresis()
    searching = planner.HASTY.get(engine, engine) if hasty else engine
    reasons: list[str] = []
    aside: tuple[LeftOut, ...] = ()
    for one in trigger if isinstance(trigger, tuple) else (trigger,):
        day, reason, out = applied(day, one)
        reasons.append(reason)
        aside += out
    wanted = {s.id for s in day.stops}  # a later trigger may want what an earlier one took out
    aside = tuple(item for item in aside if item.what != "stop" or item.id not in wanted)
    admission = admit(day)
    given = _streams(admission.day, running)
    remaining = _remaining(admission.day, running)
    keep = _kept(admission.day, given, remaining)
    locks = _locks(admission.day, given, remaining, hysteresis.stops)
    share = LOCKED_SHARE if locks else 1.0
    routes = _resolved(admission, given, keep, locks, Until(stop, share), seed, searching)
    routes = min((_timed_keep(admission.day, given, keep), routes), key=lambda r: planner.worth(admission.day, r))
    if locks:
        free = planner.improved(admission.day, given, routes, stop, seed, engine=searching)
        before, after = planner.worth(admission.day, routes), planner.worth(admission.day, free)
        if after[0] < before[0] or (after[0] == before[0] and before[1] - after[1] > hysteresis.gain):
            routes, locks = free, {}
    routes = tuple(replace(route, locked=sum(step.kind == "stop" for step in locks.get(route.truck, ()))) for route in routes)
    plan = planner.finished(
        admission.day,
        routes,
        admission.left_out + aside,
        version=running.version + 1,
        parent=running.version,
        reasons=tuple(reasons),
        engine=engine,
        seed=seed,
        done=day.done_order,
    )
    return Replanned(day, plan, _changed(day, running, plan))


def applied(day: Day, trigger: Trigger) -> tuple[Day, str, tuple[LeftOut, ...]]:
    """The day after a trigger, the reason for the plan's new version, and what the trigger takes out of the day."""
    match trigger:
        case Overflow(name, said_by):
            must = replace(day.stop(name), must=True)
            return _with_stop(day, must), f"bin {name} overflows (said by {said_by}): it must be emptied today", ()
        case MustVisit(stop):
            return _with_stop(day, replace(stop, must=True)), f"stop {stop.id} must be served today", ()
        case TruckFull(name):
            truck = day.truck(name)
            full = replace(truck, kg=truck.kg_max, litres=truck.litres_max)
            return day.with_truck(full), f"truck {name} is full early: it unloads before it goes on", ()
        case Breakdown(name):
            truck = day.truck(name)
            why = f"it broke down at place {truck.start} with {truck.kg:.0f} kg aboard"
            left = LeftOut("truck", name, Reason.BROKEN_DOWN, why, {"kg": truck.kg})
            return replace(day, trucks=tuple(t for t in day.trucks if t.id != name)), f"truck {name} broke down", (left,)
        case StreetClosed(roads, street):
            return replace(day, roads=roads), f"a street is closed: {street}" if street else "a street is closed", ()
        case Skip(name, why):
            day.stop(name)
            left = LeftOut("stop", name, Reason.SKIPPED, f"the driver skipped it: {why}", {"said": why})
            return day.without_stops(frozenset({name})), f"stop {name} was skipped: {why}", (left,)


def advanced(table: Timetable, truck: Truck, stream: str, steps: tuple[Step, ...]) -> Truck | None:
    """The truck after these steps, None when it can't do them and still come home empty in time."""
    visits = table.walk(truck, stream, steps)
    if not isinstance(visits, tuple):
        return None
    last: Visit = visits[-1]
    end = ways_to_end(table.day, truck, stream, last.place, last.leave)
    if end is None or end[0] > truck.latest:
        return None
    return replace(
        truck,
        start=last.place,
        ready=last.leave,
        kg=last.kg,
        litres=last.litres,
        aboard=stream,
        counted=counted_at(truck, visits),
        trips=trips(truck, visits),
    )


def _with_stop(day: Day, stop: Stop) -> Day:
    others = tuple(s for s in day.stops if s.id != stop.id)
    return replace(day, stops=(*others, stop), done=tuple(d for d in day.done if d.stop != stop.id))


def _streams(day: Day, running: Plan) -> dict[str, str]:
    """Trucks keep the stream of their route; the others choose."""
    kept = {route.truck: route.stream for route in running.routes}
    settled = replace(day, trucks=tuple(replace(t, aboard=kept.get(t.id, t.aboard)) for t in day.trucks))
    return streams.assign(settled)


def _remaining(day: Day, running: Plan) -> dict[str, tuple[Step, ...]]:
    """What the running plan still has to do, per truck, without what is gone."""
    todo = {stop.id for stop in day.stops}
    stations = {station.id for station in day.stations}
    done = frozenset(d.stop for d in day.done)
    remaining: dict[str, tuple[Step, ...]] = {}
    for truck in day.trucks:
        route = running.route(truck.id)
        if route is None:
            continue
        steps = steps_of(_ahead(route, truck, done))
        remaining[truck.id] = tuple(
            s for s in steps if s.kind == "break" or (s.kind == "stop" and s.id in todo) or (s.kind == "unload" and s.id in stations)
        )
    return remaining


def _ahead(route: Route, truck: Truck, done: frozenset[str]) -> Route:
    """The part of a route that is not behind the truck; stops that it jumped over come first."""
    visits = route.visits
    past = max((i + 1 for i, v in enumerate(visits) if v.kind == "stop" and v.id in done), default=1)
    if truck.ready is not None and truck.kg == 0 and truck.litres == 0 and past < len(visits) and visits[past].kind == "unload":
        past += 1
    jumped = [v for v in visits[1:past] if v.kind == "stop"]
    ahead = [v for v in visits[past:] if v.kind != "break" or truck.ready is None or v.begin >= truck.ready]
    return replace(route, visits=(visits[0], *jumped, *ahead))


def _kept(day: Day, given: dict[str, str], remaining: dict[str, tuple[Step, ...]]) -> Order:
    """The running order as far as it still holds, with each missing must-stop put in where it costs least."""
    table = Timetable(day)
    order = {name: tuple(s for s in steps if s.kind != "break") for name, steps in remaining.items()}
    routes = {route.truck: route for route in repair.timed(table, given, order)}
    served = {name for route in routes.values() for name in route.stops}
    missing = sorted((s for s in day.stops if s.must and s.id not in served), key=lambda s: (-s.litres, s.id))
    for stop in missing[: repair.REINSERTED]:
        repair.insert(table, given, routes, stop)
    return {name: tuple(repair.opened(route)) for name, route in routes.items()}


def _timed_keep(day: Day, given: dict[str, str], keep: Order) -> tuple[Route, ...]:
    return repair.timed(Timetable(day), given, keep)


def _locks(day: Day, given: dict[str, str], remaining: dict[str, tuple[Step, ...]], stops: int) -> dict[str, tuple[Step, ...]]:
    """Per truck the steps up to its next `stops` stops; shorter where the truck could not do them any more."""
    table = Timetable(day)
    locks: dict[str, tuple[Step, ...]] = {}
    for truck in day.trucks:
        if truck.ready is None:
            continue
        ends = [i + 1 for i, s in enumerate(remaining.get(truck.id, ())) if s.kind == "stop"][:stops]
        for end in reversed(ends):
            prefix = remaining[truck.id][:end]
            if given[truck.id] and advanced(table, truck, given[truck.id], prefix) is not None:
                locks[truck.id] = prefix
                break
    return locks


def _resolved(
    admission: Admission, given: dict[str, str], keep: Order, locks: dict[str, tuple[Step, ...]], stop: StoppingRule, seed: int, engine: str
) -> tuple[Route, ...]:
    """Search with the locked steps already behind the trucks, then put them in front again."""
    day = admission.day
    table = Timetable(day)
    taken = frozenset(step.id for steps in locks.values() for step in steps if step.kind == "stop")
    trucks = tuple(_behind(table, truck, given, locks.get(truck.id, ())) for truck in day.trucks)
    found = planner.search(replace(day.without_stops(taken), trucks=trucks), given, stop, seed, engine=engine)
    whole: list[Route] = []
    rest = {route.truck: steps_of(route) for route in found}
    for truck in day.trucks:
        steps = (*locks.get(truck.id, ()), *rest.get(truck.id, ()))
        if steps or truck.is_out:
            made = table.run(truck, given[truck.id], steps)
            if not isinstance(made, Route):
                return _timed_keep(day, given, keep)
            whole.append(made)
    return tuple(whole)


def _behind(table: Timetable, truck: Truck, given: dict[str, str], lock: tuple[Step, ...]) -> Truck:
    return (advanced(table, truck, given[truck.id], lock) or truck) if lock else truck


def _changed(day: Day, running: Plan, plan: Plan) -> frozenset[str]:
    done = frozenset(d.stop for d in day.done)
    before = {route.truck: tuple(s for s in route.stops if s not in done) for route in running.routes}
    after = {route.truck: route.stops for route in plan.routes}
    return frozenset(name for name in before.keys() | after.keys() if before.get(name, ()) != after.get(name, ()))
