"""Why a plan is as it is, as plain data to be stored beside it: stops, what is left out, rules, yesterday, the round of every bin. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from asty_cloud_api.dispatch.problem import Problem
from asty_cloud_api.planning.explain import RULES, Chosen, Comparison, NotChosen, compare, rule_costs, why_chosen, why_not
from asty_cloud_api.planning.model import Day, Roads
from asty_cloud_api.planning.plan import Plan
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.stop import CpuSeconds

RULE_SECONDS = 0.5
ROUND_SECONDS = 1.0


def explained(problem: Problem, roads: dict[str, Roads], plan: Plan, yesterday: Plan | None, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the parts of an explanation one by one, and nothing ({}) between small steps: the caller may do other work at each."""
    day = problem.with_roads(roads)
    chosen: list[dict[str, Any]] = []
    for stop in day.stops:
        if (found := why_chosen(day, plan, stop.id)) is not None:
            chosen.append(_chosen(found))
        yield {}
    yield {"chosen": chosen}
    yield {"not_chosen": _not_chosen(day, plan)}
    yield {"yesterday": None if yesterday is None else comparison(compare(plan, yesterday))}
    yield {"every_bin": comparison(compare(plan, _round(day, seed)))}
    costs: list[dict[str, Any]] = []
    for rule in RULES:
        (cost,) = rule_costs(day, plan, [(rule, CpuSeconds(RULE_SECONDS))], seed)
        costs.append({"rule": rule, "saved": round(cost.saved, 2), "more_stops": cost.more_stops, "more_musts": cost.more_musts})
        yield {"rules": list(costs)}


def comparison(found: Comparison) -> dict[str, Any]:
    """This plan less the other one."""
    return {
        "metres": round(found.metres),
        "seconds": found.seconds,
        "cost": round(found.cost, 2),
        "stops": found.stops,
        "kg": round(found.kg),
        "only_here": sorted(found.only_here),
        "only_there": sorted(found.only_there),
        "moved": sorted(found.moved),
    }


def _round(day: Day, seed: int) -> Plan:
    """The round that empties every bin, full or not, as towns without a forecast drive it."""
    every = replace(day, stops=tuple(replace(stop, must=True) for stop in day.stops))
    return plan_day(every, CpuSeconds(ROUND_SECONDS), seed)


def _not_chosen(day: Day, plan: Plan) -> list[dict[str, Any]]:
    known = {stop.id for stop in day.stops}
    found = [_refused(said) for stop in day.stops if (said := why_not(day, plan, stop.id)) is not None and said.reason is not None]
    told: list[dict[str, Any]] = [
        {"what": item.what, "id": item.id, "reason": item.reason.value, "why": item.why, "prize": None, "cheapest": None, "trucks": []}
        for item in plan.left_out
        if item.what != "stop" or item.id not in known
    ]
    return found + told


def _refused(said: NotChosen) -> dict[str, Any]:
    return {
        "what": "stop",
        "id": said.stop,
        "reason": said.reason.value if said.reason else None,
        "why": said.why,
        "prize": said.prize,
        "cheapest": None if said.cheapest is None else round(said.cheapest, 2),
        "trucks": [{"truck": r.truck, "why": r.why, "cost": None if r.cost is None else round(r.cost, 2)} for r in said.refusals],
    }


def _chosen(found: Chosen) -> dict[str, Any]:
    return {
        "id": found.stop,
        "truck": found.truck,
        "must": found.must,
        "prize": found.prize,
        "detour_cost": round(found.detour_cost, 2),
        "detour_metres": round(found.detour_metres),
        "detour_seconds": found.detour_seconds,
    }
