"""Which bins the forecast asks for although the running plan does without them. Pure."""

from collections.abc import Mapping
from datetime import datetime

from asty_contracts.stream import PlanTrigger, overflow_id

from asty_cloud_api.dispatch.chances import Chance
from asty_cloud_api.dispatch.known import Known
from asty_cloud_api.dispatch.problem import Problem
from asty_cloud_api.planning.plan import Plan


def overflows(
    problem: Problem, running: Plan, known: Known, chances: Mapping[str, Chance], now: datetime, must_from: float
) -> list[PlanTrigger]:
    """Return a trigger for each bin that was no must when it was planned, is on no route, and would now have to be emptied.

    Their ids follow from bin and day: what a sensor said already, or the forecast before, is not asked a second time.
    """
    served = running.served | {done.stop for done in problem.done}
    found = []
    for stop in problem.stops:
        chance = chances.get(stop.id)
        if chance is None or not chance.known or stop.must or stop.id in served or chance.overflow < must_from:
            continue
        one = known.bin(stop.id)
        name = one.tag if one is not None and one.tag else stop.id
        detail = {"chance": round(chance.overflow, 3), "level": round(100 * chance.level, 1), "kg": round(chance.kg, 1)}
        at = round(now.timestamp() * 1000)
        found.append(PlanTrigger(overflow_id(name, problem.day), at, "overflow", stop.id, "forecast", detail))
    return found
