"""Whatever the day: an answer, every stop accounted for, and a checker that agrees; and a checker that notices when a plan is changed."""

import math
from dataclasses import replace

import numpy as np
import pytest
from asty_cloud_api.planning.checker import check
from asty_cloud_api.planning.model import BreakRule, Day, Prices, Roads, Station, Stop, Truck, Window
from asty_cloud_api.planning.plan import Plan, Route
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.stop import Iterations
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

DAY = 8 * 3600
STREAMS = ("residual", "glass")
BAD = st.sampled_from([math.nan, math.inf, -5.0, 1e12])
windows = st.builds(lambda a, n: Window(a, a + n), st.integers(0, DAY), st.integers(0, DAY))


def mostly[T](good: st.SearchStrategy[T], *odd: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Draw the odd one time in twelve, so that most days have something to plan and few are sound in everything."""
    return st.integers(0, 11).flatmap(lambda n: st.one_of(*odd) if n == 11 and odd else good)


@st.composite
def roads(draw: st.DrawFn, size: int) -> Roads:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    xy = rng.uniform(0, draw(st.sampled_from([500.0, 3000.0, 9000.0, 60_000.0])), (size, 2))
    metres = np.abs(xy[:, None] - xy[None]).sum(-1)
    seconds = metres / 8
    holes = rng.uniform(size=(size, size)) < draw(st.sampled_from([0.0, 0.0, 0.0, 0.15, 0.9]))
    seconds[holes] = draw(st.sampled_from([math.nan, math.inf, -1.0]))
    return Roads(seconds, metres)


@st.composite
def stops(draw: st.DrawFn, index: int, size: int) -> Stop:
    never = st.just((Window(5, 4),))
    return Stop(
        id=draw(mostly(st.just(f"b{index}"), st.just("b0"))),
        place=draw(mostly(st.integers(0, size - 1), st.sampled_from([-1, size, 999]))),
        kg=draw(mostly(st.floats(0, 200), BAD)),
        litres=draw(mostly(st.floats(0, 900), BAD)),
        service=draw(st.integers(0, 600)),
        windows=draw(mostly(st.just(()), st.lists(windows, min_size=1, max_size=3).map(tuple), st.just((Window(-900, 900),)), never)),
        must=draw(st.booleans()),
        prize=draw(mostly(st.floats(0, 50), BAD)),
        stream=draw(mostly(st.just("residual"), st.just("glass"), st.just("paper"))),
        skills=draw(mostly(st.just(frozenset[str]()), st.just(frozenset({"crane"})))),
        release=draw(mostly(st.just(0), st.just(3000))),
    )


@st.composite
def trucks(draw: st.DrawFn, index: int, size: int) -> Truck:
    places = st.integers(0, size - 1)
    return Truck(
        id=draw(mostly(st.just(f"t{index}"), st.just("t0"))),
        kg_max=draw(mostly(st.floats(200, 1500), BAD)),
        litres_max=draw(mostly(st.floats(900, 9000), BAD)),
        shift=draw(mostly(st.just(Window(0, DAY)), windows, st.just(Window(-100, DAY)), st.just(Window(9, 8)))),
        garage=draw(places),
        start=draw(mostly(places, st.just(size))),
        streams=draw(st.sampled_from([frozenset(STREAMS), frozenset({"residual"}), frozenset({"residual"}), frozenset({"glass"})])),
        skills=draw(st.sampled_from([frozenset[str](), frozenset({"crane"})])),
        prices=Prices(draw(st.sampled_from([0.0, 20.0])), 1.0, draw(st.sampled_from([0.0, 15.0])), draw(st.sampled_from([0.0, 25.0]))),
        overtime=draw(st.sampled_from([0, 1800])),
        break_rule=draw(
            st.one_of(st.none(), st.builds(BreakRule, st.integers(600, 9000), st.integers(60, 2700), st.sampled_from(["driving", "duty"])))
        ),
        max_trips=draw(st.sampled_from([None, None, 1, 2])),
        kg=draw(mostly(st.just(0.0), st.just(80.0), BAD)),
        litres=draw(mostly(st.just(0.0), st.just(700.5))),
        aboard=draw(mostly(st.none(), st.just("residual"), st.just("glass"))),
        ready=draw(mostly(st.none(), st.just(2000))),
        counted=draw(mostly(st.just(0), st.just(500))),
    )


@st.composite
def stations(draw: st.DrawFn, index: int, size: int) -> Station:
    return Station(
        id=f"s{index}",
        place=draw(mostly(st.integers(0, size - 1), st.just(-1))),
        service=draw(st.integers(0, 1200)),
        open=draw(mostly(st.none(), windows, st.just(Window(8, 7)))),
        streams=draw(mostly(st.none(), st.just(frozenset({"glass"})))),
    )


@st.composite
def days(draw: st.DrawFn) -> Day:
    size = draw(st.integers(2, 9))
    return Day(
        tuple(draw(trucks(i, size)) for i in range(draw(st.integers(0, 4)))),
        tuple(draw(stops(i, size)) for i in range(draw(st.integers(0, 12)))),
        tuple(draw(stations(i, size)) for i in range(draw(st.integers(0, 2)))),
        {"truck": draw(roads(size))},
    )


@pytest.mark.parametrize("engine", ["pyvrp", "ortools"])
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(day=days())
def test_any_day_gets_a_plan_that_the_checker_accepts(engine: str, day: Day) -> None:
    plan = plan_day(day, Iterations(60), 1, engine=engine)
    assert check(day, plan) == ()
    left = {item.id for item in plan.left_out if item.what == "stop"}
    assert {stop.id for stop in day.stops} == plan.served | left
    assert all(item.why for item in plan.left_out)


def mutants(plan: Plan) -> dict[str, Plan]:
    """Plans that are each wrong in one way."""
    route = plan.routes[0]
    index = next(i for i, v in enumerate(route.visits) if v.kind == "stop")
    visit = route.visits[index]

    def with_route(changed: Route) -> Plan:
        return replace(plan, routes=(changed, *plan.routes[1:]))

    def with_visit(**changes: object) -> Plan:
        visits = (*route.visits[:index], replace(visit, **changes), *route.visits[index + 1 :])  # type: ignore[arg-type]
        return with_route(replace(route, visits=visits))

    gone = tuple(v for i, v in enumerate(route.visits) if i != index)
    return {
        "a stop is forgotten": with_route(replace(route, visits=gone)),
        "a stop is served twice": with_route(replace(route, visits=(*route.visits[:index], visit, *route.visits[index:]))),
        "a stop nobody knows": with_visit(id="nobody"),
        "it arrives before it can": with_visit(arrive=visit.arrive - 1),
        "it serves before it arrives": with_visit(begin=visit.arrive - 1),
        "service is cut short": with_visit(leave=visit.begin),
        "the load is smaller than it is": with_visit(kg=visit.kg - 1),
        "the way is shorter than it is": with_visit(metres=visit.metres - 1),
        "it stands elsewhere": with_visit(place=visit.place + 1 if visit.place == 2 else visit.place - 1),
        "it never unloads": with_route(replace(route, visits=tuple(v for v in route.visits if v.kind != "unload"))),
        "it does not come home": with_route(replace(route, visits=route.visits[:-1])),
        "it carries another stream": with_route(replace(route, stream="glass")),
        "its truck has two routes": replace(plan, routes=(*plan.routes, route)),
        "its cost is understated": replace(plan, cost=replace(plan.cost, distance=plan.cost.distance - 1)),
        "its prizes are overstated": replace(plan, cost=replace(plan.cost, prizes=plan.cost.prizes + 1)),
        "what is left out is not said": replace(plan, left_out=(), routes=(with_route(replace(route, visits=gone)).routes)),
    }


@pytest.mark.parametrize("engine", ["pyvrp", "ortools"])
def test_the_checker_rejects_a_plan_changed_in_any_one_way(town, engine: str) -> None:
    day = town(12, trucks=1, musts=0.8)
    plan = plan_day(day, Iterations(200), 1, engine=engine)
    assert check(day, plan) == ()
    accepted = [name for name, wrong in mutants(plan).items() if not check(day, wrong)]
    assert accepted == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_checker_rejects_a_plan_whose_stops_change_places(town, data: st.DataObject) -> None:
    day = town(10, trucks=1, musts=1.0)
    plan = plan_day(day, Iterations(50), 1)
    route = plan.routes[0]
    at = [i for i, v in enumerate(route.visits) if v.kind == "stop"]
    first, second = data.draw(st.sampled_from(at)), data.draw(st.sampled_from(at))
    assume(first != second)
    visits = list(route.visits)
    visits[first], visits[second] = visits[second], visits[first]
    assert check(day, replace(plan, routes=(replace(route, visits=tuple(visits)),)))


def test_the_same_day_stop_and_seed_give_the_same_plan(town) -> None:
    day = town(40)
    assert plan_day(day, Iterations(300), 7) == plan_day(day, Iterations(300), 7)
