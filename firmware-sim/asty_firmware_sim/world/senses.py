"""What the sensors of one edge would sense now, and the events between two looks."""

from dataclasses import dataclass
from typing import Literal

LiftState = Literal["idle", "raising", "dumping", "lowering", "fault"]


@dataclass(frozen=True, slots=True)
class LiftShown:
    """What the lift's controller and the scale on it show."""

    state: LiftState = "idle"
    fault: int = 0  # bits
    angle: float = 0.0  # deg
    pressure: float = 18.0  # bar
    arm_up: bool = False
    clamped: bool = False
    tip: bool = False
    footboard: bool = False
    kg: float = 0.0
    stable: bool = True


@dataclass(frozen=True, slots=True)
class VestShown:
    """One vest's radio: whether the scanner would hear it, and whether it moves with a body."""

    heard: bool
    moving: bool
    battery: float  # %
    worn: bool  # the truth, which no sensor says


@dataclass(frozen=True, slots=True)
class TruckSenses:
    """One truck at `at` (UTC ms). `faults` are those active now."""

    at: int
    lat: float
    lon: float
    v: float  # m/s
    course: float  # deg
    gnss: bool
    lift: LiftShown
    cycle: int
    uptime: int  # s
    pto: bool
    level: float  # %, sloshing
    rate: float  # l/h
    total: float  # l since new
    ignition: bool
    rpm: float
    dist: float  # m since new
    hours: float  # h since new
    vests: tuple[VestShown, ...]
    scanner: bool
    unplugged: frozenset[str]
    load: float  # kg in the body
    doing: str


@dataclass(frozen=True, slots=True)
class LevelShown:
    """What a sensor in a bin's lid measures when it speaks: `mm` to what lies in the bin; `count` is its own counter of frames."""

    tag: str
    mm: int
    battery: float  # %
    count: int


@dataclass(frozen=True, slots=True)
class GatewaySenses:
    """One street gateway at `at` (UTC ms)."""

    at: int
    lat: float
    lon: float
    gnss: bool
    vests: tuple[VestShown, ...]
    scanner: bool
    unplugged: frozenset[str]
    levels: tuple[LevelShown, ...] = ()
    """What the sensors in bins have said since the last look."""


@dataclass(frozen=True, slots=True)
class TagOnAir:
    """A reader hears a tag: `tag` is its identity, upper-case hex."""

    at: int
    edge: str
    tag: str


@dataclass(frozen=True, slots=True)
class LiftTruth:
    """What really happened in one lift: the bin that was emptied, the tag that the register has for it, the kilograms that fell out.

    `read` is what the reader heard, None when it heard nothing; `faults` spoil what the edge can know, never the truth.
    """

    edge: str
    cycle: int
    started: int  # UTC ms, the bin leaves the ground
    ended: int
    bin: str
    tag: str
    read: str | None
    kg: float
    gross: float
    tare: float
    lat: float
    lon: float
    faults: tuple[str, ...] = ()


Event = TagOnAir | LiftTruth
