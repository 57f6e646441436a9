"""What a dispatcher relies on: the day gets a plan that was checked, and what happens on the road changes it, once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from asty_cloud_api.dispatch import reading, stored
from asty_cloud_api.dispatch.ways import WaysAwayError
from asty_cloud_api.planning.checker import check

MINUTE = timedelta(minutes=1)


def lift(dispatch: Any, edge: str, name: str, at: Any, kg: float = 90.0) -> None:
    """Let a truck lift a bin of the register, as the stream stores it."""
    (row,) = dispatch.rows("SELECT tag, lat, lon FROM fleet.bin WHERE id = %s", name)
    dispatch.lifts(edge, (row.tag, at, kg))


async def running(dispatch: Any) -> Any:
    """The plan that runs, as the planner reads it."""
    (row,) = dispatch.rows("SELECT * FROM fleet.plan WHERE state = 'running'")
    return stored.read_stored(row._asdict())


async def accepted(dispatch: Any) -> None:
    """The stored plan answers the stored problem with no rule broken, over ways that are asked for again."""
    plan = await running(dispatch)
    roads = {profile: await dispatch.ways.matrix(measures, plan.problem.points, ()) for profile, measures in plan.problem.measures.items()}
    known = {stop.id for stop in plan.problem.stops}
    own = tuple(item for item in plan.plan.left_out if item.what != "stop" or item.id in known)
    assert check(plan.problem.with_roads(roads), replace(plan.plan, left_out=own)) == ()


async def test_a_day_without_a_plan_gets_one_at_once_that_the_checker_accepts(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    await planner.plan_days()
    (plan,) = dispatch.rows("SELECT * FROM fleet.plan")
    assert (plan.version, plan.state, plan.made_by, plan.parent) == (1, "running", "planner", None)
    assert plan.figures["stops"] + plan.figures["left_out"] == 140
    await accepted(dispatch)
    routes = dispatch.routes()
    assert set(routes) == {"truck-01", "truck-02", "truck-03"}
    for row in routes.values():
        assert row.version == 1
        assert [stop["n"] for stop in row.stops] == [leg["to"] for leg in row.path] == list(range(1, len(row.stops) + 1))
        assert [stop["kind"] for stop in row.stops][-2:] == ["station", "garage"]
        assert all(stop["why"] for stop in row.stops)


async def test_every_bin_that_the_plan_does_without_is_named_with_its_reason(dispatch: Any) -> None:
    await dispatch.planner().plan_days()
    (plan,) = dispatch.rows("SELECT result FROM fleet.plan")
    served = {stop["id"] for row in dispatch.routes().values() for stop in row.stops if stop["kind"] == "bin"}
    left = {item["id"]: item for item in plan.result["plan"]["left_out"]}
    every = {row.id for row in dispatch.rows("SELECT id FROM fleet.bin")}
    assert served | left.keys() == every
    assert not served & left.keys()
    glass = {row.id for row in dispatch.rows("SELECT id FROM fleet.bin WHERE stream = 'γυαλί'")}
    assert {left[name]["reason"] for name in glass} == {"no_stream"}, "recycling is in the only truck that takes glass"


async def test_the_next_day_is_planned_from_the_set_time_on(dispatch: Any) -> None:
    planner = dispatch.planner()
    dispatch.now = dispatch.at("03:50", days=1)  # still the same service day
    await planner.plan_days()
    assert len(dispatch.rows("SELECT DISTINCT day FROM fleet.plan")) == 1
    dispatch.now = dispatch.at("04:05", days=1)
    await planner.plan_days()
    days = dispatch.rows("SELECT day, result FROM fleet.plan ORDER BY day")
    assert len(days) == 2
    assert days[1].day - days[0].day == timedelta(days=1)


async def test_a_breakdown_takes_the_truck_out_and_gives_its_bins_to_the_other(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    before = dispatch.ahead("truck-01")
    trigger = dispatch.trigger("breakdown", "truck-01", "driver")
    assert await planner.answer_waiting() == 1
    answer = dispatch.answer(trigger)
    assert answer.state == "answered"
    assert "truck-01" in answer.why
    plan = await running(dispatch)
    assert plan.id == answer.plan
    assert dispatch.ahead("truck-01") == []
    assert dispatch.routes()["truck-01"].version == 2
    assert any(item.id == "truck-01" and item.reason == "broken_down" for item in plan.plan.left_out)
    assert len(before) > 20
    await accepted(dispatch)
    dispatch.trigger("breakdown", "truck-01", "driver")
    await planner.answer_waiting()
    assert (await running(dispatch)).id == plan.id, "it is out already"


async def test_a_truck_that_is_mended_or_new_in_the_register_joins_the_day_when_the_dispatcher_says_so(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    dispatch.trigger("breakdown", "truck-01", "driver")
    await planner.answer_waiting()
    alone = len((await running(dispatch)).plan.served)
    dispatch.rows(
        'INSERT INTO fleet.vehicle SELECT (jsonb_populate_record(v, \'{"edge": "hired-1", "height_m": 3.1}\')).*'
        " FROM fleet.vehicle AS v WHERE edge = 'truck-02'"
    )
    try:
        for edge in ("truck-01", "hired-1"):
            dispatch.trigger("street_closed", "again", truck=edge)
        stranger = dispatch.trigger("street_closed", "again", truck="nobody")
        await planner.answer_waiting()
    finally:
        dispatch.rows("DELETE FROM fleet.vehicle WHERE edge = 'hired-1'")
    now = await running(dispatch)
    assert {truck.id for truck in now.problem.trucks} == {"truck-01", "truck-02", "truck-03", "hired-1"}
    assert not any(item.what == "truck" for item in now.plan.left_out)
    assert len(now.plan.served) >= alone
    assert dispatch.answer(stranger).state == "ignored"
    await accepted(dispatch)


async def test_a_truck_gets_a_new_route_only_when_its_own_stops_change(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    name = dispatch.ahead("truck-02")[20]
    dispatch.trigger("skip", name, "driver", edge="truck-02", reason="no_access")
    await planner.answer_waiting()
    versions = {edge: row.version for edge, row in dispatch.routes().items()}
    assert versions == {"truck-01": 1, "truck-02": 2, "truck-03": 1}
    assert name not in dispatch.ahead("truck-02")


async def test_a_bin_that_was_skipped_is_served_again_when_somebody_asks_for_it(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    name = dispatch.ahead("truck-02")[20]
    dispatch.trigger("skip", name, "driver", edge="truck-02", reason="no_access")
    await planner.answer_waiting()
    dispatch.now += 10 * MINUTE
    dispatch.trigger("overflow", name, "citizen")
    await planner.answer_waiting()
    assert name in dispatch.ahead("truck-02")
    (stop,) = [stop for stop in dispatch.routes()["truck-02"].stops if stop["id"] == name]
    assert stop["must"]
    assert stop["why"] == "Αναφορά υπερχείλισης από πολίτη"
    await accepted(dispatch)


async def test_a_trigger_that_changes_nothing_is_answered_with_why(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    name = dispatch.ahead("truck-01")[5]
    known = dispatch.trigger("overflow", name, "citizen")
    nobody = dispatch.trigger("overflow", "bin-9999", "citizen")
    stranger = dispatch.trigger("truck_full", "truck-77", "driver")
    assert await planner.answer_waiting() == 3
    assert dispatch.answer(known).state == "answered"
    assert "truck-01" in dispatch.answer(known).why
    assert (dispatch.answer(nobody).state, dispatch.answer(stranger).state) == ("ignored", "ignored")
    assert "no bin of the register" in dispatch.answer(nobody).why
    assert len(dispatch.rows("SELECT 1 FROM fleet.plan")) == 1
    assert await planner.answer_waiting() == 0


async def test_several_triggers_that_wait_are_answered_with_one_plan(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    first, second = dispatch.ahead("truck-01")[30], dispatch.ahead("truck-02")[15]
    later = dispatch.now + MINUTE
    names = [
        dispatch.trigger("skip", first, "driver"),
        dispatch.trigger("skip", second, "driver"),
        dispatch.trigger("overflow", first, "citizen", at=later),
    ]
    assert await planner.answer_waiting() == 3
    assert len(dispatch.rows("SELECT 1 FROM fleet.plan")) == 2
    assert len({dispatch.answer(name).plan for name in names}) == 1
    assert first in dispatch.ahead("truck-01"), "it was asked for after it was skipped"
    assert second not in dispatch.ahead("truck-02")
    await accepted(dispatch)


async def test_a_place_that_is_no_bin_can_be_asked_for(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    trigger = dispatch.trigger("must_visit", "ογκώδη-12", "dispatcher", lat=39.3621, lon=22.9461, kg=60, litres=400)
    await planner.answer_waiting()
    assert dispatch.answer(trigger).state == "answered"
    (edge,) = [edge for edge in dispatch.routes() if "ογκώδη-12" in dispatch.ahead(edge)]
    (stop,) = [stop for stop in dispatch.routes()[edge].stops if stop["id"] == "ογκώδη-12"]
    assert (stop["kg"], stop["lat"]) == (60, 39.3621)
    await accepted(dispatch)


async def test_lifts_mark_their_stops_once_and_what_is_done_stays_done(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    done = dispatch.ahead("truck-01")[:3]
    for number, name in enumerate(done):
        lift(dispatch, "truck-01", name, dispatch.now + (number + 1) * MINUTE)
    assert await planner.mark_lifts() == 3
    assert await planner.mark_lifts() == 0
    marked = dispatch.rows("SELECT stop, edge, outcome, said_by, kg, route_version FROM fleet.stop_outcome ORDER BY at")
    assert [(row.stop, row.edge, row.outcome, row.said_by, row.kg, row.route_version) for row in marked] == [
        (name, "truck-01", "lifted", "lift", 90.0, 1) for name in done
    ]
    dispatch.now += 10 * MINUTE
    dispatch.trigger("breakdown", "truck-03", "driver")
    await planner.answer_waiting()
    plan = await running(dispatch)
    assert list(plan.plan.done) == done
    route = plan.plan.route("truck-01")
    assert route is not None
    assert not set(done) & set(route.stops)
    assert dispatch.routes()["truck-01"].version == 1, "what is done is no news to the driver"
    truck = next(truck for truck in plan.problem.trucks if truck.id == "truck-01")
    assert truck.kg == pytest.approx(270.0)
    assert truck.ready == (dispatch.now - plan.problem.origin).total_seconds()
    await accepted(dispatch)


async def test_a_truck_that_is_full_unloads_before_it_goes_on(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    lift(dispatch, "truck-02", dispatch.ahead("truck-02")[0], dispatch.now + MINUTE)
    await planner.mark_lifts()
    dispatch.now += 5 * MINUTE
    dispatch.trigger("truck_full", "truck-02", "driver")
    await planner.answer_waiting()
    ahead = [stop["kind"] for stop in dispatch.routes()["truck-02"].stops if not stop.get("done")]
    assert ahead[0] == "station"
    await accepted(dispatch)


async def test_while_the_roads_are_away_triggers_wait_and_the_plan_stays(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    trigger = dispatch.trigger("breakdown", "truck-03", "driver")
    dispatch.ways.away = True
    with pytest.raises(WaysAwayError):
        await planner.answer_waiting()
    assert dispatch.answer(trigger).state == "waiting"
    dispatch.ways.away = False
    assert await planner.answer_waiting() == 1
    assert dispatch.answer(trigger).state == "answered"


async def test_where_a_dispatcher_decides_nothing_reaches_a_truck_before(dispatch: Any) -> None:
    dispatch.mode = "approve"
    planner = dispatch.planner()
    await planner.plan_days()
    assert [row.state for row in dispatch.rows("SELECT state FROM fleet.plan")] == ["proposed"]
    assert dispatch.routes() == {}


async def test_a_plan_explains_itself(dispatch: Any) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    await planner.explain()
    (plan,) = dispatch.rows("SELECT result FROM fleet.plan")
    said = plan.result["explained"]
    served = {stop["id"] for row in dispatch.routes().values() for stop in row.stops if stop["kind"] == "bin"}
    assert {one["id"] for one in said["chosen"]} == served
    assert all(one["why"] for one in said["not_chosen"])
    assert {one["rule"] for one in said["rules"]} >= {"breaks", "shift", "streams"}
    assert said["every_bin"]["stops"] == 0, "today every bin is emptied anyway"
    assert said["yesterday"] is None


async def test_a_plan_is_compared_with_the_towns_own_fixed_routes(dispatch: Any) -> None:
    bins = [row.id for row in dispatch.rows("SELECT id FROM fleet.bin WHERE stream = 'σύμμεικτα' ORDER BY id")]
    for n, name in enumerate(bins):
        dispatch.rows("INSERT INTO fleet.fixed_route VALUES (%s, 'truck-01', %s, %s)", dispatch.day.isoweekday(), n, name)
    planner = dispatch.planner()
    await planner.plan_days()
    await planner.explain()
    (row,) = dispatch.rows("SELECT * FROM fleet.plan WHERE state = 'running' ORDER BY day LIMIT 1")
    dispatch.rows("TRUNCATE fleet.fixed_route")
    said = row.result["explained"]["fixed_routes"]
    (there,) = said["there"]
    assert (there["truck"], there["stops"], there["passed_over"]) == ("truck-01", len(bins), [])
    plan = stored.read_stored(row._asdict()).plan
    assert set(said["only_there"]) == set(bins) - plan.served
    assert said["stops"] == len(plan.served) - len(bins)
    assert said["metres"] == pytest.approx(plan.metres - there["metres"], abs=2)


async def test_what_is_closed_now_is_what_the_ways_are_asked_for(dispatch: Any) -> None:
    add = (
        "INSERT INTO fleet.closure (id, name, kind, area, starts, ends, source)"
        " VALUES (gen_random_uuid(), %s, 'market', %s, %s, %s, 'dispatcher')"
    )
    hour, tomorrow = timedelta(hours=1), timedelta(days=1)
    dispatch.rows(add, "Λαϊκή", '{"type": "Polygon"}', dispatch.now, dispatch.now + hour)
    dispatch.rows(add, "Αύριο", "{}", dispatch.now + tomorrow, dispatch.now + 2 * tomorrow)
    async with dispatch.planner()._engine.connect() as connection:
        assert await reading.closed_areas(connection, dispatch.now) == ({"type": "Polygon"},)
        assert await reading.closed_areas(connection, dispatch.now + timedelta(hours=2)) == ()
