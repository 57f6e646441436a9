"""Something happened: what is done stays done, trucks go on from where they are, and drivers are not tossed about."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from asty_cloud_api.planning.checker import check
from asty_cloud_api.planning.model import Day, Done, Roads
from asty_cloud_api.planning.plan import Plan, Reason
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.replan import (
    NO_HYSTERESIS,
    Breakdown,
    Hysteresis,
    MustVisit,
    Overflow,
    Replanned,
    Skip,
    StreetClosed,
    TruckFull,
    replan,
)
from asty_cloud_api.planning.stop import Iterations


def at(day: Day, plan: Plan, now: int) -> Day:
    """The day at `now`, everything having gone as planned."""
    done: list[Done] = []
    for route in plan.routes:
        past = [v for v in route.visits if v.leave <= now]
        done += [Done(v.id, route.truck, v.leave) for v in past if v.kind == "stop"]
        last = past[-1]
        day = day.with_truck(
            replace(
                day.truck(route.truck),
                start=last.place,
                ready=max(now, last.leave),
                kg=last.kg,
                litres=last.litres,
                aboard=route.stream,
                trips=1 + sum(v.kind == "unload" for v in past),
            )
        )
    return replace(day, done=tuple(done))


@pytest.fixture(scope="module")
def morning(town) -> tuple[Day, Plan]:
    day = town(60, trucks=3, musts=0.7)
    return day, plan_day(day, Iterations(300), 1)


@pytest.fixture(scope="module")
def running(morning) -> tuple[Day, Plan]:
    day, plan = morning
    return at(day, plan, 6 * 3600 + 2700), plan


def ok(result: Replanned, parent: Plan) -> Replanned:
    assert check(result.day, result.plan) == ()
    assert result.plan.version == parent.version + 1
    assert result.plan.parent == parent.version
    assert result.plan.reasons
    return result


def test_done_stops_are_frozen_and_trucks_go_on_from_where_they_are(running) -> None:
    day, plan = running
    assert day.done
    result = ok(replan(day, plan, Skip(next(iter(plan.served - {d.stop for d in day.done})), "blocked by a car"), Iterations(100), 1), plan)
    assert set(result.plan.done) == {d.stop for d in day.done}
    assert not result.plan.served & {d.stop for d in day.done}
    for route in result.plan.routes:
        truck = day.truck(route.truck)
        assert route.visits[0].place == truck.start
        assert route.visits[0].leave >= truck.leaves
        assert route.visits[0].kg == truck.kg


def test_an_overflowing_bin_that_was_not_worth_the_way_is_served(running) -> None:
    day, plan = running
    name = next(item.id for item in plan.left_out if item.reason is Reason.NOT_WORTH)
    result = ok(replan(day, plan, Overflow(name, "citizen"), Iterations(100), 1), plan)
    assert name in result.plan.served
    assert name in result.plan.reasons[0]
    assert "citizen" in result.plan.reasons[0]


def test_a_new_must_visit_is_served(running) -> None:
    day, plan = running
    new = replace(day.stops[0], id="market", must=False)
    result = ok(replan(day, plan, MustVisit(new), Iterations(100), 1), plan)
    assert "market" in result.plan.served


def test_a_done_bin_that_overflows_again_is_served_again(running) -> None:
    day, plan = running
    name = day.done[0].stop
    result = ok(replan(day, plan, Overflow(name), Iterations(100), 1), plan)
    assert name in result.plan.served


def test_a_full_truck_unloads_before_its_next_bin(running) -> None:
    day, plan = running
    name = plan.routes[0].truck
    result = ok(replan(day, plan, TruckFull(name), Iterations(100), 1), plan)
    route = result.plan.route(name)
    assert route is not None
    assert route.visits[1].kind == "unload"


def test_the_bins_of_a_broken_truck_go_to_the_others(running) -> None:
    day, plan = running
    broken = max(plan.routes, key=lambda r: len(r.stops))
    left = set(broken.stops) - {d.stop for d in day.done}
    musts = {s.id for s in day.stops if s.must}
    result = ok(replan(day, plan, Breakdown(broken.truck), Iterations(300), 1), plan)
    assert result.plan.route(broken.truck) is None
    assert left & musts <= result.plan.served
    assert any(item.id == broken.truck and item.reason is Reason.BROKEN_DOWN for item in result.plan.left_out)


def test_a_closed_street_is_not_driven(running) -> None:
    day, plan = running
    route = plan.routes[0]
    todo = [v for v in route.visits if v.kind == "stop" and v.id not in {d.stop for d in day.done}]
    a, b = todo[0].place, todo[1].place
    roads = day.roads["truck"]
    seconds = roads.seconds.copy()
    seconds[a, b] = np.nan
    result = ok(replan(day, plan, StreetClosed({"truck": Roads(seconds, roads.metres)}, "Ερμού"), Iterations(200), 1), plan)
    assert "Ερμού" in result.plan.reasons[0]
    driven = {(x.place, y.place) for r in result.plan.routes for x, y in pairwise(r.visits)}
    assert (a, b) not in driven


def test_a_skipped_stop_is_left_out_with_the_drivers_words(running) -> None:
    day, plan = running
    name = next(iter(sorted(plan.served - {d.stop for d in day.done})))
    result = ok(replan(day, plan, Skip(name, "not out"), Iterations(100), 1), plan)
    item = next(i for i in result.plan.left_out if i.id == name)
    assert item.reason is Reason.SKIPPED
    assert "not out" in item.why


def ahead(day: Day, plan: Plan, truck: str) -> list[str]:
    route = plan.route(truck)
    assert route is not None
    return [name for name in route.stops if name not in {d.stop for d in day.done}]


def on_the_spot(day: Day, plan: Plan) -> tuple[str, MustVisit]:
    """A new stop where a truck stands right now: to serve it at once costs nothing, to come back for it does."""
    name = max(plan.routes, key=lambda r: len(r.stops)).truck
    return name, MustVisit(replace(day.stops[0], id="here", place=day.truck(name).start, kg=1.0, litres=1.0))


def test_the_next_stops_of_a_driver_stay_when_changing_them_is_not_worth_it(running) -> None:
    day, plan = running
    name, trigger = on_the_spot(day, plan)
    result = ok(replan(day, plan, trigger, Iterations(200), 5, hysteresis=Hysteresis(stops=3, gain=1e9)), plan)
    assert ahead(day, result.plan, name)[:3] == ahead(day, plan, name)[:3]
    assert "here" in result.plan.served


def test_the_next_stops_change_when_that_saves_more_than_the_threshold(running) -> None:
    day, plan = running
    name, trigger = on_the_spot(day, plan)
    result = ok(replan(day, plan, trigger, Iterations(200), 5, hysteresis=NO_HYSTERESIS), plan)
    route = result.plan.route(name)
    assert route is not None
    assert route.stops[0] == "here"
    assert route.locked == 0


def test_trucks_whose_stops_did_not_change_are_not_told(running) -> None:
    day, plan = running
    name = next(iter(sorted(plan.served - {d.stop for d in day.done})))
    owner = next(r.truck for r in plan.routes if name in r.stops)
    result = ok(replan(day, plan, Skip(name, "no access"), Iterations(1), 1, hysteresis=Hysteresis(stops=99, gain=1e9)), plan)
    assert owner in result.changed
    for route in plan.routes:
        if route.truck not in result.changed:
            assert ahead(day, plan, route.truck) == ahead(day, result.plan, route.truck)


def test_versions_follow_each_other_over_a_whole_day(morning) -> None:
    day, plan = morning
    for hour, trigger in ((7, "overflow"), (8, "full"), (9, "skip")):
        day = at(day, plan, hour * 3600)
        todo = sorted(plan.served - {d.stop for d in day.done})
        if trigger == "overflow":
            event: object = Overflow(next(i.id for i in plan.left_out if i.what == "stop"))
        elif trigger == "full":
            event = TruckFull(plan.routes[0].truck)
        else:
            event = Skip(todo[0], "damaged") if todo else TruckFull(plan.routes[0].truck)
        result = ok(replan(day, plan, event, Iterations(60), 1), plan)  # type: ignore[arg-type]
        day, plan = result.day, result.plan
    assert plan.version == 4


def test_a_trigger_about_a_stop_or_truck_nobody_knows_is_refused(running) -> None:
    day, plan = running
    for trigger in (Overflow("nobody"), Breakdown("nobody"), TruckFull("nobody"), Skip("nobody", "")):
        with pytest.raises(KeyError, match="nobody"):
            replan(day, plan, trigger, Iterations(5), 1)
