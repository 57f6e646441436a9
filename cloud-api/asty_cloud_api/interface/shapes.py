"""The shapes of the JSON answers; times are UTC, ISO 8601, weights kg, coordinates WGS 84 degrees. null is unknown, never zero."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel


class Edge(BaseModel):
    """One gateway, on a truck or in a street."""

    edge: str
    vehicle: str
    kind: str | None
    up: bool
    state: Literal["up", "down", "unknown"]
    software: str | None
    last_seen: datetime | None
    head: int | None
    acked: int | None
    held: int | None
    devices: int
    devices_up: int
    devices_lost: int
    devices_silent: int
    bad_frames: int
    faults: list[str]


class Lift(BaseModel):
    """One lift cycle with its evidence; `flags` say what is missing."""

    t: datetime
    edge: str
    vehicle: str
    tag: str | None
    std: str | None
    bin: str | None
    street: str | None
    stream: str | None
    gross: float | None
    tare: float | None
    net: float | None
    stable: bool | None
    flags: list[str]
    tq: str
    lat: float | None
    lon: float | None
    fix: str | None
    fix_age: int | None
    cycle: int | None
    late: bool
    epoch: int
    s: int
    hash: str | None
    prev: str | None


class Completeness(BaseModel):
    """One truck's shift: `day` is the service day, 05:00 to 05:00 local time."""

    day: date
    shift: str
    edge: str
    vehicle: str
    produced: int
    stored: int
    missing: int
    late: int
    thinned: int
    refused: int
    share: float | None


class OpenAlarm(BaseModel):
    t: datetime
    edge: str
    vehicle: str
    code: str
    device: str | None
    severity: str
    info: str | None


class Feature(BaseModel):
    type: Literal["Feature"] = "Feature"
    geometry: dict[str, Any]
    properties: dict[str, Any]


class Features(BaseModel):
    """A GeoJSON FeatureCollection (RFC 7946)."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]


class Health(BaseModel):
    """`well` is true when the pages can be shown."""

    well: bool
    database: Literal["answers", "away", "not migrated"]
    followers: int
