"""What triggers mean for the day: each becomes a change of the problem for the planner, or an answer why nothing changes. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from asty_contracts.stream import PlanTrigger

from asty_cloud_api.dispatch import words
from asty_cloud_api.dispatch.answers import Answer, Said, said
from asty_cloud_api.dispatch.chances import Chance, full_weight
from asty_cloud_api.dispatch.known import Known, KnownBin, Point
from asty_cloud_api.dispatch.problem import NOWHERE, Problem, Rules, stop_of, truck_of
from asty_cloud_api.planning.model import Stop, Truck
from asty_cloud_api.planning.plan import LeftOut, Plan
from asty_cloud_api.planning.replan import Breakdown, MustVisit, Overflow, Skip, StreetClosed, Trigger, TruckFull

FULL = 1.0


@dataclass(frozen=True, slots=True)
class Meant:
    """The problem with what triggers brought into it, what the planner is to apply (with whose it is), and those already answered."""

    problem: Problem
    changes: tuple[tuple[PlanTrigger, Trigger], ...]
    answers: tuple[Answer, ...]


def meant(triggers: Sequence[PlanTrigger], problem: Problem, known: Known, running: Plan, zone: ZoneInfo, rules: Rules) -> Meant:
    """Understand triggers in the order in which they came."""
    changes: list[tuple[PlanTrigger, Trigger]] = []
    answers: list[Answer] = []
    gone: set[str] = set()
    for trigger in triggers:
        problem, found = _one(trigger, problem, known, running, zone, rules, gone)
        if isinstance(found, Answer):
            answers.append(found)
        else:
            changes.append((trigger, found))
            if isinstance(found, Breakdown | Skip):
                gone.add(trigger_subject(found))
            elif isinstance(found, MustVisit):
                gone.discard(found.stop.id)
    return Meant(problem, tuple(changes), tuple(answers))


def joined(triggers: Sequence[PlanTrigger], problem: Problem, known: Known, zone: ZoneInfo, rules: Rules) -> Problem:
    """The problem with the trucks of the register that somebody brings into the day: a spare one, a hired one, one that is mended."""
    for name in [str(trigger.detail["truck"]) for trigger in triggers if _brings_truck(trigger)]:
        one = next((truck for truck in known.trucks if truck.edge == name), None)
        if one is None or any(truck.id == name for truck in problem.trucks):
            continue
        garage = problem.trucks[0].garage if problem.trucks else NOWHERE
        made = truck_of(one, garage, tuple(sorted({bin_.stream for bin_ in known.bins})), problem.day, zone, rules)
        if isinstance(made, Truck):
            problem = replace(
                problem,
                trucks=(*problem.trucks, made),
                measures=problem.measures | {one.measures.profile: one.measures},
                left_out=tuple(item for item in problem.left_out if item.what != "truck" or item.id != name),
            )
    return problem


def _brings_truck(trigger: PlanTrigger) -> bool:
    return trigger.kind == "street_closed" and isinstance(trigger.detail.get("truck"), str)


def trigger_subject(change: Trigger) -> str:
    """The stop or truck that a change is about; empty for a street."""
    match change:
        case Overflow(name) | Skip(name) | TruckFull(name) | Breakdown(name):
            return name
        case MustVisit(stop):
            return stop.id
        case StreetClosed():
            return ""


def _one(
    trigger: PlanTrigger, problem: Problem, known: Known, running: Plan, zone: ZoneInfo, rules: Rules, gone: set[str]
) -> tuple[Problem, Trigger | Answer]:
    def nothing(why: Said) -> tuple[Problem, Answer]:
        return problem, Answer(trigger.id, why, ignored=True)

    match trigger.kind:
        case "street_closed":
            if _brings_truck(trigger) and not any(truck.id == trigger.detail["truck"] for truck in problem.trucks):
                return nothing(said("no_truck_of_register", truck=trigger.detail["truck"]))
            return problem, StreetClosed({}, str(trigger.detail.get("name") or trigger.subject))
        case "breakdown" | "truck_full":
            if trigger.subject in gone or not any(truck.id == trigger.subject for truck in problem.trucks):
                return nothing(said("no_truck_of_day", truck=trigger.subject))
            if trigger.kind == "breakdown":
                return problem, Breakdown(trigger.subject)
            full = problem.full | {trigger.subject: problem.seconds(_moment(trigger))}
            return replace(problem, full=full), TruckFull(trigger.subject)
        case "skip":
            name = _name(trigger, known)
            if name in gone or not any(stop.id == name for stop in problem.stops):
                return nothing(said("no_stop_of_day", stop=trigger.subject))
            return problem, Skip(name, str(trigger.detail.get("reason") or "other"))
        case _:
            return _wanted(trigger, problem, known, running, zone, rules, gone)


def _wanted(
    trigger: PlanTrigger, problem: Problem, known: Known, running: Plan, zone: ZoneInfo, rules: Rules, gone: set[str]
) -> tuple[Problem, Trigger | Answer]:
    """An overflow or a must-visit: of a stop of the day, of a bin that the day does without, or of a place that is told."""
    name = _name(trigger, known)
    overflow = trigger.kind == "overflow"
    at = problem.seconds(_moment(trigger))
    why = (words.of_overflow if overflow else words.of_must_visit)(trigger.said_by)
    stop = next((s for s in problem.stops if s.id == name), None)
    done = next((d for d in problem.done if d.stop == name), None)
    if done is not None and done.at >= at:
        return problem, Answer(trigger.id, said("done_since", stop=name, truck=done.truck), ignored=False)
    route = next((r for r in running.routes if name in r.stops), None)
    if stop is not None and stop.must and done is None and route is not None and not {name, route.truck} & gone:
        return problem, Answer(trigger.id, said("on_route", stop=name, truck=route.truck), ignored=False)
    if stop is None:
        points = list(problem.points)
        carried = next((r.stream for r in running.routes if r.stops), "")
        made = _new_stop(trigger, known.bin(name) or _told(trigger, carried), points, problem, zone, rules)
        if not isinstance(made, Stop):
            return problem, Answer(trigger.id, made, ignored=True)
        stop = made
        problem = _with_point(problem, points[-1])
        stop = replace(stop, place=problem.fixed - 1)
    problem = replace(
        problem,
        stops=(*(s for s in problem.stops if s.id != name), stop),
        done=tuple(d for d in problem.done if d.stop != name),
        asked=problem.asked | {name: at},
        whys=problem.whys | {name: why},
        left_out=tuple(item for item in problem.left_out if item.id != name),
    )
    return problem, Overflow(name, trigger.said_by) if overflow and name not in gone else MustVisit(stop)


def _new_stop(
    trigger: PlanTrigger, one: KnownBin | None, points: list[Point], problem: Problem, zone: ZoneInfo, rules: Rules
) -> Stop | Said:
    """A stop that the day does not have: a bin of the register, full, or the place that the trigger tells. Why not when it's neither."""
    if one is None:
        return said("no_bin", stop=trigger.subject)
    kg = _number(trigger.detail.get("kg"))
    made = stop_of(one, Chance(FULL, FULL, full_weight(one.stream, one.volume_l) if kg is None else kg), points, problem.day, zone, rules)
    return Said(made.reason.value, made.why, made.params) if isinstance(made, LeftOut) else made


def _told(trigger: PlanTrigger, carried: str) -> KnownBin | None:
    """The place that a trigger tells; where it names no stream it goes to what trucks carry today."""
    lat, lon = _number(trigger.detail.get("lat")), _number(trigger.detail.get("lon"))
    if lat is None or lon is None:
        return None
    litres, service = _number(trigger.detail.get("litres")), _number(trigger.detail.get("service_s"))
    return KnownBin(
        id=trigger.subject,
        stream=str(trigger.detail.get("stream") or carried),
        volume_l=1100.0 if litres is None else litres,
        at=Point(lat, lon),
        service_s=60 if service is None else int(service),
    )


def _with_point(problem: Problem, point: Point) -> Problem:
    """Put a place in among the fixed ones; places of trucks move up by one."""
    fixed = problem.fixed
    points = (*problem.points[:fixed], point, *problem.points[fixed:])
    trucks = tuple(replace(t, start=t.start + 1) if t.start >= fixed else t for t in problem.trucks)
    return replace(problem, points=points, fixed=fixed + 1, trucks=trucks)


def _name(trigger: PlanTrigger, known: Known) -> str:
    one = known.bin(trigger.subject)
    return one.id if one is not None else trigger.subject


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else None


def _moment(trigger: PlanTrigger) -> datetime:
    return datetime.fromtimestamp(trigger.t / 1000, UTC)
