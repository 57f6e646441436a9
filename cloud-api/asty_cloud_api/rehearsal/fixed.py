"""Fixed routes: a bin has its weekdays, and every weekday has its routes, the same each week, driven whatever lies in the bins.

Weekdays come from weeks of weighed lifts: the fewest at which the bins that share them would have overflowed on at most 1 bin-day in 1000.
Classic practice is a round of neighbouring bins with common weekdays, which its fullest bins decide (`rounds`); the harder comparison
gives every bin weekdays of its own (`each_its_own`). Both have routes ordered by the same planner as the forecast-driven plans.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from asty_cloud_api.forecast.history import Lift
from asty_cloud_api.planning.model import Stop
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.schedule import Step
from asty_cloud_api.planning.stop import StoppingRule
from asty_cloud_api.rehearsal.ground import SERVICE, Ground, Site
from asty_cloud_api.rehearsal.shift import orders

MOST_OVERFLOWS = 0.001
ROUND_BINS = 40
SUNDAY = 6
PATTERNS: tuple[tuple[frozenset[int], ...], ...] = (
    tuple(frozenset({day}) for day in range(6)),
    (frozenset({0, 3}), frozenset({1, 4}), frozenset({2, 5})),
    (frozenset({0, 2, 4}), frozenset({1, 3, 5})),
    (frozenset({0, 1, 3, 5}), frozenset({0, 2, 3, 5}), frozenset({0, 2, 4, 5})),
    (frozenset(range(6)),),
)
"""Once, twice, three, four times a week, daily but Sundays: each with its offsets, so that work spreads over the week. Five times would
leave a gap of three days, or be no better than four."""

DAILY = frozenset(range(6))
SELDOM = (PATTERNS[2][0], PATTERNS[3][0], DAILY)
"""On which days trucks go out for a light stream: every other day, four times a week without a gap of three days, or as for all others."""
SURELY = 0.0002
"""At most this share of bin-days may overflow when every bin is emptied on each of those days: plans cannot do better than that."""


class UnknownBinsError(Exception):
    """Fixed routes of another town; says which names it does not have."""


Weekdays = tuple[frozenset[int], ...]
Routes = dict[int, dict[str, tuple[Step, ...]]]
"""weekday -> truck -> steps"""


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """What weighed daily lifts tell: `share[i, m]` of bin i's volume came out on morning m."""

    mornings: tuple[date, ...]
    share: NDArray[np.float64]


def observed(bins: Sequence[Site], lifts: Iterable[Lift]) -> Observed:
    """From lifts on every collecting day; a lift that counts to an evening was made on the next morning."""
    lifts = tuple(lifts)
    mornings = sorted({lift.day + timedelta(days=1) for lift in lifts})
    row, column = {b.id: i for i, b in enumerate(bins)}, {day: m for m, day in enumerate(mornings)}
    share = np.zeros((len(bins), len(mornings)))
    for lift in lifts:
        share[row[lift.bin], column[lift.day + timedelta(days=1)]] += (lift.kg or 0.0) / bins[row[lift.bin]].kg_full
    return Observed(tuple(mornings), share)


def light_streams(ground: Ground, seen: Observed) -> frozenset[str]:
    """Streams of which two days' waste goes into one truck: nobody drives for them daily, under whatever way."""
    light: set[str] = set()
    for stream in {b.stream for b in ground.bins}:
        of_it = [i for i, b in enumerate(ground.bins) if b.stream == stream]
        span = (seen.mornings[-1] - seen.mornings[0]).days + 1
        daily = seen.share[of_it].sum(axis=1) / span
        kg, litres = (float(daily @ np.array([getattr(ground.bins[i], what) for i in of_it])) for what in ("kg_full", "litres"))
        if 2 * kg <= min(t.kg_max for t in ground.trucks) and 2 * litres <= min(t.litres_max for t in ground.trucks):
            light.add(stream)
    return frozenset(light)


def collecting_days(ground: Ground, seen: Observed) -> dict[str, frozenset[int]]:
    """On which weekdays trucks go out for each stream: daily, or for a light stream as seldom as its fastest bins allow."""
    light = light_streams(ground, seen)
    chosen: dict[str, frozenset[int]] = {}
    for stream in {b.stream for b in ground.bins}:
        members = [i for i, b in enumerate(ground.bins) if b.stream == stream]
        offered = SELDOM if stream in light else (DAILY,)
        chosen[stream] = next((days for days in offered if (contents(seen, members, days) >= 1).mean() <= SURELY), DAILY)
    return chosen


def rounds(bins: Sequence[Site]) -> tuple[int, ...]:
    """Number each bin's round: neighbouring bins of one stream, halved across the longer side until a round has few enough."""
    number = [0] * len(bins)
    made = 0
    for stream in sorted({b.stream for b in bins}):
        parts = [[i for i, b in enumerate(bins) if b.stream == stream]]
        while parts:
            part = parts.pop()
            if len(part) <= ROUND_BINS:
                for i in part:
                    number[i] = made
                made += 1
                continue
            xs, ys = [bins[i].x for i in part], [bins[i].y for i in part]
            wide = max(xs) - min(xs) >= max(ys) - min(ys)
            part.sort(key=lambda i, wide=wide: bins[i].x if wide else bins[i].y)  # type: ignore[misc]
            parts += [part[len(part) // 2 :], part[: len(part) // 2]]
    return tuple(number)


def each_its_own(bins: Sequence[Site]) -> tuple[int, ...]:
    """Every bin alone."""
    return tuple(range(len(bins)))


def weekdays(bins: Sequence[Site], seen: Observed, groups: Sequence[int], light: frozenset[str]) -> Weekdays:
    """Each bin's weekdays: its group's fewest that would have held. Offsets go by round, so that neighbours keep together; a light stream
    has the first one everywhere, so that its truck goes out on few days.
    """
    together: defaultdict[int, list[int]] = defaultdict(list)
    for i, group in enumerate(groups):
        together[group].append(i)
    offset = rounds(bins)
    chosen: list[frozenset[int]] = [PATTERNS[-1][0]] * len(bins)
    for members in together.values():
        for pattern in PATTERNS:
            days = pattern[0 if bins[members[0]].stream in light else offset[members[0]] % len(pattern)]
            overflows = (contents(seen, members, days) >= 1).mean()
            if overflows <= MOST_OVERFLOWS or pattern is PATTERNS[-1]:
                for i in members:
                    chosen[i] = days
                break
    return tuple(chosen)


def contents(seen: Observed, members: Sequence[int], days: frozenset[int]) -> NDArray[np.float64]:
    """What would have lain in these bins each morning before collection, had they been emptied on these weekdays only."""
    now = np.zeros(len(members))
    out = np.empty((len(members), len(seen.mornings)))
    for m, morning in enumerate(seen.mornings):
        now = now + seen.share[list(members), m]
        out[:, m] = now
        if morning.weekday() in days:
            now = np.zeros(len(members))
    return out


def routes(ground: Ground, seen: Observed, when: Weekdays, stop: Callable[[], StoppingRule], seed: int) -> Routes:
    """Order each weekday's routes once, with the mean loads that were seen on such a day."""
    made: Routes = {}
    for weekday in range(SUNDAY):
        mornings = [m for m, morning in enumerate(seen.mornings) if morning.weekday() == weekday]
        stops = []
        for i, site in enumerate(ground.bins):
            if weekday in when[i]:
                share = float(contents(seen, [i], when[i])[0, mornings].mean())
                stops.append(Stop(site.id, i + 2, share * site.kg_full, share * site.litres, SERVICE, stream=site.stream))
        made[weekday] = orders(plan_day(ground.day(tuple(stops)), stop(), seed))
    return made


def own_routes(ground: Ground, rounds: Iterable[tuple[int, str, tuple[str, ...]]]) -> Routes:
    """The town's own routes (weekday from 1, truck, bins) as they are. Raises UnknownBinsError for bins or trucks that the town lacks."""
    bins, trucks = {one.id for one in ground.bins}, {truck.id for truck in ground.trucks}
    made: Routes = {}
    strange: set[str] = set()
    for weekday, truck, names in rounds:
        strange |= {name for name in (truck, *names) if name not in bins and name not in trucks}
        made.setdefault(weekday - 1, {})[truck] = tuple(Step("stop", name) for name in names)
    if strange:
        few = ", ".join(sorted(strange)[:5])
        raise UnknownBinsError(f"{len(strange)} names of the fixed routes are none of the rehearsed town, such as {few}: "
                               "it has bin-0001 and so on, as many as --bins says, and truck-01 and so on")  # fmt: skip
    return made
