"""The kinds of records: what `d` of a record holds, by its kind `k`.

Field names are short because they travel over a truck's mobile data; units are SenML's (`units.py`), coordinates WGS 84
degrees, times UTC milliseconds. Readers ignore fields they don't know; an unknown kind is kept whole (`KINDS` lacks it).
An absent value is null and never zero: a dead probe does not read as an empty tank.
"""

from typing import Any, Literal

from msgspec import Struct

Answer = Literal["yes", "no", "unknown"]


class Position(Struct, frozen=True, omit_defaults=True, gc=False):
    """k = pos: where the edge is."""

    lat: float
    lon: float
    v: float | None = None  # m/s over ground
    course: float | None = None  # deg from true north
    alt: float | None = None  # m
    sats: int | None = None
    hdop: float | None = None
    fix: str = "gps"  # gps, dgps, rtk, est


class Lift(Struct, frozen=True, omit_defaults=True):
    """k = lift: one lift cycle with its evidence. `net` is `gross` - `tare`, and only from two stable weighings."""

    cycle: int  # the lift controller's own counter
    started: int
    ended: int
    tag: str | None = None  # raw hex digits of the one tag that was read
    std: str | None = None  # fdxb, em4100, tiris
    others: tuple[str, ...] = ()  # further tags heard in the same cycle
    gross: float | None = None  # kg, before the dump
    tare: float | None = None  # kg, after the dump
    net: float | None = None  # kg
    stable: bool = False  # both weighings were stable
    lat: float | None = None
    lon: float | None = None
    fix: str | None = None  # quality of the position, as in Position.fix
    fix_age: int | None = None  # ms between the position and the dump
    flags: tuple[str, ...] = ()  # what is missing: no_tag, two_tags, no_weight, unstable, overload, no_fix, fault, counter_reset
    prev: str = ""  # hash of the lift before it on this edge; empty for the first of an outbox
    hash: str = ""  # evidence.lift_hash of this lift


class BinSeen(Struct, frozen=True, omit_defaults=True):
    """k = bin: a tag was read outside a lift."""

    tag: str
    std: str
    lat: float | None = None
    lon: float | None = None


class Weight(Struct, frozen=True, omit_defaults=True):
    """k = weight: a stable weighing outside a lift."""

    kg: float
    net: bool = False


class Fuel(Struct, frozen=True, omit_defaults=True, gc=False):
    """k = fuel: the tank, filtered for slosh, with what theft and leak rules must know."""

    level: float | None = None  # %
    litres: float | None = None  # l, when the tank's size is configured
    rate: float | None = None  # l/h
    total: float | None = None  # l used since the engine was new
    ignition: Answer = "unknown"
    pto: Answer = "unknown"
    src: str = "j1939"  # j1939, modbus


class Engine(Struct, frozen=True, omit_defaults=True, gc=False):
    """k = engine."""

    rpm: float | None = None  # 1/min
    v: float | None = None  # m/s, wheel speed
    dist: float | None = None  # m, since new
    hours: float | None = None  # h, since new


class Ppe(Struct, frozen=True, omit_defaults=True, gc=False):
    """k = ppe: is a vest worn. Carries no place: a worker is never traced."""

    vest: str  # the tag's identity: uuid/major/minor, namespace/instance, or address
    worn: Answer
    battery: float | None = None  # %
    seen: int | None = None  # last heard; null when never in this session


class Alarm(Struct, frozen=True, omit_defaults=True):
    """k = alarm: a state that somebody must hear of begins or ends."""

    code: str  # device_lost, device_silent, scale_fault, lift_fault, gnss_lost, fuel_theft, outbox_full, clock_unsure, …
    on: bool  # it begins; false: it ends
    device: str | None = None
    severity: Literal["info", "warning", "critical"] = "warning"
    info: str = ""


class Gap(Struct, frozen=True, omit_defaults=True):
    """k = gap: records that the edge itself had to give up, by sequence, so that none is missing without an account."""

    ranges: tuple[tuple[int, int], ...]  # inclusive sequences
    n: int
    kind: str = "pos"
    why: str = "outbox_full"


class DeviceHealth(Struct, frozen=True, omit_defaults=True):
    state: str  # up, connecting, lost, misconfigured, silent
    frames: int = 0
    bad: int = 0  # frames refused: checksum, length, impossible value
    heard: int | None = None  # last good frame
    why: str = ""


class Health(Struct, frozen=True, omit_defaults=True):
    """k = health: how the edge itself is."""

    up: int  # s since the agent started
    head: int  # highest sequence produced
    acked: int  # everything up to here is stored at the other end
    held: int  # records in the outbox
    bytes: int = 0  # size of the outbox
    rss: int | None = None  # bytes
    disk: int | None = None  # bytes free
    devices: dict[str, DeviceHealth] = {}


class Driver(Struct, frozen=True, omit_defaults=True):
    """k = driver: what the driver said on the in-cab screen."""

    act: str  # skip, reason, photo, break, breakdown
    bin: str | None = None
    reason: str | None = None
    photo: str | None = None
    note: str | None = None


class Level(Struct, frozen=True, omit_defaults=True):
    """k = level: how full a bin is, by the sensor in its lid. A sensor that can't say leaves `level` out: a dead probe is no empty bin."""

    bin: str  # the tag of the bin that the sensor is mounted in
    sensor: str  # its identity: DevEUI, 16 upper-case hex digits
    level: float | None = None  # % of the way from the empty bin's floor to its full mark; over 100: heaped
    dist: float | None = None  # m, from the sensor to what lies in the bin
    full_at: float | None = None  # %, from which this bin is to be emptied at once; null: the town's own limit
    battery: float | None = None  # %
    tilt: Answer = "unknown"  # the lid stands open, or the bin lies: its distance says nothing then
    rssi: float | None = None  # dBm, at the gateway
    n: int | None = None  # the sensor's own counter of frames: what lacks between two was lost on the air


RecordData = Position | Lift | BinSeen | Weight | Fuel | Engine | Ppe | Alarm | Gap | Health | Driver | Level

KINDS: dict[str, type[Struct]] = {
    "pos": Position,
    "lift": Lift,
    "bin": BinSeen,
    "weight": Weight,
    "fuel": Fuel,
    "engine": Engine,
    "ppe": Ppe,
    "alarm": Alarm,
    "gap": Gap,
    "health": Health,
    "driver": Driver,
    "level": Level,
}
KIND_OF: dict[type[Any], str] = {data: kind for kind, data in KINDS.items()}
THINNABLE = frozenset({"pos"})
"""Kinds that a full outbox may give up; lifts, weights, fuel, PPE and alarms are never dropped."""
