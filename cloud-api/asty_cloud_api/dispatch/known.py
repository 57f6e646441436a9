"""What is known of the town when a plan is made: plain data as read from the register and from telemetry."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

Polygon = dict[str, Any]
"""A GeoJSON Polygon, [lon, lat]."""


class Point(NamedTuple):
    """Degrees."""

    lat: float
    lon: float

    @property
    def is_real(self) -> bool:
        """Whether it lies on the globe."""
        return math.isfinite(self.lat) and math.isfinite(self.lon) and abs(self.lat) <= 90 and abs(self.lon) <= 180


@dataclass(frozen=True, slots=True)
class Measures:
    """A vehicle's own measures, metres and tonnes; None where the register does not say."""

    height_m: float | None = None
    width_m: float | None = None
    length_m: float | None = None
    weight_t: float | None = None

    @property
    def profile(self) -> str:
        """The name under which the planner keeps the ways of such vehicles."""
        return "truck" + "".join(f"-{'?' if v is None else f'{v:g}'}" for v in (self.height_m, self.width_m, self.length_m, self.weight_t))


@dataclass(frozen=True, slots=True)
class KnownBin:
    """A row of fleet.bin."""

    id: str
    stream: str
    volume_l: float
    at: Point
    tag: str | None = None
    street: str | None = None
    service_s: int = 60
    must: bool = False
    windows: tuple[tuple[str, str], ...] = ()
    business: str | None = None


@dataclass(frozen=True, slots=True)
class KnownTruck:
    """A row of fleet.vehicle of kind truck."""

    edge: str
    name: str
    capacity_kg: float | None = None
    capacity_l: float | None = None
    streams: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    shift: tuple[str, str] | None = None
    measures: Measures = Measures()


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A row of fleet.place."""

    kind: str
    name: str
    at: Point


@dataclass(frozen=True, slots=True)
class KnownLift:
    """A lift of a bin: on which service day, at which time, what fell out (kg; None: not weighed)."""

    bin: str
    edge: str
    day: date
    at: datetime
    kg: float | None = None


@dataclass(frozen=True, slots=True)
class KnownLevel:
    """What a bin's sensor said: its share of the volume, 1 = full, on which service day and when."""

    bin: str
    day: date
    at: datetime
    level: float


@dataclass(frozen=True, slots=True)
class KnownPosition:
    """Where a truck was last."""

    edge: str
    at: datetime
    place: Point


@dataclass(frozen=True, slots=True)
class KnownOutcome:
    """A row of fleet.stop_outcome; `stop` may be a station, where a truck unloaded."""

    stop: str
    edge: str
    lifted: bool
    at: datetime
    kg: float | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """All of it. `lifts` and `levels` (the last of each day) are those of the last months, `outcomes` those of the day."""

    bins: tuple[KnownBin, ...] = ()
    trucks: tuple[KnownTruck, ...] = ()
    places: tuple[KnownPlace, ...] = ()
    lifts: tuple[KnownLift, ...] = ()
    levels: tuple[KnownLevel, ...] = ()
    positions: tuple[KnownPosition, ...] = ()
    outcomes: tuple[KnownOutcome, ...] = ()

    def bin(self, name: str) -> KnownBin | None:
        """Find a bin by its id or its tag."""
        return next((b for b in self.bins if name in (b.id, b.tag)), None)

    def place(self, kind: str) -> KnownPlace | None:
        """Find a place by its kind."""
        return next((p for p in self.places if p.kind == kind), None)
