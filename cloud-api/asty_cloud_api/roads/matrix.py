"""A matrix with what could not be reached, and why."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from asty_cloud_api.planning.model import Roads as PlanningRoads

Seconds = NDArray[np.float32]
Why = Literal["no_street", "closed", "no_way_in", "no_way_out", "cut_off"]
_WORDS: dict[Why, str] = {
    "no_street": "no street that this truck may use is near",
    "closed": "its street is closed",
    "no_way_in": "no way leads there",
    "no_way_out": "no way leads out again",
    "cut_off": "it lies on an island of the street network",
}


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Why a place has no way to the others; `closed` tells that there is one while no street is closed."""

    why: Why
    closed: bool = False

    def __str__(self) -> str:
        return _WORDS[self.why] + (" while streets are closed" if self.closed and self.why != "closed" else "")


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Travel between n places, in their order: `seconds` and `metres`, n x n, NaN where there is no way; `unreachable` by place."""

    seconds: Seconds
    metres: Seconds
    unreachable: dict[int, Unreachable] = field(default_factory=dict)

    def as_planning(self) -> PlanningRoads:
        """Return the matrix as the planner takes it."""
        why: dict[int, str] = {place: "closed" if one.closed else one.why for place, one in self.unreachable.items()}
        return PlanningRoads(self.seconds.astype(np.float64), self.metres.astype(np.float64), why)


def explain(seconds: Seconds, known: dict[int, Unreachable], *, closed: bool) -> dict[int, Unreachable]:
    """Name the places that are not connected, both ways, with the town: with the place that most others are connected with."""
    reached = np.isfinite(seconds)
    both = reached & reached.T
    found = dict(known)
    if not len(seconds):
        return found
    hub = int(both.sum(axis=1).argmax())
    for place in np.flatnonzero(~both[hub]):
        into, out = bool(reached[hub, place]), bool(reached[place, hub])
        why: Why = "no_way_out" if into else "no_way_in" if out else "cut_off"
        found.setdefault(int(place), Unreachable(why, closed))
    return found
