"""A plan: what each truck does, when, and what is left out and why. Plain data, ready to be stored."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

VisitKind = Literal["start", "stop", "unload", "break", "end"]


class Reason(StrEnum):
    """Why a stop, a truck or a station is left out."""

    BAD_NUMBER = "bad_number"
    BAD_PLACE = "bad_place"
    DUPLICATE = "duplicate"
    UNREACHABLE = "unreachable"
    NO_TRUCK = "no_truck"
    NO_STREAM = "no_stream"
    NO_SKILL = "no_skill"
    NO_STATION = "no_station"
    TOO_BIG = "too_big"
    OUTSIDE_SHIFT = "outside_shift"
    CANNOT_END = "cannot_end"
    NO_TIME = "no_time"
    NO_BREAK = "no_break"
    NOT_WORTH = "not_worth"
    SKIPPED = "skipped"
    BROKEN_DOWN = "broken_down"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that the plan does without; `why` is a sentence for a person, in English.

    A screen in another language makes its own of `reason` and `params`: stream, skills, kg, litres, prize, field, road (docs/planning.md).
    """

    what: Literal["stop", "truck", "station"]
    id: str
    reason: Reason
    why: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visit:
    """One line of a route: `arrive`, `begin` (after waiting), `leave` in s; load aboard when leaving; metres and seconds of the way there.

    `id` names the stop or the station; a break is taken where the truck stands.
    """

    kind: VisitKind
    place: int
    arrive: int
    begin: int
    leave: int
    kg: float
    litres: float
    metres: float = 0.0
    seconds: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """What one truck does from where it is until it is empty at its garage; `locked` visits of stops were kept from the parent plan."""

    truck: str
    stream: str
    visits: tuple[Visit, ...]
    locked: int = 0

    @property
    def stops(self) -> tuple[str, ...]:
        """The stops in order."""
        return tuple(v.id for v in self.visits if v.kind == "stop")

    @property
    def metres(self) -> float:
        return sum(v.metres for v in self.visits)

    @property
    def begins(self) -> int:
        return self.visits[0].leave

    @property
    def ends(self) -> int:
        return self.visits[-1].arrive

    @property
    def kg(self) -> float:
        """What is unloaded on this route, or brought home."""
        unloaded = sum(before.kg for before, v in zip(self.visits, self.visits[1:], strict=False) if v.kind == "unload")
        return unloaded + self.visits[-1].kg


@dataclass(frozen=True, slots=True)
class Cost:
    """Euro. `prizes` is the worth of the optional stops that are served; it is not part of `total`."""

    fixed: float = 0.0
    distance: float = 0.0
    time: float = 0.0
    overtime: float = 0.0
    prizes: float = 0.0

    @property
    def total(self) -> float:
        return self.fixed + self.distance + self.time + self.overtime

    @property
    def net(self) -> float:
        """What the planner makes small among plans that serve the same must-stops."""
        return self.total - self.prizes


@dataclass(frozen=True, slots=True)
class Plan:
    """A version of the day's routes. `reasons` say why this version exists; `done` are the frozen stops in the order they were done."""

    version: int
    parent: int | None
    reasons: tuple[str, ...]
    routes: tuple[Route, ...]
    left_out: tuple[LeftOut, ...]
    cost: Cost
    engine: str
    seed: int
    done: tuple[str, ...] = ()

    @property
    def served(self) -> frozenset[str]:
        """The stops on its routes."""
        return frozenset(name for route in self.routes for name in route.stops)

    @property
    def metres(self) -> float:
        return sum(route.metres for route in self.routes)

    def route(self, truck: str) -> Route | None:
        """The route of a truck, None when it stays at home."""
        return next((route for route in self.routes if route.truck == truck), None)
