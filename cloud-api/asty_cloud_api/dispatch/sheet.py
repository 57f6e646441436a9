"""A truck's route as its crew gets it: stops with reasons and times, and the way to each. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asty_cloud_api.dispatch import words
from asty_cloud_api.dispatch.known import Point
from asty_cloud_api.dispatch.problem import Problem
from asty_cloud_api.dispatch.ways import Leg
from asty_cloud_api.planning.model import Day, Stop
from asty_cloud_api.planning.plan import Plan, Route, Visit

KINDS = {"stop": "bin", "unload": "station", "break": "break", "end": "garage"}
NO_WAY: Leg = {"metres": 0, "seconds": 0, "shape": [], "turns": []}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One truck's route. `stops` as fleet.route has them, those that are behind first (`done` true); `points` for the legs ahead."""

    edge: str
    stops: list[dict[str, Any]]
    points: tuple[Point, ...]
    figures: dict[str, Any]

    @property
    def order(self) -> list[tuple[str, str]]:
        """What is ahead, in order: kinds and ids."""
        return order_of(self.stops)


def order_of(stops: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What lies ahead on a stored route, breaks and the garage aside: a truck is told when this changes."""
    return [(stop["kind"], stop["id"]) for stop in stops if not stop.get("done") and stop["kind"] in ("bin", "station")]


def sheet_of(problem: Problem, day: Day, plan: Plan, edge: str) -> Sheet:
    """The route of a truck in a plan of this day; without one only what it has done."""
    stops = {stop.id: stop for stop in day.stops}
    behind = [done for done in sorted(day.done, key=lambda d: d.at) if done.truck == edge]
    lines = [_behind(problem, stops[d.stop], d.at) for d in behind if d.stop in stops]
    points: list[Point] = []
    route = plan.route(edge)
    figures: dict[str, Any] = {"metres": 0, "seconds": 0, "kg": 0, "stops": 0}
    if route is not None:
        points = [problem.points[route.visits[0].place]]
        for visit in route.visits[1:]:
            lines.append(_ahead(problem, stops, route, visit))
            if visit.kind != "break":
                points.append(problem.points[visit.place])
        figures = {
            "metres": round(route.metres),
            "seconds": route.ends - route.begins,
            "kg": round(route.kg),
            "stops": len(route.stops),
            "stream": route.stream,
            "locked": route.locked,
        }
    for number, line in enumerate(lines, 1):
        line["n"] = number
    return Sheet(edge, lines, tuple(points), figures)


def path_of(sheet: Sheet, legs: Sequence[Leg]) -> list[dict[str, Any]]:
    """One leg per stop, `to` its number: none to what is behind or to a break, those of `legs` to the others."""
    ahead = iter(legs)
    return [{**(NO_WAY if stop.get("done") or stop["kind"] == "break" else next(ahead, NO_WAY)), "to": stop["n"]} for stop in sheet.stops]


def changed(order: Sequence[tuple[str, str]], stored: Sequence[Mapping[str, Any]], done: frozenset[str]) -> bool:
    """Tell whether what is ahead differs from a stored route, of which some was done meanwhile."""
    before = [step for step in order_of(stored) if step[1] not in done]
    unloaded = before[1:] if before and before[0][0] == "station" else before
    return list(order) not in (before, unloaded)


def _behind(problem: Problem, stop: Stop, at: int) -> dict[str, Any]:
    line = _line(problem, "bin", stop.id, problem.points[stop.place], at)
    return line | _of_stop(problem, stop) | {"done": True}


def _ahead(problem: Problem, stops: Mapping[str, Stop], route: Route, visit: Visit) -> dict[str, Any]:
    kind = KINDS[visit.kind]
    name = visit.id or kind
    line = _line(problem, kind, name, problem.points[visit.place], visit.arrive) | {"service_s": visit.leave - visit.begin}
    match visit.kind:
        case "stop":
            return line | _of_stop(problem, stops[visit.id])
        case "unload":
            before = route.visits[route.visits.index(visit) - 1]
            return line | {"why": words.UNLOADING.format(kg=before.kg), "kg": round(before.kg), "litres": round(before.litres)}
        case "break":
            return line | {"why": words.BREAK.format(minutes=(visit.leave - visit.begin) / 60)}
        case _:
            return line | {"why": words.HOME}


def _line(problem: Problem, kind: str, name: str, at: Point, seconds: int) -> dict[str, Any]:
    return {
        "n": 0,
        "kind": kind,
        "id": name,
        "lat": round(at.lat, 7),
        "lon": round(at.lon, 7),
        "street": problem.streets.get(name),
        "eta": _iso(problem.moment(seconds)),
        "service_s": 0,
        "kg": 0,
        "litres": 0,
        "stream": None,
        "must": False,
        "why": "",
    }


def _of_stop(problem: Problem, stop: Stop) -> dict[str, Any]:
    return {
        "service_s": stop.service,
        "kg": round(stop.kg),
        "litres": round(stop.litres),
        "stream": stop.stream,
        "must": stop.must,
        "why": problem.whys.get(stop.id, ""),
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
