"""Drivers get their break: in time, whole, without missing a window; when there is no time for it, stops are left out and not the break."""

from dataclasses import replace

import pytest
from asty_cloud_api.planning import break_rule
from asty_cloud_api.planning.checker import check
from asty_cloud_api.planning.model import EU_561, WORKING_TIME, BreakRule, Day, Window
from asty_cloud_api.planning.plan import Plan, Reason, Route
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.schedule import Step, Timetable
from asty_cloud_api.planning.stop import Iterations


def ruled(day: Day, rule: BreakRule) -> Day:
    return replace(day, trucks=tuple(replace(truck, break_rule=rule) for truck in day.trucks))


def breaks(plan: Plan) -> list[int]:
    return [v.leave - v.begin for route in plan.routes for v in route.visits if v.kind == "break"]


@pytest.mark.parametrize("engine", ["pyvrp", "ortools"])
@pytest.mark.parametrize("counted", ["driving", "duty"])
def test_a_break_comes_before_too_much_is_counted(town, engine: str, counted) -> None:
    rule = BreakRule(limit=5400, length=1200, counted=counted)
    day = ruled(town(25, trucks=1, musts=1.0, side=9000), rule)
    plan = plan_day(day, Iterations(300), 1, engine=engine)
    assert check(day, plan) == ()
    assert breaks(plan)
    assert set(breaks(plan)) == {1200}
    without = replace(plan, routes=tuple(replace(r, visits=tuple(v for v in r.visits if v.kind != "break")) for r in plan.routes))
    assert any(v.rule == "break" for v in check(day, without))


def test_no_break_is_planned_where_none_is_due(town) -> None:
    assert breaks(plan_day(ruled(town(10), EU_561), Iterations(100), 1)) == []


def test_the_two_rules_of_law_are_what_the_law_says() -> None:
    assert (EU_561.limit, EU_561.length, EU_561.counted) == (4.5 * 3600, 45 * 60, "driving")
    assert (WORKING_TIME.limit, WORKING_TIME.length, WORKING_TIME.counted) == (6 * 3600, 30 * 60, "duty")


def test_what_was_driven_before_counts(town) -> None:
    day = ruled(town(10, trucks=1, musts=1.0), EU_561)
    tired = day.with_truck(replace(day.trucks[0], counted=EU_561.limit - 60))
    plan = plan_day(tired, Iterations(100), 1)
    assert check(tired, plan) == ()
    assert breaks(plan) == [45 * 60]


def test_a_break_uses_a_wait_for_a_window_where_there_is_one(town) -> None:
    day = ruled(town(2, trucks=1, musts=1.0), BreakRule(limit=7200, length=1800, counted="duty"))
    truck = day.trucks[0]
    late = replace(day, stops=(day.stops[0], replace(day.stops[1], windows=(Window(truck.leaves + 7200, truck.leaves + 10_800),))))
    route = break_rule.place(Timetable(late), truck, "residual", (Step("stop", "b0"), Step("stop", "b1"), Step("unload", "ts")))
    assert isinstance(route, Route)
    plain = Timetable(late).run(replace(truck, break_rule=None), "residual", (Step("stop", "b0"), Step("stop", "b1"), Step("unload", "ts")))
    assert isinstance(plain, Route)
    assert route.ends == plain.ends


def test_a_leg_longer_than_the_rule_cannot_be_driven_and_is_said(town) -> None:
    day = ruled(town(3, trucks=1, musts=1.0, side=40_000), BreakRule(limit=120, length=60))
    plan = plan_day(day, Iterations(60), 1)
    assert check(day, plan) == ()
    assert plan.served == frozenset()
    assert {item.reason for item in plan.left_out} == {Reason.NO_TIME}


def test_a_full_shift_gives_up_stops_and_not_the_break(town) -> None:
    day = ruled(town(300, trucks=1, musts=1.0), BreakRule(limit=9000, length=2700, counted="duty"))
    plan = plan_day(day, Iterations(120), 1)
    assert check(day, plan) == ()
    assert len(breaks(plan)) >= 2
    assert any(item.reason is Reason.NO_TIME for item in plan.left_out)
