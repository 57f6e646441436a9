"""What drivers give and fusion takes: one typed reading per thing that a sensor can say.

Every reading carries `at`, the monotonic milliseconds at which its last byte arrived (`clock.mono_ms()`); UTC is put on
records later, by the edge's clock. An absent value is None, never zero.
"""

from dataclasses import dataclass
from typing import Literal

Answer = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class TagRead:
    """A bin's tag was read: `tag` is its raw bits in upper-case hex (asty_contracts.ids.is_tag)."""

    device: str
    at: int
    tag: str
    std: Literal["fdxb", "em4100", "tiris"]


@dataclass(frozen=True, slots=True)
class Weighing:
    """The scale said something: `kg` is None when it is over or under its range."""

    device: str
    at: int
    kg: float | None
    stable: bool
    net: bool = False


@dataclass(frozen=True, slots=True)
class Fix:
    """GNSS said where and when: `utc` ms of the fix (rollover mended), None without a date; `valid` is false without a fix."""

    device: str
    at: int
    valid: bool
    utc: int | None = None
    lat: float | None = None
    lon: float | None = None
    v: float | None = None
    course: float | None = None
    alt: float | None = None
    sats: int | None = None
    hdop: float | None = None
    quality: str = "gps"


@dataclass(frozen=True, slots=True)
class LiftReading:
    """The lift controller's registers in one poll. `cycle` counts completed cycles; `fault` are its fault bits."""

    device: str
    at: int
    state: Literal["idle", "raising", "dumping", "lowering", "fault", "unknown"]
    cycle: int
    fault: int
    angle: float | None  # deg
    pressure: float | None  # bar
    uptime: int  # s
    arm_up: bool
    clamped: bool
    tip: bool
    pto: bool
    footboard: bool


@dataclass(frozen=True, slots=True)
class FuelReading:
    device: str
    at: int
    level: float | None = None  # %
    second: float | None = None  # %, second tank
    litres: float | None = None
    rate: float | None = None  # l/h
    total: float | None = None  # l since new
    src: Literal["j1939", "modbus"] = "j1939"


@dataclass(frozen=True, slots=True)
class EngineReading:
    device: str
    at: int
    rpm: float | None = None
    v: float | None = None  # m/s
    dist: float | None = None  # m
    hours: float | None = None


@dataclass(frozen=True, slots=True)
class BeaconHeard:
    """A vest's tag was heard. `vest` is its identity; `moving` None when the tag can't tell; `authentic` None when it isn't encrypted."""

    device: str
    at: int
    vest: str
    rssi: int | None = None
    battery: float | None = None  # %
    moving: bool | None = None
    authentic: bool | None = None


@dataclass(frozen=True, slots=True)
class ScannerAlive:
    """The scanner's heartbeat: it is scanning, heard or not. Without it vests are unknown, never "not worn"."""

    device: str
    at: int


@dataclass(frozen=True, slots=True)
class LevelReading:
    """A level sensor said how full its bin is; `level` None when it can't. `count` is its own counter of frames."""

    device: str
    at: int
    bin: str
    sensor: str
    level: float | None  # %
    dist: float | None  # m
    full_at: float | None  # %
    battery: float | None  # %
    tilt: Answer
    rssi: float | None  # dBm
    count: int


Reading = TagRead | Weighing | Fix | LiftReading | FuelReading | EngineReading | BeaconHeard | ScannerAlive | LevelReading
