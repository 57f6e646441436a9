"""Budgets are kept, shared and told apart; without any time there is still a plan."""

import math

import pytest
from asty_cloud_api.planning.checker import check
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.stop import CpuSeconds, FirstFeasible, Iterations, Until


def test_iterations_are_counted_from_the_first_call() -> None:
    rule = Iterations(4)
    assert [rule(math.inf) for _ in range(5)] == [0, 0.25, 0.5, 0.75, 1.0]


def test_cpu_seconds_end_after_work_and_not_before() -> None:
    rule, calls = CpuSeconds(0.02), 0
    while rule(math.inf) < 1:
        calls += 1
    assert calls > 1
    assert CpuSeconds(3600)(math.inf) == 0


def test_the_first_feasible_answer_ends_the_search() -> None:
    rule = FirstFeasible(Iterations(10))
    assert rule(math.inf) < 1
    assert rule(123.0) >= 1


def test_a_share_is_of_what_is_left_and_the_rest_stays_for_the_next() -> None:
    whole = Iterations(100)
    used = []
    for _ in range(2):
        part, calls = Until(whole, 0.5), 0
        while part(1.0) < 1:
            calls += 1
        used.append(calls)
    assert used == [50, 25]
    assert whole(1.0) < 1


def test_a_hopeless_search_ends_early_and_one_with_an_answer_does_not() -> None:
    hopeless, fine = Until(Iterations(100), 1.0, 0.3), Until(Iterations(100), 1.0, 0.3)
    assert next(n for n in range(200) if hopeless(math.inf) >= 1) == 30
    assert next(n for n in range(200) if fine(5.0) >= 1) == 100


def test_a_spent_budget_stops_at_once() -> None:
    spent = Iterations(0)
    assert Until(spent, 0.5)(1.0) >= 1


@pytest.mark.parametrize("engine", ["pyvrp", "ortools"])
def test_without_any_time_the_musts_are_still_planned(town, engine: str) -> None:
    day = town(40, trucks=2, musts=0.6)
    plan = plan_day(day, Iterations(0), 1, engine=engine)
    assert check(day, plan) == ()
    assert {s.id for s in day.stops if s.must} <= plan.served
