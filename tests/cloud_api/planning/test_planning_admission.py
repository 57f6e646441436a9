"""Impossible days: what is left out says why, and the rest of the day is planned."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from asty_cloud_api.planning.checker import check
from asty_cloud_api.planning.model import Day, Roads, Station, Stop, Window
from asty_cloud_api.planning.plan import LeftOut, Plan, Reason
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.stop import Iterations


def planned(day: Day) -> Plan:
    plan = plan_day(day, Iterations(150), 1)
    assert check(day, plan) == ()
    return plan


def said(plan: Plan, name: str) -> LeftOut:
    return next(item for item in plan.left_out if item.id == name)


def odd(day: Day, **changes: object) -> Day:
    """The day with its first stop changed and made a must."""
    return replace(day, stops=(replace(day.stops[0], must=True, **changes), *day.stops[1:]))


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"windows": (Window(0, 3600),)}, Reason.OUTSIDE_SHIFT, "windows"),
        ({"windows": (Window(9, 8),)}, Reason.OUTSIDE_SHIFT, "windows"),
        ({"kg": math.nan}, Reason.BAD_NUMBER, "nan kg"),
        ({"kg": -3.0}, Reason.BAD_NUMBER, "-3"),
        ({"kg": 5000.0}, Reason.TOO_BIG, "5000 kg"),
        ({"litres": 9000.0}, Reason.TOO_BIG, "9000 l"),
        ({"stream": "glass"}, Reason.NO_STREAM, "glass"),
        ({"skills": frozenset({"crane"})}, Reason.NO_SKILL, "crane"),
        ({"place": 4711}, Reason.BAD_PLACE, "4711"),
        ({"service": 40_000}, Reason.OUTSIDE_SHIFT, "home in time"),
    ],
)
def test_one_impossible_stop_is_left_out_with_its_reason_and_the_others_are_served(town, changes, reason: Reason, words: str) -> None:
    day = odd(town(8, musts=1.0), **changes)
    plan = planned(day)
    assert said(plan, "b0").reason is reason
    assert words in said(plan, "b0").why
    assert plan.served == {stop.id for stop in day.stops[1:]}


def test_a_bin_on_an_island_is_unreachable(town) -> None:
    day = town(8, musts=1.0)
    seconds = day.roads["truck"].seconds.copy()
    island = day.stops[0].place
    seconds[island, :] = seconds[:, island] = np.nan
    plan = planned(replace(day, roads={"truck": Roads(seconds, day.roads["truck"].metres)}))
    assert said(plan, "b0").reason is Reason.UNREACHABLE
    assert len(plan.served) == 7


def test_single_holes_in_the_matrix_are_driven_around(town) -> None:
    day = town(10, trucks=1, musts=1.0)
    first = planned(day).routes[0].visits
    seconds = day.roads["truck"].seconds.copy()
    for a, b in pairwise(first):
        if a.kind == b.kind == "stop":
            seconds[a.place, b.place] = np.nan
    plan = planned(replace(day, roads={"truck": Roads(seconds, day.roads["truck"].metres)}))
    assert len(plan.served) == 10


def test_a_closed_transfer_station_leaves_everything_out_and_says_so(town) -> None:
    day = town(5, musts=1.0)
    plan = planned(replace(day, stations=(Station("ts", 1, open=Window(100, 99)),)))
    assert plan.routes == ()
    assert said(plan, "ts").reason is Reason.OUTSIDE_SHIFT
    assert {said(plan, stop.id).reason for stop in day.stops} == {Reason.NO_STATION}


def test_a_station_that_closes_at_noon_has_everything_unloaded_before(town) -> None:
    day = town(40, trucks=2, musts=1.0)
    plan = planned(replace(day, stations=(replace(day.stations[0], open=Window(7 * 3600, 10 * 3600)),)))
    unloads = [v for route in plan.routes for v in route.visits if v.kind == "unload"]
    assert unloads
    assert all(7 * 3600 <= v.begin <= 10 * 3600 for v in unloads)


def test_more_work_than_trucks_leaves_out_the_rest_and_fills_the_shift(town) -> None:
    day = town(400, trucks=1, musts=1.0)
    plan = planned(day)
    assert {item.reason for item in plan.left_out} == {Reason.NO_TIME}
    assert len(plan.served) > 100
    assert len(plan.served) + len(plan.left_out) == 400


def test_a_day_without_trucks_leaves_everything_out(town) -> None:
    plan = planned(replace(town(4), trucks=()))
    assert [item.reason for item in plan.left_out] == [Reason.NO_TRUCK] * 4


def test_a_truck_whose_shift_is_over_stays_at_home_and_says_so(town) -> None:
    day = town(6)
    plan = planned(day.with_truck(replace(day.trucks[0], ready=day.trucks[0].latest + 1)))
    assert said(plan, "t0").reason is Reason.OUTSIDE_SHIFT
    assert all(route.truck == "t1" for route in plan.routes)


def test_an_unknown_load_aboard_counts_as_full(town) -> None:
    day = town(6, trucks=1, musts=1.0)
    plan = planned(day.with_truck(replace(day.trucks[0], kg=math.nan)))
    assert plan.routes[0].visits[1].kind == "unload"
    assert len(plan.served) == 6


def test_two_streams_are_never_in_one_body(town) -> None:
    day = town(20, trucks=3, musts=1.0)
    stops = tuple(replace(s, stream="glass") if i % 3 == 0 else s for i, s in enumerate(day.stops))
    trucks = tuple(replace(t, streams=frozenset({"residual", "glass"})) for t in day.trucks)
    plan = planned(replace(day, stops=stops, trucks=trucks))
    assert len(plan.served) == 20
    assert {route.stream for route in plan.routes} == {"residual", "glass"}


def test_a_second_window_is_used_when_the_first_is_over(town) -> None:
    day = odd(town(6, trucks=1, musts=1.0), windows=(Window(0, 3600), Window(11 * 3600, 12 * 3600)))
    plan = planned(day)
    visit = next(v for v in plan.routes[0].visits if v.id == "b0")
    assert 11 * 3600 <= visit.begin <= 12 * 3600


def test_an_optional_bin_is_served_when_its_prize_is_worth_the_way_and_not_otherwise(town) -> None:
    day = town(1, trucks=1)
    far = replace(day.stops[0], must=False, prize=0.5)
    assert planned(replace(day, stops=(far,))).served == frozenset()
    assert planned(replace(day, stops=(replace(far, prize=500.0),))).served == {"b0"}


def test_matrices_of_unequal_size_are_refused(town) -> None:
    day = town(3)
    with pytest.raises(ValueError, match="of one size"):
        plan_day(replace(day, roads={**day.roads, "van": Roads(np.zeros((2, 2)), np.zeros((2, 2)))}), Iterations(5), 1)


def test_a_stop_listed_twice_is_served_once(town) -> None:
    day = town(4, musts=1.0)
    twin: Stop = day.stops[0]
    plan = planned(replace(day, stops=(*day.stops, twin)))
    assert said(plan, "b0").reason is Reason.DUPLICATE
    assert sum(route.stops.count("b0") for route in plan.routes) == 1
