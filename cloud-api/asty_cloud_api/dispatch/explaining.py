"""Why a plan is as it is, as plain data to be stored beside it: stops, what is left out, rules, yesterday, the round of every bin. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from asty_cloud_api.dispatch.problem import Problem
from asty_cloud_api.planning.explain import RULES, Chosen, Comparison, NotChosen, compare, rule_costs, why_chosen, why_not
from asty_cloud_api.planning.model import Day, Roads
from asty_cloud_api.planning.plan import Plan
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.rounds import drive_rounds
from asty_cloud_api.planning.stop import CpuSeconds

RULE_SECONDS = 0.5
ROUND_SECONDS = 1.0


def explained(
    problem: Problem, roads: dict[str, Roads], plan: Plan, yesterday: Plan | None, rounds: Mapping[str, Sequence[str]], seed: int
) -> Iterator[dict[str, Any]]:
    """Yield the parts of an explanation one by one, and nothing ({}) between small steps: the caller may do other work at each.

    `rounds` are the town's own fixed routes of that weekday, the bins of each truck.
    """
    day = problem.with_roads(roads)
    chosen: list[dict[str, Any]] = []
    for stop in day.stops:
        if (found := why_chosen(day, plan, stop.id)) is not None:
            chosen.append(_chosen(found))
        yield {}
    yield {"chosen": chosen}
    yield {"not_chosen": _not_chosen(day, plan)}
    yield {"yesterday": None if yesterday is None else comparison(compare(plan, yesterday))}
    yield {"fixed_routes": against_rounds(day, plan, rounds) if rounds else None}
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


def against_rounds(day: Day, plan: Plan, rounds: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """This plan less the town's own fixed routes, as `comparison`; `there` are those routes themselves, truck by truck."""
    driven = drive_rounds(day, rounds)
    here = {name: route.truck for route in plan.routes for name in route.stops}
    there = {name: it.truck for it in driven for name in it.stops}
    return {
        "metres": round(plan.metres - sum(it.metres for it in driven)),
        "seconds": sum(route.ends - route.begins for route in plan.routes) - sum(it.seconds for it in driven),
        "cost": round(plan.cost.total - sum(it.cost for it in driven), 2),
        "stops": len(here) - len(there),
        "kg": round(sum(route.kg for route in plan.routes) - sum(it.kg for it in driven)),
        "only_here": sorted(here.keys() - there.keys()),
        "only_there": sorted(there.keys() - here.keys()),
        "moved": sorted(name for name in here.keys() & there.keys() if here[name] != there[name]),
        "there": [
            {
                "truck": it.truck, "stops": len(it.stops), "metres": round(it.metres), "seconds": it.seconds, "kg": round(it.kg),
                "unloads": it.unloads, "cost": round(it.cost, 2), "passed_over": list(it.passed_over),
            }
            for it in driven
        ],
        "no_truck": sorted(rounds.keys() - {it.truck for it in driven}),
    }  # fmt: skip


def _round(day: Day, seed: int) -> Plan:
    """The round that empties every bin, full or not, as towns without a forecast drive it."""
    every = replace(day, stops=tuple(replace(stop, must=True) for stop in day.stops))
    return plan_day(every, CpuSeconds(ROUND_SECONDS), seed)


def _not_chosen(day: Day, plan: Plan) -> list[dict[str, Any]]:
    known = {stop.id for stop in day.stops}
    params = {item.id: item.params for item in plan.left_out if item.what == "stop"}
    found = [
        _refused(said, params.get(said.stop, {}))
        for stop in day.stops
        if (said := why_not(day, plan, stop.id)) is not None and said.reason is not None
    ]
    told: list[dict[str, Any]] = [
        {
            "what": item.what,
            "id": item.id,
            "reason": item.reason.value,
            "params": item.params,
            "why": item.why,
            "prize": None,
            "cheapest": None,
            "trucks": [],
        }
        for item in plan.left_out
        if item.what != "stop" or item.id not in known
    ]
    return found + told


def _refused(said: NotChosen, params: dict[str, Any]) -> dict[str, Any]:
    return {
        "what": "stop",
        "id": said.stop,
        "reason": said.reason.value if said.reason else None,
        "params": params,
        "why": said.why,
        "prize": said.prize,
        "cheapest": None if said.cheapest is None else round(said.cheapest, 2),
        "trucks": [
            {"truck": r.truck, "code": r.code, "why": r.why, "cost": None if r.cost is None else round(r.cost, 2)} for r in said.refusals
        ],
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
