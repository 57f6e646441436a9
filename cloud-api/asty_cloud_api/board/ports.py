"""What the board asks of other rooms; the composition root joins it to them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Protocol

from asty_cloud_api.planning.model import Day
from asty_cloud_api.planning.plan import Plan

TriggerKind = Literal["must_visit", "breakdown", "street_closed"]
AGAIN = "again"
"""The subject of a street_closed trigger that names no closure: somebody asked the planner to look again."""
type Area = Any
"""A GeoJSON Polygon."""


class NotDoneError(Exception):
    """An act that could not be done: a term for the reader, and what the other room said of it."""

    def __init__(self, term: str, more: str = "") -> None:
        super().__init__(f"{term} {more}".strip())
        self.term, self.more = term, more


@dataclass(frozen=True, slots=True)
class Closing:
    """A closure to be kept: `area` a GeoJSON Polygon, `kind` works, market, event or obstacle, `by` a person's name."""

    name: str
    kind: str
    area: Area
    starts: datetime
    ends: datetime
    by: str


class Closures(Protocol):
    """Closed streets. Each raises NotDoneError."""

    async def add(self, closings: Sequence[Closing]) -> None:
        """Keep those that close something; none of them is an error."""
        ...

    async def change(self, names: Sequence[uuid.UUID], name: str, kind: str, starts: datetime, ends: datetime, by: str) -> None:
        """Give closures another name, kind or time."""
        ...

    async def end(self, names: Sequence[uuid.UUID], by: str) -> None:
        """Open their streets now."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """The problem as it is at this minute, with its roads, and the plan in force."""

    day: Day
    plan: Plan


class Planning(Protocol):
    """The planner. Each raises NotDoneError."""

    async def tell(self, kind: TriggerKind, subject: str, detail: dict[str, Any]) -> None:
        """Raise a trigger: the planner answers it within seconds."""
        ...

    async def decide(self, plan: uuid.UUID, by: str, *, approve: bool) -> None:
        """Let a proposed plan run, or reject it."""
        ...

    async def standing(self, day: date, closed: Sequence[Area]) -> Standing | None:
        """Where the day stands, its roads with these areas closed besides what is closed; None without a plan."""
        ...
