"""When a truck will be at each stop that it still has: planned legs and service, moved by where it is and how late it runs.

Pure. Legs come from the plan; where a truck jumps over stops, its way is guessed from the straight line.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

EARTH_M = 6_371_009.0
DETOUR = 1.35
"""Road metres for each metre of the straight line, where the plan knows no leg."""
PACE = 5.0
"""Metres a second of a refuse truck between stops, where the plan knows no leg."""
MOST_OF_A_LEG = 2.0
"""A truck that strayed is at most this many planned legs away from its next stop."""
WAIT_SECONDS = 60.0
"""A plan that arrives later than its legs allow by more than this waits for something: a window, a station that opens."""
FRESH = timedelta(minutes=10)
"""A position that is older says nothing about where the truck is."""

Basis = Literal["position", "last_stop", "plan"]


@dataclass(frozen=True, slots=True)
class Call:
    """A place that the route calls at: planned arrival `eta`, s of service there, s of travel from the call before (None: unknown)."""

    lat: float
    lon: float
    eta: datetime
    service_s: float = 60.0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """Where a truck was, and when."""

    lat: float
    lon: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Arrivals:
    """`at` has one time for each call ahead; `basis` says what the first rests on; `late` is s after the plan, negative before it."""

    at: tuple[datetime, ...]
    basis: Basis
    late: float


def metres_between(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Great-circle distance, haversine."""
    a, b = math.radians(lat_a), math.radians(lat_b)
    h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(min(1.0, h)))


def travel_seconds(before: Call | None, call: Call) -> float:
    """Planned seconds of the leg to a call; without a planned leg a guess from the straight line."""
    if call.seconds is not None:
        return call.seconds
    if before is None:
        return 0.0
    planned = (call.eta - before.eta).total_seconds() - before.service_s
    return planned if planned > 0 else metres_between(before.lat, before.lon, call.lat, call.lon) * DETOUR / PACE


def arrivals(calls: Sequence[Call], done: int, *, here: Here | None, last: datetime | None, now: datetime) -> Arrivals:
    """Estimate the calls from index `done` on; `last` is when the truck left the call before it (None: it has done none).

    Times never lie before `now`, nor before an earlier call's. Raises IndexError when `done` is beyond the route.
    """
    if not 0 <= done <= len(calls):
        raise IndexError(f"{done} of {len(calls)} calls done")
    ahead = calls[done:]
    if not ahead:
        return Arrivals((), "last_stop" if last else "plan", (last - _leaves(calls[-1])).total_seconds() if last and calls else 0.0)
    before = calls[done - 1] if done else None
    arrive, basis = _first(before, ahead[0], here if here and now - here.at <= FRESH else None, last, now)
    times = [arrive]
    for previous, call in pairwise(ahead):
        leave = max(times[-1], _opens(before, previous)) + timedelta(seconds=previous.service_s)
        before = previous
        times.append(leave + timedelta(seconds=travel_seconds(previous, call)))
    return Arrivals(tuple(times), basis, (times[0] - ahead[0].eta).total_seconds())


def _first(before: Call | None, call: Call, here: Here | None, last: datetime | None, now: datetime) -> tuple[datetime, Basis]:
    leg = travel_seconds(before, call)
    if last is None and now <= call.eta - timedelta(seconds=leg):
        return call.eta, "plan"  # it has not set out, and need not yet
    if here is not None:
        straight = metres_between(here.lat, here.lon, call.lat, call.lon)
        whole = metres_between(before.lat, before.lon, call.lat, call.lon) if before else 0.0
        seconds = leg * min(straight / whole, MOST_OF_A_LEG) if whole > 1 and leg > 0 else straight * DETOUR / PACE
        return max(now, here.at + timedelta(seconds=seconds)), "position"
    if last is not None:
        return max(now, last + timedelta(seconds=leg)), "last_stop"
    return max(call.eta, now), "plan"


def _leaves(call: Call) -> datetime:
    return call.eta + timedelta(seconds=call.service_s)


def _opens(before: Call | None, call: Call) -> datetime:
    """When service begins at the earliest: a plan that waits at a call waits for its planned time, whatever the day brings."""
    if before is None or (call.eta - _leaves(before)).total_seconds() - travel_seconds(before, call) <= WAIT_SECONDS:
        return datetime.min.replace(tzinfo=call.eta.tzinfo)
    return call.eta
