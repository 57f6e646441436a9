"""A plan made without a rule is rejected by the day that has it: the checker knows each rule by itself."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from asty_cloud_api.planning.checker import check
from asty_cloud_api.planning.model import BreakRule, Day, Done, Prices, Roads, Window
from asty_cloud_api.planning.plan import Plan, Reason
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.stop import Iterations


@pytest.fixture(scope="module")
def two_trips(town) -> tuple[Day, Plan]:
    """One small truck that has to unload in between."""
    day = town(25, trucks=1, musts=1.0)
    day = day.with_truck(replace(day.trucks[0], litres_max=3500, prices=Prices()))
    plan = plan_day(day, Iterations(150), 1)
    assert check(day, plan) == ()
    assert sum(v.kind == "unload" for v in plan.routes[0].visits) >= 2
    return day, plan


def truck(**changes: object) -> Callable[[Day], Day]:
    return lambda day: day.with_truck(replace(day.trucks[0], **changes))  # type: ignore[arg-type]


def stops(**changes: object) -> Callable[[Day], Day]:
    return lambda day: replace(day, stops=tuple(replace(s, **changes) for s in day.stops))  # type: ignore[arg-type]


def station(**changes: object) -> Callable[[Day], Day]:
    return lambda day: replace(day, stations=(replace(day.stations[0], **changes),))  # type: ignore[arg-type]


def hole(day: Day) -> Day:
    seconds = day.roads["truck"].seconds.copy()
    seconds[:, 1] = math.nan
    return replace(day, roads={"truck": Roads(seconds, day.roads["truck"].metres)})


def slow(day: Day) -> Day:
    roads = day.roads["truck"]
    return replace(day, roads={"truck": Roads(roads.seconds + 1, roads.metres)})


@pytest.mark.parametrize(
    ("rule", "stricter"),
    [
        ("window", stops(windows=(Window(0, 100), Window(13 * 3600, 14 * 3600)))),
        ("service", stops(service=61)),
        ("skill", stops(skills=frozenset({"crane"}))),
        ("stream", stops(stream="glass")),
        ("place", stops(place=0)),
        ("release", stops(release=11 * 3600)),
        ("load", stops(kg=math.nan)),
        ("load", stops(litres=2000.0)),
        ("load", truck(kg_max=100.0)),
        ("load", truck(litres_max=1000.0)),
        ("load", truck(kg=500.0)),
        ("stream", truck(streams=frozenset({"glass"}))),
        ("stream", truck(aboard="glass")),
        ("start", truck(start=5)),
        ("garage", truck(garage=5)),
        ("shift", truck(shift=Window(6 * 3600, 7 * 3600), overtime=0)),
        ("shift", truck(ready=6 * 3600 + 1)),
        ("trips", truck(max_trips=1)),
        ("break", truck(break_rule=BreakRule(600, 300, "driving"))),
        ("break", truck(break_rule=BreakRule(3600, 300, "duty"))),
        ("cost", truck(prices=Prices(fixed=5))),
        ("cost", truck(prices=Prices(per_hour=5))),
        ("truck", lambda day: replace(day, trucks=(replace(day.trucks[0], id="other"),))),
        ("truck", truck(profile="van")),
        ("station", station(open=Window(0, 3600))),
        ("station", station(streams=frozenset({"glass"}))),
        ("station", station(id="other")),
        ("service", station(service=901)),
        ("place", station(place=7)),
        ("way", hole),
        ("time", slow),
        ("frozen", lambda day: replace(day, done=(Done("b1", "t0", 1),))),
        ("account", lambda day: replace(day, stops=(*day.stops, replace(day.stops[0], id="new")))),
        ("once", lambda day: replace(day, stops=day.stops[1:])),
    ],
)
def test_a_plan_made_without_a_rule_is_rejected_by_it(two_trips, rule: str, stricter: Callable[[Day], Day]) -> None:
    day, plan = two_trips
    assert rule in {v.rule for v in check(stricter(day), plan)}


def test_every_stop_that_is_left_out_has_a_reason_with_words(town) -> None:
    day = town(400, trucks=1)
    plan = plan_day(day, Iterations(60), 1)
    assert {item.reason for item in plan.left_out} <= {Reason.NO_TIME, Reason.NOT_WORTH}
    assert all(item.why for item in plan.left_out)
