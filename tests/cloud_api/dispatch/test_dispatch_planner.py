"""What a dispatcher relies on: the day gets a plan that was checked, and what happens on the road changes it once."""

from typing import Any


async def test_a_day_without_a_plan_gets_one_that_the_checker_accepts(dispatch: Any) -> None:
    await dispatch.planner().plan_days()
    (plan,) = dispatch.rows("SELECT * FROM fleet.plan")
    assert (plan.version, plan.state, plan.made_by) == (1, "running", "planner")
    print(plan.figures, plan.result["plan"]["left_out"][:5])
    for edge, row in dispatch.routes().items():
        print(edge, row.version, len(row.stops), row.figures)
        for stop in row.stops[:4] + row.stops[-3:]:
            print(stop)
    assert plan.figures["stops"] > 50
