"""Breaks put into an order of steps: where the rule asks for one, at the place that lets the route end earliest with every window kept."""

from collections.abc import Sequence

from asty_cloud_api.planning.model import BreakRule, Truck
from asty_cloud_api.planning.plan import Route, Visit
from asty_cloud_api.planning.schedule import Fault, Step, Timetable, steps_of

FOLLOWED = 4
"""Of the places that fit a break, so many are followed up when another break is due after it."""
TRIED = 12
"""Places tried for one break, spread over where it is allowed; waits and unloadings come on top."""


def place(table: Timetable, truck: Truck, stream: str, steps: Sequence[Step]) -> Route | Fault:
    """Time the steps with the breaks that the truck's rule asks for; breaks in `steps` stay. The Fault of the best try if none fits."""
    route = table.run(truck, stream, steps)
    if isinstance(route, Fault) or truck.break_rule is None:
        return route
    return _mend(table, truck, truck.break_rule, route)


def first_over(truck: Truck, rule: BreakRule, visits: Sequence[Visit]) -> tuple[int, int] | None:
    """The segment in which the rule is broken: the visit it begins at and the visit at which too much has been counted. None: it holds."""
    begin, since, driven = 0, truck.leaves - truck.counted, truck.counted
    for index, visit in enumerate(visits):
        driven += visit.seconds
        counted = driven if rule.counted == "driving" else visit.leave - since
        if visit.kind == "break" and visit.leave - visit.begin >= rule.length:
            if rule.counted == "duty" and visit.begin - since > rule.limit:
                return begin, index
            begin, since, driven = index, visit.leave, 0
        elif counted > rule.limit:
            return begin, index
    return None


def counted_at(truck: Truck, visits: Sequence[Visit]) -> int:
    """What the truck's rule has counted since its last break when it leaves the last of these visits, s."""
    rule = truck.break_rule
    since, driven = truck.leaves - truck.counted, truck.counted
    for visit in visits:
        driven += visit.seconds
        if rule is not None and visit.kind == "break" and visit.leave - visit.begin >= rule.length:
            since, driven = visit.leave, 0
    return visits[-1].leave - since if rule is not None and rule.counted == "duty" else driven


def _mend(table: Timetable, truck: Truck, rule: BreakRule, route: Route) -> Route | Fault:
    broken = first_over(truck, rule, route.visits)
    if broken is None:
        return route
    begin, over = broken
    steps = steps_of(route)
    fitting: list[Route] = []
    furthest = Fault(max(0, over - 1), "shift")
    for after in _positions(route.visits, begin, over):
        tried = table.run(truck, route.stream, (*steps[:after], Step("break"), *steps[after:]))
        if isinstance(tried, Route):
            fitting.append(tried)
        elif (tried.index, -tried.excess) > (furthest.index, -furthest.excess):
            furthest = tried
    for tried in sorted(fitting, key=lambda r: r.ends)[:FOLLOWED]:
        again = first_over(truck, rule, tried.visits)
        if again is None:
            return tried
        if again[0] > begin:
            mended = _mend(table, truck, rule, tried)
            if isinstance(mended, Route):
                return mended
    return furthest


def _positions(visits: Sequence[Visit], begin: int, over: int) -> list[int]:
    """Visits after which a break may stand: the latest first, then before waits, after unloadings, and some in between."""
    allowed = [i for i in range(begin, over) if visits[i].kind != "break" or i == begin]
    if begin < over and visits[begin].kind == "break":
        allowed.remove(begin)  # a break after a break counts nothing
    waits = [i for i in allowed if visits[i + 1].begin > visits[i + 1].arrive or visits[i].kind == "unload"]
    stride = max(1, len(allowed) // TRIED)
    return list(dict.fromkeys([*reversed(allowed[-1:]), *waits, *allowed[::-stride]]))
