"""What if: the day planned on with a truck less, a street closed, or one truck more; nothing is stored. Pure."""

from dataclasses import dataclass, replace

from asty_cloud_api.board.ports import Standing
from asty_cloud_api.planning.explain import compare
from asty_cloud_api.planning.model import Day, Truck
from asty_cloud_api.planning.plan import LeftOut, Plan
from asty_cloud_api.planning.replan import NO_HYSTERESIS, Breakdown, StreetClosed, replan
from asty_cloud_api.planning.stop import CpuSeconds

SECONDS = 1.5
"""CPU seconds for each side of the comparison."""


@dataclass(frozen=True, slots=True)
class Suppose:
    """What is supposed: trucks that stay away, whether roads differ, and how many trucks more like the one with the largest body."""

    without: frozenset[str] = frozenset()
    closed: bool = False
    more: int = 0

    @property
    def is_something(self) -> bool:
        return bool(self.without) or self.closed or self.more > 0


@dataclass(frozen=True, slots=True)
class Change:
    """Of one truck: stops and metres as it stands, and as supposed."""

    truck: str
    stops: tuple[int, int]
    metres: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Supposed:
    """Supposed minus as it stands, over what is left of the day. `left_out` are stops served now and not then, with the planner's word."""

    metres: float
    seconds: int
    cost: float
    stops: int
    moved: int
    left_out: tuple[tuple[str, LeftOut | None], ...]
    gained: tuple[str, ...]
    trucks: tuple[Change, ...]
    ends: tuple[int, int]


def suppose(standing: Standing, other_roads: Day | None, what: Suppose, seed: int = 1) -> Supposed:
    """Plan on as it stands and as supposed, each with the same budget, and compare. `other_roads` is the day with the street closed."""
    now = replan(standing.day, standing.plan, StreetClosed(standing.day.roads), CpuSeconds(SECONDS), seed, hysteresis=NO_HYSTERESIS)
    day = standing.day if other_roads is None else other_roads
    if what.more:
        day = replace(day, trucks=(*day.trucks, *_spares(day, what.more)))
    gone = sorted(what.without & {truck.id for truck in day.trucks})
    for name in gone[1:]:
        day = replace(day, trucks=tuple(truck for truck in day.trucks if truck.id != name))
    trigger = Breakdown(gone[0]) if gone else StreetClosed(day.roads)
    then = replan(day, standing.plan, trigger, CpuSeconds(SECONDS), seed, hysteresis=NO_HYSTERESIS)
    return _compared(now.plan, then.plan, what.without)


def _spares(day: Day, count: int) -> tuple[Truck, ...]:
    """Trucks that wait at the garage, like the largest of the day."""
    like = max(day.trucks, key=lambda truck: (truck.litres_max, truck.id))
    fresh = replace(like, start=like.garage, kg=0.0, litres=0.0, aboard=None, counted=0, trips=1)
    return tuple(replace(fresh, id=f"+{number}") for number in range(1, count + 1))


def _compared(now: Plan, then: Plan, without: frozenset[str]) -> Supposed:
    found = compare(then, now)
    why = {left.id: left for left in then.left_out if left.what == "stop"}
    names = sorted(without.union(route.truck for route in (*now.routes, *then.routes)))  # what was asked about is answered
    return Supposed(
        metres=found.metres,
        seconds=found.seconds,
        cost=found.cost,
        stops=found.stops,
        moved=len(found.moved),
        left_out=tuple((name, why.get(name)) for name in sorted(found.only_there)),
        gained=tuple(sorted(found.only_here)),
        trucks=tuple(_change(name, now, then) for name in names),
        ends=(_last(now), _last(then)),
    )


def _change(name: str, now: Plan, then: Plan) -> Change:
    here, there = now.route(name), then.route(name)
    stops = (len(here.stops) if here else 0, len(there.stops) if there else 0)
    return Change(name, stops, (here.metres if here else 0.0, there.metres if there else 0.0))


def _last(plan: Plan) -> int:
    """When the last truck is home, s."""
    return max((route.ends for route in plan.routes), default=0)
