"""The chain from a day to its plan: admit, give streams, order, close the routes, place breaks, repair, account for what is left out."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from asty_cloud_api.planning import break_rule, repair, streams
from asty_cloud_api.planning.admission import admit
from asty_cloud_api.planning.engines import ortools, pyvrp
from asty_cloud_api.planning.engines.order import Order
from asty_cloud_api.planning.model import Day, Truck, Window
from asty_cloud_api.planning.plan import LeftOut, Plan, Reason, Route
from asty_cloud_api.planning.schedule import Timetable, price
from asty_cloud_api.planning.stop import StoppingRule, Until

Engine = Callable[..., Order]
"""(admitted day, stream of each truck, stop, seed, warm=Order) -> Order"""

HASTY = {"pyvrp": "pyvrp, hasty"}
"""The engines that have a way of their own for budgets of a few seconds."""
ENGINES: dict[str, Engine] = {"pyvrp": pyvrp.solve, "pyvrp, hasty": pyvrp.solve_hastily, "ortools": ortools.solve}
FIRST_PASS = 0.6
"""The share of the budget before breaks are looked at, where a break may be due."""
FIRST_FLEET = 0.35
"""The share of the budget for the fleet that is tried first."""
NEXT_FLEET = 0.3
"""The share of the rest for each smaller fleet; what remains then improves the best."""
SMALLER_FLEETS = 3


def plan_day(
    day: Day, stop: StoppingRule, seed: int, *, engine: str = "pyvrp", version: int = 1, reasons: tuple[str, ...] = ("first plan",)
) -> Plan:
    """Plan a day from scratch. Never fails on an impossible day: the plan says what is left out and why."""
    admission = admit(day)
    found = search(admission.day, streams.assign(admission.day), stop, seed, engine=engine)
    return finished(
        admission.day,
        found,
        admission.left_out,
        version=version,
        parent=None,
        reasons=reasons,
        engine=engine,
        seed=seed,
        done=day.done_order,
    )


def search(
    day: Day, given: dict[str, str], stop: StoppingRule, seed: int, *, engine: str = "pyvrp", warm: Order | None = None
) -> tuple[Route, ...]:
    """Order an admitted day and time it. Where trucks cost by the hour or the outing, smaller fleets are tried: first only those already
    out, then one less. Local search rarely empties a truck by itself, since its stops would all have to move at once.
    """
    if len(day.trucks) < 2 or not any(truck.prices.fixed > 0 or truck.prices.per_hour > 0 for truck in day.trucks):
        return _search(day, given, stop, seed, engine, warm=warm)
    everyone = frozenset(truck.id for truck in day.trucks)
    out = frozenset(truck.id for truck in day.trucks if truck.ready is not None)
    routes: tuple[Route, ...] = ()
    if out and out != everyone:
        routes = _with_fleet(day, out, given, Until(stop, FIRST_FLEET), seed, engine)
    if not routes or worth(day, routes)[0] > 0:
        routes = _search(day, given, Until(stop, FIRST_FLEET), seed, engine, warm=warm)
    tried: set[frozenset[str]] = set()
    for _ in range(SMALLER_FLEETS):
        fleet = _smaller_fleet(day, routes, tried)
        if fleet is None:
            break
        tried.add(fleet)
        fewer = _with_fleet(day, fleet, given, Until(stop, NEXT_FLEET), seed, engine)
        routes = min(routes, fewer, key=lambda r: worth(day, r))
    return improved(day, given, routes, stop, seed, engine=engine)


def improved(
    day: Day, given: dict[str, str], routes: tuple[Route, ...], stop: StoppingRule, seed: int, *, engine: str = "pyvrp"
) -> tuple[Route, ...]:
    """Search on from routes with the trucks that they use; never worse than they are."""
    fleet = frozenset(route.truck for route in routes if route.stops) or frozenset(truck.id for truck in day.trucks)
    again = _with_fleet(day, fleet, given, stop, seed, engine, warm=untimed(routes))
    return min(routes, again, key=lambda r: worth(day, r))


def untimed(routes: Iterable[Route]) -> Order:
    """The order of timed routes: without breaks and the last unloading."""
    return {route.truck: tuple(repair.opened(route)) for route in routes}


def _smaller_fleet(day: Day, routes: tuple[Route, ...], tried: set[frozenset[str]]) -> frozenset[str] | None:
    """The busy trucks without one: the smallest body first, then the one with fewest stops. None when every such fleet was tried."""
    busy = sorted((route for route in routes if route.stops), key=lambda r: (day.truck(r.truck).litres_max, len(r.stops), r.truck))
    fleets = (frozenset(route.truck for route in busy if route is not least) for least in busy)
    return next((fleet for fleet in fleets if fleet and fleet not in tried), None)


def _with_fleet(
    day: Day, fleet: frozenset[str], given: dict[str, str], stop: StoppingRule, seed: int, engine: str, *, warm: Order | None = None
) -> tuple[Route, ...]:
    """Search with some of the trucks; the others stay at home, or go there."""
    some = replace(day, trucks=tuple(truck for truck in day.trucks if truck.id in fleet))
    others = replace(day, trucks=tuple(truck for truck in day.trucks if truck.id not in fleet))
    return _search(some, given, stop, seed, engine, warm=warm) + repair.timed(Timetable(others), given, {})


def _search(day: Day, given: dict[str, str], stop: StoppingRule, seed: int, engine: str, *, warm: Order | None = None) -> tuple[Route, ...]:
    """Order and time, breaks and all. Where breaks may be due the order is sought again with their time set aside."""
    solve = ENGINES[engine]
    table = Timetable(day)
    if not any(_may_need_break(truck) for truck in day.trucks):
        return repair.timed(table, given, solve(day, given, stop, seed, warm=warm))
    order = solve(day, given, Until(stop, FIRST_PASS), seed, warm=warm)
    short = replace(day, trucks=tuple(_with_breaks_set_aside(table, given, order, truck) for truck in day.trucks))
    first = repair.timed(table, given, order)
    same = short.trucks == day.trucks
    again = repair.timed(table, given, solve(short, given, stop, seed, warm=order if same else None))
    return min(first, again, key=lambda routes: worth(day, routes))


def worth(day: Day, routes: Iterable[Route]) -> tuple[int, float]:
    """What is compared between plans of one day, less is better: must-stops not served, then net cost in euro."""
    routes = tuple(routes)
    served = {name for route in routes for name in route.stops}
    return sum(stop.must and stop.id not in served for stop in day.stops), price(day, routes).net


def finished(
    day: Day,
    routes: tuple[Route, ...],
    left_out: tuple[LeftOut, ...],
    *,
    version: int,
    parent: int | None,
    reasons: tuple[str, ...],
    engine: str,
    seed: int,
    done: tuple[str, ...],
) -> Plan:
    """Put routes of an admitted day into a plan that accounts for every stop."""
    served = {name for route in routes for name in route.stops}
    missing = tuple(_missing(stop.id, stop.must, stop.prize) for stop in day.stops if stop.id not in served)
    routes = tuple(sorted(routes, key=lambda route: route.truck))
    return Plan(version, parent, reasons, routes, left_out + missing, price(day, routes), engine, seed, done)


def _missing(name: str, must: bool, prize: float) -> LeftOut:
    if must:
        return LeftOut("stop", name, Reason.NO_TIME, "there is more work than the trucks can do in their shifts, breaks kept")
    return LeftOut(
        "stop",
        name,
        Reason.NOT_WORTH,
        f"emptying it is worth {prize:.2f} EUR today, less than the way or the time it takes",
        {"prize": round(prize, 2)},
    )


def _may_need_break(truck: Truck) -> bool:
    return truck.break_rule is not None and truck.latest - truck.leaves + truck.counted > truck.break_rule.limit


def _with_breaks_set_aside(table: Timetable, given: dict[str, str], order: Order, truck: Truck) -> Truck:
    """The truck with a shift that is shorter by the breaks due on its route, where they do not fit into it."""
    steps, rule = order.get(truck.id, ()), truck.break_rule
    if rule is None or not steps:
        return truck
    whole = repair.closed(table, truck, given[truck.id], steps)
    plain = table.run(replace(truck, break_rule=None), given[truck.id], whole)
    if not isinstance(plain, Route) or isinstance(break_rule.place(table, truck, given[truck.id], whole), Route):
        return truck
    counted = truck.counted + (sum(v.seconds for v in plain.visits) if rule.counted == "driving" else plain.ends - truck.leaves)
    end = truck.shift.end - rule.length * max(1, counted // rule.limit)
    return replace(truck, shift=Window(truck.shift.start, end)) if end > truck.leaves else truck
