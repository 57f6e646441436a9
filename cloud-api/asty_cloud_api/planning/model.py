"""The day's problem in the field's terms. Times are whole seconds after the day's origin (the caller's choice, usually local midnight),
lengths metres, loads kg and litres, money euro. A place is an index into the matrices."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Counted = Literal["driving", "duty"]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to `end`, both included."""

    start: int
    end: int

    def meets(self, other: "Window") -> bool:
        """Tell whether they share an instant."""
        return max(self.start, other.start) <= min(self.end, other.end)


@dataclass(frozen=True, slots=True)
class BreakRule:
    """After at most `limit` seconds of what is `counted`, a break of at least `length` seconds in one piece.

    `duty` counts everything since the last break: driving, lifting, waiting, unloading.
    """

    limit: int
    length: int
    counted: Counted = "driving"


EU_561 = BreakRule(limit=16_200, length=2_700, counted="driving")
"""Regulation (EC) 561/2006, article 7: 45 minutes after 4.5 hours of driving, here in one piece."""
WORKING_TIME = BreakRule(limit=21_600, length=1_800, counted="duty")
"""Directive 2002/15/EC, article 5: 30 minutes after at most 6 hours of work."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a truck costs, euro: once when it goes out, per km, per hour from its start to its end, per hour past its shift."""

    fixed: float = 0.0
    per_km: float = 1.0
    per_hour: float = 0.0
    overtime_per_hour: float = 0.0


@dataclass(frozen=True, slots=True)
class Stop:
    """A bin site to empty. Its service begins in one of `windows`; without any, at any time.

    An optional stop (`must` false) is served when its `prize` (euro: P(overflow before the next visit) times what an overflow costs)
    is worth the way. `release`: what it needs is at the depot only then; the trip which serves it does not leave before.
    """

    id: str
    place: int
    kg: float
    litres: float
    service: int = 60
    windows: tuple[Window, ...] = ()
    must: bool = True
    prize: float = 0.0
    stream: str = "residual"
    skills: frozenset[str] = frozenset()
    release: int = 0


@dataclass(frozen=True, slots=True)
class Truck:
    """A truck with its crew.

    `start` is where it stands at the shift's start, or at `ready` when it is already out, with `kg` and `litres` aboard. Loads are planned
    in whole units, stops rounded up and bodies down. It carries one stream in a plan, out of `streams`; `aboard` is the stream of what it
    carries now. It ends empty at `garage`, at the latest `overtime` seconds after its shift. `counted` is what its break rule has counted
    since its last break; `trips` how often it has left with an empty body, of at most `max_trips`.
    """

    id: str
    kg_max: float
    litres_max: float
    shift: Window
    garage: int
    start: int
    streams: frozenset[str] = frozenset({"residual"})
    skills: frozenset[str] = frozenset()
    profile: str = "truck"
    prices: Prices = field(default_factory=Prices)
    overtime: int = 0
    break_rule: BreakRule | None = None
    max_trips: int | None = None
    kg: float = 0.0
    litres: float = 0.0
    aboard: str | None = None
    ready: int | None = None
    counted: int = 0
    trips: int = 1

    @property
    def leaves(self) -> int:
        """When it can first move, s."""
        return self.shift.start if self.ready is None else max(self.ready, self.shift.start)

    @property
    def latest(self) -> int:
        """When it must be at its garage, s."""
        return self.shift.end + self.overtime

    @property
    def is_out(self) -> bool:
        """Whether it has to come home even if it gets no stop."""
        return self.kg > 0 or self.litres > 0 or self.start != self.garage

    def may_serve(self, stop: Stop, stream: str) -> bool:
        """Tell whether it takes this stop while it carries `stream`: by stream and skills alone."""
        return stop.stream == stream and stream in self.streams and stop.skills <= self.skills


@dataclass(frozen=True, slots=True)
class Station:
    """Where trucks unload: a transfer station, or a garage with a pit. Unloading takes `service` seconds and begins while it is open."""

    id: str
    place: int
    service: int = 900
    open: Window | None = None
    streams: frozenset[str] | None = None  # None: it takes every stream

    def takes(self, stream: str) -> bool:
        """Tell whether this stream is unloaded here."""
        return self.streams is None or stream in self.streams


@dataclass(frozen=True, slots=True, eq=False)
class Roads:
    """Travel between places for one kind of truck: `seconds` and `metres`, both n x n; NaN where there is no way.

    `why` says of places that are not connected what the roads know of it: no_street, closed, no_way_in, no_way_out, cut_off.
    """

    seconds: Matrix
    metres: Matrix
    why: dict[int, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return int(self.seconds.shape[0])


@dataclass(frozen=True, slots=True)
class Done:
    """A stop that was served (or skipped by the driver): it is frozen."""

    stop: str
    truck: str
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """One day's problem. `roads` by profile. Without any station trucks come home loaded, on one trip."""

    trucks: tuple[Truck, ...]
    stops: tuple[Stop, ...]
    stations: tuple[Station, ...]
    roads: dict[str, Roads]
    done: tuple[Done, ...] = ()

    @property
    def done_order(self) -> tuple[str, ...]:
        """The frozen stops in the order they were done."""
        return tuple(d.stop for d in sorted(self.done, key=lambda d: d.at))

    def truck(self, name: str) -> Truck:
        """Find a truck; raises KeyError."""
        return _find(self.trucks, name)

    def stop(self, name: str) -> Stop:
        """Find a stop; raises KeyError."""
        return _find(self.stops, name)

    def with_truck(self, truck: Truck) -> "Day":
        """Put this truck in the place of the one with its id."""
        return replace(self, trucks=tuple(truck if t.id == truck.id else t for t in self.trucks))

    def without_stops(self, names: frozenset[str]) -> "Day":
        """Leave these stops out of the problem."""
        return replace(self, stops=tuple(s for s in self.stops if s.id not in names))


def _find[T: (Truck, Stop)](things: tuple[T, ...], name: str) -> T:
    for thing in things:
        if thing.id == name:
            return thing
    raise KeyError(name)
