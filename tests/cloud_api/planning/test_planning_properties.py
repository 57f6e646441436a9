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
numbers = st.one_of(st.floats(0, 900), st.sampled_from([math.nan, math.inf, -5.0, 0.0, 1e12]))
moments = st.integers(-3600, DAY + 3600)
windows = st.builds(Window, moments, moments)


@st.composite
def roads(draw: st.DrawFn, size: int) -> Roads:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    xy = rng.uniform(0, draw(st.sampled_from([500.0, 5000.0, 60_000.0])), (size, 2))
    metres = np.abs(xy[:, None] - xy[None]).sum(-1)
    seconds = metres / 8
    holes = rng.uniform(size=(size, size)) < draw(st.sampled_from([0.0, 0.0, 0.15, 0.9]))
    seconds[holes] = draw(st.sampled_from([math.nan, math.inf, -1.0]))
    return Roads(seconds, metres)


@st.composite
def days(draw: st.DrawFn) -> Day:
    size = draw(st.integers(2, 9))
    places = st.integers(0, size - 1)
    odd_places = st.one_of(places, places, places, st.sampled_from([-1, size, 999]))
    rules = st.one_of(st.none(), st.builds(BreakRule, st.integers(600, 9000), st.integers(60, 2700), st.sampled_from(["driving", "duty"])))
    stops = draw(
        st.lists(
            st.builds(
                Stop,
                st.sampled_from([f"b{i}" for i in range(14)]),
                odd_places,
                numbers,
                st.one_of(st.floats(0, 2000), numbers),
                st.integers(0, 900),
                st.lists(windows, max_size=3).map(tuple),
                st.booleans(),
                st.one_of(st.floats(0, 50), st.just(math.nan)),
                st.sampled_from(STREAMS),
                st.sampled_from([frozenset[str](), frozenset({"crane"})]),
                st.sampled_from([0, 0, 0, 3000]),
            ),
            max_size=12,
        )
    )
    trucks = draw(
        st.lists(
            st.builds(
                Truck,
                id=st.sampled_from(["t0", "t1", "t2", "t3"]),
                kg_max=st.one_of(st.floats(100, 3000), numbers),
                litres_max=st.floats(500, 9000),
                shift=st.one_of(st.just(Window(0, DAY)), windows),
                garage=places,
                start=odd_places,
                streams=st.sampled_from([frozenset(STREAMS), frozenset({"residual"}), frozenset({"glass"})]),
                skills=st.sampled_from([frozenset[str](), frozenset({"crane"})]),
                prices=st.builds(
                    Prices, st.sampled_from([0.0, 20.0]), st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 15.0]), st.just(25.0)
                ),
                overtime=st.sampled_from([0, 1800]),
                break_rule=rules,
                max_trips=st.sampled_from([None, 1, 2]),
                kg=st.sampled_from([0.0, 0.0, 80.0, math.nan, 5000.0]),
                aboard=st.sampled_from([None, None, "glass"]),
                ready=st.sampled_from([None, None, 2000]),
                counted=st.sampled_from([0, 500]),
            ),
            max_size=4,
        )
    )
    hours = st.one_of(st.none(), windows)
    stations = draw(
        st.lists(
            st.builds(
                Station,
                st.sampled_from(["s0", "s1"]),
                odd_places,
                st.integers(0, 1200),
                hours,
                st.sampled_from([None, frozenset({"glass"})]),
            ),
            max_size=2,
        )
    )
    return Day(tuple(trucks), tuple(stops), tuple(stations), {"truck": draw(roads(size))})


@pytest.mark.parametrize("engine", ["pyvrp", "ortools"])
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
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
