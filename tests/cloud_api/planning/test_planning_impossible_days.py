"""Days on which much is wrong at once: both engines give a plan that the checker accepts and that says why each thing is left out."""

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from asty_cloud_api.planning.checker import check
from asty_cloud_api.planning.model import Day, Roads, Station, Stop, Truck, Window
from asty_cloud_api.planning.plan import LeftOut, Plan, Reason
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.stop import Iterations

ENGINES = ("pyvrp", "ortools")


def planned(day: Day, engine: str) -> Plan:
    plan = plan_day(day, Iterations(60), 1, engine=engine)
    assert check(day, plan) == ()
    assert plan.served | {item.id for item in plan.left_out if item.what == "stop"} == {stop.id for stop in day.stops}
    assert all(item.why for item in plan.left_out)
    return plan


def changed(day: Day, index: int, **changes: object) -> Day:
    stops = list(day.stops)
    stops[index] = replace(stops[index], **changes)
    return replace(day, stops=tuple(stops))


def with_roads(day: Day, holes: list[tuple[slice | int, slice | int]]) -> Day:
    seconds = day.roads["truck"].seconds.copy()
    for a, b in holes:
        seconds[a, b] = np.nan
    return replace(day, roads={"truck": Roads(seconds, day.roads["truck"].metres)})


@pytest.mark.parametrize("engine", ENGINES)
def test_a_day_with_every_fault_at_once_is_planned_without_what_is_impossible(town, engine: str) -> None:
    day = town(60, trucks=1, musts=1.0)
    day = changed(day, 0, windows=(Window(0, 3600),))  # over before the shift begins
    day = changed(day, 1, kg=math.nan)
    day = changed(day, 2, litres=math.inf)
    island, hole = day.stops[3].place, day.stops[4].place
    day = with_roads(day, [(island, slice(None)), (slice(None), island), (hole, day.stops[5].place)])
    closed = Station("closed", 1, open=Window(50, 40))
    short = replace(day.trucks[0], shift=Window(6 * 3600, 7 * 3600), overtime=0)  # more work than trucks
    late = replace(day.trucks[0], id="late", shift=Window(9 * 3600, 8 * 3600))
    plan = planned(replace(day, trucks=(short, late), stations=(*day.stations, closed)), engine)
    reasons = {item.id: item.reason for item in plan.left_out}
    assert [reasons[f"b{i}"] for i in range(4)] == [Reason.OUTSIDE_SHIFT, Reason.BAD_NUMBER, Reason.BAD_NUMBER, Reason.UNREACHABLE]
    assert (reasons["closed"], reasons["late"]) == (Reason.OUTSIDE_SHIFT, Reason.OUTSIDE_SHIFT)
    assert Reason.NO_TIME in reasons.values()
    assert 10 < len(plan.served) < 56


def test_each_reason_comes_with_what_a_screen_needs_to_say_it_in_its_own_language(town) -> None:
    day = town(8, trucks=1, musts=1.0)
    day = changed(day, 0, windows=(Window(0, 3600),))
    day = changed(day, 1, kg=math.nan)
    day = changed(day, 2, kg=9999)
    day = changed(day, 3, skills=frozenset({"crane"}))
    day = changed(day, 4, stream="glass")
    island = day.stops[5].place
    day = with_roads(day, [(island, slice(None)), (slice(None), island)])
    day = replace(day, roads={"truck": replace(day.roads["truck"], why={island: "cut_off"})})
    late = replace(day.trucks[0], id="late", shift=Window(-3600, 8 * 3600))
    plan = planned(replace(day, trucks=(*day.trucks, late)), "pyvrp")
    said = {item.id: (item.reason.value, item.params) for item in plan.left_out}
    assert said["b0"][0] == "outside_shift"
    assert said["b1"] == ("bad_number", {"field": "load"})
    assert (said["b2"][0], said["b2"][1]["kg"]) == ("too_big", 9999)
    assert (said["b3"][0], said["b3"][1]["skills"]) == ("no_skill", ["crane"])
    assert (said["b4"][0], said["b4"][1]["stream"]) == ("no_stream", "glass")
    assert (said["b5"][0], said["b5"][1]["road"]) == ("unreachable", "cut_off")
    assert said["late"] == ("bad_number", {"field": "shift"})
    kept = msgspec.convert(msgspec.json.decode(msgspec.json.encode(plan.left_out)), tuple[LeftOut, ...])
    assert kept == plan.left_out, "a number that is none would come back as nothing"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_depot_that_nobody_can_drive_to_leaves_trucks_and_stops_out(town, engine: str) -> None:
    plan = planned(with_roads(town(6, musts=1.0), [(slice(1, None), 0)]), engine)
    assert plan.routes == ()
    assert {item.id for item in plan.left_out if item.what == "truck"} <= {"t0", "t1"}
    assert {item.reason for item in plan.left_out if item.what == "stop"} <= {Reason.UNREACHABLE, Reason.NO_TRUCK, Reason.NO_STATION}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("hours", [Window(0, 3600), Window(20 * 3600, 23 * 3600), Window(9, 8)])
def test_a_transfer_station_closed_for_the_whole_shift_sends_nobody_out(town, engine: str, hours: Window) -> None:
    day = town(6, musts=1.0)
    plan = planned(replace(day, stations=(replace(day.stations[0], open=hours),)), engine)
    assert plan.routes == ()
    assert {item.reason for item in plan.left_out if item.what == "stop"} <= {Reason.NO_STATION, Reason.OUTSIDE_SHIFT}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_matrix_of_nothing_but_holes_is_an_empty_plan(town, engine: str) -> None:
    plan = planned(with_roads(town(5, musts=1.0), [(slice(None), slice(None))]), engine)
    assert plan.routes == ()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("field", ["kg_max", "litres_max", "overtime", "kg", "litres", "counted"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_a_truck_with_a_number_that_is_none_never_spoils_the_others(town, engine: str, field: str, value: float) -> None:
    day = town(6, musts=1.0)
    odd: Truck = replace(day.trucks[0], **{field: value})
    assert len(planned(replace(day, trucks=(odd, day.trucks[1])), engine).served) == 6


@pytest.mark.parametrize("engine", ENGINES)
def test_an_empty_day_is_an_empty_plan(town, engine: str) -> None:
    day = town(3)
    for empty in (replace(day, stops=()), replace(day, trucks=()), replace(day, stops=(), trucks=(), stations=(), roads={})):
        assert planned(empty, engine).routes == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stop_in_the_far_future_or_of_endless_service_is_left_out(town, engine: str) -> None:
    day = town(5, musts=1.0)
    stop: Stop = day.stops[0]
    for odd in (replace(stop, release=10**9), replace(stop, service=10**12), replace(stop, windows=(Window(10**9, 10**10),))):
        plan = planned(replace(day, stops=(odd, *day.stops[1:])), engine)
        assert "b0" not in plan.served
        assert len(plan.served) == 4


def test_a_load_that_is_ready_when_one_truck_is_home_already_goes_with_the_other(town) -> None:
    day = changed(changed(town(10, musts=1.0), 0, release=10 * 3600), 1, stream="glass")
    early, late = day.trucks
    early = replace(early, shift=Window(6 * 3600, 9 * 3600), overtime=0, streams=frozenset({"glass"}))
    late = replace(late, litres_max=7000)  # the smaller body: the search tries to do without it
    plan = planned(replace(day, trucks=(early, late)), "pyvrp")
    assert [route.truck for route in plan.routes if "b0" in route.stops] == ["t1"]
