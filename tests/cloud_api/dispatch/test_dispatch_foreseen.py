"""The forecast asks for a bin by itself: when its sensor says so after the day was planned, once, and of nobody who is served."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from asty_cloud_api.dispatch import triggers
from asty_cloud_api.dispatch.chances import Chance
from asty_cloud_api.dispatch.foreseen import overflows
from asty_cloud_api.dispatch.known import Known, KnownBin, KnownPlace, KnownTruck, Point
from asty_cloud_api.dispatch.problem import Rules, problem_of
from asty_cloud_api.planning.model import Roads
from asty_cloud_api.planning.plan import Plan
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.stop import Iterations
from asty_contracts.records import Level
from asty_contracts.stream import overflow_id

ATHENS = ZoneInfo("Europe/Athens")


async def test_a_reading_after_the_plan_raises_one_trigger_that_puts_the_bin_on_a_route(dispatch: Any) -> None:
    bins = dispatch.rows("SELECT id, tag FROM fleet.bin WHERE stream = 'σύμμεικτα' AND tag IS NOT NULL ORDER BY id")
    for n in (9, 6, 3):  # all were emptied every third day: today nobody must be
        dispatch.lifts("truck-01", *((one.tag, dispatch.at("08:00") - timedelta(days=n), 20.0) for one in bins))
    dispatch.lifts("truck-01", *((one.tag, dispatch.at("06:00"), 20.0) for one in bins))
    planner = dispatch.planner()
    await planner.plan_days()
    assert await planner.foresee() == []
    left = next(one for one in bins if one.id not in dispatch.ahead("truck-01") + dispatch.ahead("truck-03"))
    at = dispatch.at("07:10")
    dispatch.fleet.put("gateway-01", (round(at.timestamp() * 1000), Level(left.tag, "24E124713B042517", 96.0, 0.34)))
    first, again = await planner.foresee(), await planner.foresee()
    assert [(it.kind, it.subject, it.said_by, it.id) for it in first] == [
        ("overflow", left.id, "forecast", overflow_id(left.tag, dispatch.day))
    ]
    assert first[0].detail["level"] == 96.0
    async with dispatch.engines[-1].begin() as connection:
        assert [await triggers.keep(connection, it) for it in (*first, *again)] == [True, False]
    assert await planner.answer_waiting() == 1
    assert left.id in dispatch.ahead("truck-01") + dispatch.ahead("truck-02") + dispatch.ahead("truck-03")
    assert await planner.foresee() == [], "it is on a route now"


def test_only_a_bin_that_was_no_must_and_is_on_no_route_is_asked_for() -> None:
    bins = tuple(KnownBin(f"K-{n}", "σύμμεικτα", 1100, Point(39.3621, 22.9461)) for n in range(1, 4))
    places = (KnownPlace("depot", "", Point(39.3621, 22.9461)), KnownPlace("transfer_station", "", Point(39.3609, 22.9441)))
    known = Known(bins, (KnownTruck("truck-01", "Α/Φ 1", 4200.0, 64_000.0),), places)
    unlikely = Chance(0.4, 0.1, 40.0)
    problem = problem_of(known, dict.fromkeys(("K-1", "K-2", "K-3"), unlikely), date(2026, 11, 24), ATHENS, Rules())
    problem = replace(problem, stops=tuple(replace(stop, must=stop.id == "K-3") for stop in problem.stops))
    plan = plan_day(
        problem.with_roads({profile: Roads(np.ones((3, 3)), np.ones((3, 3))) for profile in problem.measures}), Iterations(5), 1
    )
    nobody = replace(plan, routes=())

    def asked(running: Plan, chance: Chance) -> list[str]:
        now = datetime(2026, 11, 24, 9, tzinfo=UTC)
        return [it.subject for it in overflows(problem, running, known, dict.fromkeys(("K-1", "K-2", "K-3"), chance), now, 0.9)]

    assert asked(nobody, Chance(0.95, 0.97, 90.0)) == ["K-1", "K-2"]
    assert asked(plan, Chance(0.95, 0.97, 90.0)) == [name for name in ("K-1", "K-2") if name not in plan.served]
    assert asked(nobody, Chance(0.95, 0.89, 90.0)) == asked(nobody, Chance(1.0, 1.0, 90.0, known=False)) == []
