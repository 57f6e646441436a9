"""One town, one seed, several ways to collect its waste: the same waste falls, each way answers for its own kilometres and overflows.

history: 8 weeks in which every bin is lifted daily; from it weekdays are set and the forecast learns
run-in:  14 days under each way, not counted, so that none profits from bins that were all just emptied
then the days that count
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
from asty_town import Town
from numpy.typing import NDArray

from asty_cloud_api.forecast.urgency import Care
from asty_cloud_api.planning.checker import check
from asty_cloud_api.planning.plan import Reason
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.schedule import Step
from asty_cloud_api.planning.stop import CpuSeconds
from asty_cloud_api.rehearsal import fixed, known, waste
from asty_cloud_api.rehearsal.fixed import SUNDAY, Routes
from asty_cloud_api.rehearsal.foresight import Foresight
from asty_cloud_api.rehearsal.ground import Ground, lay_out
from asty_cloud_api.rehearsal.shift import drive, orders

FIRST = date(2026, 10, 5)
"""A Monday: with 30 days and the run-in before it, Ochi day (28 October) lies within."""
HISTORY_DAYS, RUN_IN_DAYS = 56, 14
FIXED_SHARE = 4.0
"""Fixed routes are planned once and get so many times the CPU seconds of a day's plan."""
OWN_ROUTES = "own routes"
WAYS = ("fixed rounds", "own weekdays", "forecast")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is rehearsed. `seconds` of CPU for a day's plan; `sensors` the share of bins with a level sensor."""

    days: int = 30
    bins: int = 300
    seconds: float = 1.0
    sensors: float = 1.0
    care: Care = field(default_factory=Care)
    own_routes: tuple[tuple[int, str, tuple[str, ...]], ...] = ()
    """The town's own fixed routes: weekday (1 is Monday), truck, bins in order."""


@dataclass(frozen=True, slots=True)
class DayBooks:
    """A day of one way. `overflowing` bins at its end; `fills` of the bins emptied, shares; `left` must-stops that no truck had time for;
    `faults` that the checker found in its plan."""

    day: date
    metres: float = 0.0
    seconds: int = 0
    late: int = 0
    fuel: float = 0.0
    lifts: int = 0
    unloads: int = 0
    trucks: int = 0
    kg: float = 0.0
    overflowing: int = 0
    left: int = 0
    faults: int = 0
    fills: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Month:
    """One seed's books: way -> days."""

    seed: int
    bins: int
    books: dict[str, tuple[DayBooks, ...]]


Way = Callable[[date], tuple[dict[str, tuple[Step, ...]], int, int]]
"""morning -> the trucks' orders, must-stops left, faults"""


def rehearse(town: Town, wanted: Wanted, seed: int, *, ways: tuple[str, ...] = WAYS, say: Callable[[str], None]) -> Month:
    """Run every way through the same waste. Raises NoRouteError for a town without streets."""
    ground = lay_out(town, wanted.bins, seed)
    days = HISTORY_DAYS + RUN_IN_DAYS + wanted.days
    begin = FIRST - timedelta(days=HISTORY_DAYS + RUN_IN_DAYS)
    rising = waste.make(ground.bins, begin, days, seed)
    past = known.with_sensors(ground.bins, wanted.sensors, seed)
    content = _history(ground, rising, past, begin)
    seen = fixed.observed(ground.bins, past.lifts)
    books: dict[str, tuple[DayBooks, ...]] = {}
    for name in (OWN_ROUTES, *ways) if wanted.own_routes else ways:
        mine = copy.deepcopy(past)
        way = _way(name, ground, seen, mine, wanted, seed)
        said = f"seed {seed}, {name}"
        books[name] = _lived(ground, rising, mine, content.copy(), way, wanted.days, lambda text, said=said: say(f"{said}: {text}"))  # type: ignore[misc]
    return Month(seed, wanted.bins, books)


def _history(ground: Ground, rising: waste.Waste, past: known.Known, begin: date) -> NDArray[np.float64]:
    content = np.zeros(len(ground.bins))
    for number in range(HISTORY_DAYS):
        day = begin + timedelta(days=number)
        if day.weekday() != SUNDAY:
            for index in range(len(ground.bins)):
                past.lifted(day, index, float(content[index]))
            content[:] = 0.0
        content = np.minimum(content + rising.on(day), waste.HEAP)
        past.read(day, content)
    return content


def _way(name: str, ground: Ground, seen: fixed.Observed, mine: known.Known, wanted: Wanted, seed: int) -> Way:
    if name == "forecast":
        foresight = Foresight(ground, wanted.care, seen)

        def foreseen(morning: date) -> tuple[dict[str, tuple[Step, ...]], int, int]:
            day = ground.day(foresight.stops(mine, morning))
            plan = plan_day(day, CpuSeconds(wanted.seconds), seed)
            left = sum(item.reason is Reason.NO_TIME for item in plan.left_out)
            return orders(plan), left, len(check(day, plan))

        return foreseen
    if name == OWN_ROUTES:
        own = fixed.own_routes(ground, wanted.own_routes)
        return lambda morning: (own.get(morning.weekday(), {}), 0, 0)
    groups = fixed.rounds(ground.bins) if name == "fixed rounds" else fixed.each_its_own(ground.bins)
    when = fixed.weekdays(ground.bins, seen, groups, fixed.light_streams(ground, seen))
    routes: Routes = fixed.routes(ground, seen, when, lambda: CpuSeconds(FIXED_SHARE * wanted.seconds), seed)
    return lambda morning: (routes[morning.weekday()], 0, 0)


def _lived(
    ground: Ground,
    rising: waste.Waste,
    mine: known.Known,
    content: NDArray[np.float64],
    way: Way,
    days: int,
    say: Callable[[str], None],
) -> tuple[DayBooks, ...]:
    books: list[DayBooks] = []
    for number in range(-RUN_IN_DAYS, days):
        day = FIRST + timedelta(days=number)
        book = DayBooks(day) if day.weekday() == SUNDAY else _collected(ground, mine, content, day, *way(day))
        content = np.minimum(content + rising.on(day), waste.HEAP)
        mine.read(day, content)
        if number >= 0:
            books.append(_ended(book, int((content >= 1).sum())))
        if number % 7 == 6 or number == days - 1:
            say(f"day {number + 1} of {days}, {sum(b.metres for b in books) / 1000:.0f} km")
    return tuple(books)


def _collected(
    ground: Ground,
    mine: known.Known,
    content: NDArray[np.float64],
    day: date,
    told: dict[str, tuple[Step, ...]],
    left: int,
    faults: int,
) -> DayBooks:
    """Drive the day's orders; the bins are empty afterwards."""
    index = {site.id: i for i, site in enumerate(ground.bins)}
    chosen = [index[step.id] for steps in told.values() for step in steps if step.kind == "stop"]
    real = {
        ground.bins[i].id: (i + 2, float(content[i]) * ground.bins[i].kg_full, float(content[i]) * ground.bins[i].litres) for i in chosen
    }
    trucks = {truck.id: truck for truck in ground.trucks}
    worked = [drive(ground, trucks[name], steps, real) for name, steps in told.items()]
    fills = tuple(float(content[i]) for i in chosen)
    kg = sum(mine.lifted(day, i, float(content[i])) for i in chosen)
    content[chosen] = 0.0
    return DayBooks(
        day,
        metres=sum(w.metres for w in worked),
        seconds=sum(w.seconds for w in worked),
        late=sum(w.late for w in worked),
        fuel=sum(w.fuel for w in worked),
        lifts=len(chosen),
        unloads=sum(w.unloads for w in worked),
        trucks=len(worked),
        kg=kg,
        left=left,
        faults=faults,
        fills=fills,
    )


def _ended(book: DayBooks, overflowing: int) -> DayBooks:
    return replace(book, overflowing=overflowing)
