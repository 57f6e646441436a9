"""Why a plan is as it is: why this bin, why not that one, what each rule costs, and what differs from another plan."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from asty_cloud_api.planning import break_rule, planner, repair
from asty_cloud_api.planning.admission import admit, blocks
from asty_cloud_api.planning.model import Day, Stop, Truck, Window
from asty_cloud_api.planning.plan import Plan, Reason, Route
from asty_cloud_api.planning.schedule import Timetable, price
from asty_cloud_api.planning.stop import StoppingRule

Rule = Literal["windows", "breaks", "overtime", "shift", "kg", "litres", "skills", "streams", "station hours", "must"]
RULES: tuple[Rule, ...] = ("windows", "breaks", "overtime", "shift", "kg", "litres", "skills", "streams", "station hours", "must")
PLENTY = 1e9
LATE = 6 * 3600
"""How much longer a shift is when its end is set aside, s."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Why a stop is on a route: it must be, or its prize is more than the detour that it costs (euro, metres, seconds of the route)."""

    stop: str
    truck: str
    must: bool
    prize: float
    detour_cost: float
    detour_metres: float
    detour_seconds: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one truck does not serve a stop; `cost` of the cheapest way to do it where there is one, euro.

    `code` is a Reason, or `other_stream`, `no_place` (its route has none that all rules allow), `costs`.
    """

    truck: str
    code: str
    why: str
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class NotChosen:
    """Why a stop is left out, and what each truck says to it; `cheapest`: the least cost of putting it in, euro, None: nothing fits."""

    stop: str
    reason: Reason | None
    why: str
    prize: float
    cheapest: float | None
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class RuleCost:
    """What a rule costs: the plan against one made without it in a small budget: `saved` euro (never negative), stops more."""

    rule: Rule
    saved: float
    more_stops: int
    more_musts: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A plan against another one (yesterday's, the fixed routes): this minus the other. `moved` are served by another truck in each."""

    metres: float
    seconds: int
    cost: float
    stops: int
    kg: float
    only_here: frozenset[str]
    only_there: frozenset[str]
    moved: frozenset[str]


def why_chosen(day: Day, plan: Plan, name: str) -> Chosen | None:
    """Explain a stop that is on a route; None when it is on none. Raises KeyError for a stop that the day does not have."""
    stop = day.stop(name)
    route = next((r for r in plan.routes if name in r.stops), None)
    if route is None:
        return None
    admitted = admit(replace(day, done=())).day
    truck, table = admitted.truck(route.truck), Timetable(admitted)
    rest = [step for step in repair.opened(route) if not (step.kind == "stop" and step.id == name)]
    without = (
        break_rule.place(table, truck, route.stream, repair.closed(table, truck, route.stream, rest)) if rest or truck.is_out else None
    )
    if isinstance(without, Route):
        cost = price(admitted, (route,)).total - price(admitted, (without,)).total
        metres, seconds = route.metres - without.metres, route.ends - without.ends
    else:
        cost, metres, seconds = price(admitted, (route,)).total, route.metres, route.ends - route.begins
    return Chosen(name, route.truck, stop.must, stop.prize, cost, metres, seconds)


def why_not(day: Day, plan: Plan, name: str) -> NotChosen | None:
    """Explain a stop that is left out; None when it is served. Raises KeyError for a stop that the day does not have."""
    stop = day.stop(name)
    if name in plan.served:
        return None
    item = next((left for left in plan.left_out if left.what == "stop" and left.id == name), None)
    reason, why = (item.reason, item.why) if item else (None, "it was done before this plan")
    admitted = admit(replace(day, done=())).day
    if reason in (None, Reason.BAD_NUMBER, Reason.BAD_PLACE, Reason.DUPLICATE):
        return NotChosen(name, reason, why, stop.prize, None, ())
    if any(known.id == name for known in admitted.stops):
        stop = admitted.stop(name)
    refusals = tuple(_refusal(admitted, plan, truck, stop) for truck in admitted.trucks)
    cheapest = min((r.cost for r in refusals if r.cost is not None), default=None)
    return NotChosen(name, reason, why, stop.prize, cheapest, refusals)


def rule_costs(day: Day, plan: Plan, stop: Iterable[tuple[Rule, StoppingRule]], seed: int) -> tuple[RuleCost, ...]:
    """Plan again without each of the rules named, each in its own budget. What binds nothing in the day is not tried."""
    costs: list[RuleCost] = []
    musts = {s.id for s in day.stops if s.must}
    for rule, budget in stop:
        freer = relaxed(day, rule)
        if freer is None:
            costs.append(RuleCost(rule, 0.0, 0, 0))
            continue
        other = planner.plan_day(freer, budget, seed, engine=plan.engine)
        more_musts = max(0, len(other.served & musts) - len(plan.served & musts))
        saved = plan.cost.net - _net(day, other) if len(other.served & musts) >= len(plan.served & musts) else 0.0
        costs.append(RuleCost(rule, max(0.0, saved), max(0, len(other.served) - len(plan.served)), more_musts))
    return tuple(costs)


def compare(plan: Plan, other: Plan) -> Comparison:
    """Compare two plans of one town; stops and trucks are matched by id."""
    here = {name: route.truck for route in plan.routes for name in route.stops}
    there = {name: route.truck for route in other.routes for name in route.stops}
    return Comparison(
        metres=plan.metres - other.metres,
        seconds=_seconds(plan) - _seconds(other),
        cost=plan.cost.total - other.cost.total,
        stops=len(here) - len(there),
        kg=sum(route.kg for route in plan.routes) - sum(route.kg for route in other.routes),
        only_here=frozenset(here.keys() - there.keys()),
        only_there=frozenset(there.keys() - here.keys()),
        moved=frozenset(name for name in here.keys() & there.keys() if here[name] != there[name]),
    )


def relaxed(day: Day, rule: Rule) -> Day | None:
    """The day without one rule, None when the rule binds nothing there."""
    match rule:
        case "windows":
            return _stops(day, [replace(s, windows=()) if s.windows else s for s in day.stops])
        case "skills":
            return _stops(day, [replace(s, skills=frozenset()) if s.skills else s for s in day.stops])
        case "must":
            return _stops(day, [replace(s, must=False) if s.must else s for s in day.stops])
        case "streams":
            every = frozenset(s.stream for s in day.stops)
            return _trucks(day, [replace(t, streams=every) if t.aboard is None and not every <= t.streams else t for t in day.trucks])
        case "breaks":
            return _trucks(day, [replace(t, break_rule=None) if t.break_rule else t for t in day.trucks])
        case "overtime":
            return _trucks(day, [replace(t, overtime=t.overtime + LATE) for t in day.trucks])
        case "shift":
            return _trucks(day, [replace(t, shift=Window(t.shift.start, t.shift.end + LATE)) for t in day.trucks])
        case "kg":
            return _trucks(day, [replace(t, kg_max=PLENTY) for t in day.trucks])
        case "litres":
            return _trucks(day, [replace(t, litres_max=PLENTY) for t in day.trucks])
        case "station hours":
            return replace(day, stations=tuple(replace(s, open=None) for s in day.stations)) if any(s.open for s in day.stations) else None


def _stops(day: Day, stops: list[Stop]) -> Day | None:
    return None if tuple(stops) == day.stops else replace(day, stops=tuple(stops))


def _trucks(day: Day, trucks: list[Truck]) -> Day | None:
    return None if tuple(trucks) == day.trucks else replace(day, trucks=tuple(trucks))


def _net(day: Day, plan: Plan) -> float:
    """The net cost at the day's own prices and prizes."""
    stops = {s.id: s for s in day.stops}
    return price(day, plan.routes).total - sum(stops[name].prize for name in plan.served if not stops[name].must)


def _seconds(plan: Plan) -> int:
    return sum(route.ends - route.begins for route in plan.routes)


_BLOCKED = {
    Reason.NO_STREAM: "it does not take this stream",
    Reason.NO_SKILL: "it lacks what the stop needs",
    Reason.TOO_BIG: "the load is more than it holds",
    Reason.UNREACHABLE: "it cannot drive there and back",
    Reason.NO_STATION: "no open station would take the load in time",
    Reason.OUTSIDE_SHIFT: "it cannot be there in the stop's windows and home in time",
}


def _refusal(day: Day, plan: Plan, truck: Truck, stop: Stop) -> Refusal:
    """What it would cost this truck to serve the stop besides its route, or why it can't."""
    blocked = blocks(day, truck, stop)
    if blocked is not None:
        return Refusal(truck.id, blocked.value, _BLOCKED.get(blocked, blocked.value))
    route = plan.route(truck.id)
    if route is not None and route.stops and route.stream != stop.stream:
        return Refusal(truck.id, "other_stream", f"it carries {route.stream} in this plan")
    alone = replace(day, trucks=(truck,))
    routes = {truck.id: route} if route is not None else {}
    before = price(day, (route,)).total if route is not None else 0.0
    if not repair.insert(Timetable(alone), {truck.id: stop.stream}, routes, stop):
        return Refusal(truck.id, "no_place", "its route has no place where the stop's windows, its load, its break and its shift all hold")
    cost = price(day, (routes[truck.id],)).total - before
    return Refusal(truck.id, "costs", f"it would cost {cost:.2f} EUR more", cost)
