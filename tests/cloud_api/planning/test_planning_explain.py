"""A dispatcher can ask why: each answer names a reason and a price that hold."""

from dataclasses import replace

import pytest
from asty_cloud_api.planning import explain
from asty_cloud_api.planning.model import Day, Window
from asty_cloud_api.planning.plan import Plan, Reason
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.stop import Iterations


@pytest.fixture(scope="module")
def planned(town) -> tuple[Day, Plan]:
    day = town(40, trucks=2, musts=0.4)
    return day, plan_day(day, Iterations(400), 1)


def test_a_chosen_optional_bin_is_worth_more_than_its_detour(planned) -> None:
    day, plan = planned
    optional = [s.id for s in day.stops if not s.must and s.id in plan.served]
    assert optional
    for name in optional:
        answer = explain.why_chosen(day, plan, name)
        assert answer is not None
        assert not answer.must
        assert answer.detour_cost <= answer.prize + 0.01
        assert answer.detour_seconds >= 60


def test_a_bin_that_is_not_worth_it_costs_more_than_its_prize(planned) -> None:
    day, plan = planned
    left = [item.id for item in plan.left_out if item.reason is Reason.NOT_WORTH]
    assert left
    for name in left:
        answer = explain.why_not(day, plan, name)
        assert answer is not None
        assert answer.reason is Reason.NOT_WORTH
        assert answer.cheapest is None or answer.cheapest >= answer.prize - 0.01
        assert {r.truck for r in answer.refusals} == {"t0", "t1"}


def test_the_wrong_question_has_no_answer(planned) -> None:
    day, plan = planned
    served = next(iter(plan.served))
    assert explain.why_not(day, plan, served) is None
    left = next(item.id for item in plan.left_out)
    assert explain.why_chosen(day, plan, left) is None
    with pytest.raises(KeyError):
        explain.why_not(day, plan, "nobody")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stream": "glass"}, "does not take this stream"),
        ({"skills": frozenset({"crane"})}, "lacks what the stop needs"),
        ({"kg": 5000.0}, "more than it holds"),
        ({"windows": (Window(0, 100),)}, "windows"),
    ],
)
def test_each_truck_says_which_rule_keeps_it_from_a_stop(planned, changes, words: str) -> None:
    day, _ = planned
    barred = replace(day, stops=(*day.stops, replace(day.stops[0], id="odd", must=True, **changes)))
    answer = explain.why_not(barred, plan_day(barred, Iterations(50), 1), "odd")
    assert answer is not None
    assert [words in r.why for r in answer.refusals] == [True, True]


def test_a_rule_that_binds_has_a_price_and_one_that_does_not_is_free(town) -> None:
    day = town(30, trucks=2, musts=1.0)
    tight = replace(
        day,
        stops=tuple(
            replace(s, windows=(Window(6 * 3600 + 1200 * (i % 9), 6 * 3600 + 1200 * (i % 9) + 900),)) for i, s in enumerate(day.stops)
        ),
    )
    plan = plan_day(tight, Iterations(300), 1)
    costs = {c.rule: c for c in explain.rule_costs(tight, plan, [("windows", Iterations(300)), ("skills", Iterations(300))], 1)}
    assert costs["windows"].saved > 1 or costs["windows"].more_musts > 0
    assert (costs["skills"].saved, costs["skills"].more_stops) == (0.0, 0)


@pytest.mark.parametrize("rule", explain.RULES)
def test_every_rule_can_be_set_aside(town, rule: explain.Rule) -> None:
    day = town(12, trucks=2)
    plan = plan_day(day, Iterations(60), 1)
    (cost,) = explain.rule_costs(day, plan, [(rule, Iterations(60))], 1)
    assert cost.saved >= 0


def test_a_comparison_is_the_difference_and_nothing_when_plans_are_the_same(planned, town) -> None:
    day, plan = planned
    same = explain.compare(plan, plan)
    assert (same.metres, same.seconds, same.stops, same.moved) == (0, 0, 0, frozenset())
    other = plan_day(day.without_stops(frozenset({next(iter(sorted(plan.served)))})), Iterations(200), 1)
    diff = explain.compare(plan, other)
    assert diff.metres == pytest.approx(plan.metres - other.metres)
    assert diff.only_here == plan.served - other.served
    assert diff.stops == len(plan.served) - len(other.served)
