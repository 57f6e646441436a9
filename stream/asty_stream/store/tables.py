"""The record tables: which kind goes where, in which columns, and what a row can't hold."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from asty_contracts.records import Alarm, BinSeen, DeviceHealth, Driver, Engine, Fuel, Gap, Health, Level, Lift, Position, Ppe, Weight
from msgspec.structs import astuple
from psycopg.types.json import Jsonb
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from asty_stream.incoming import Whole, micros

type Column = tuple[str, str]
type Values = tuple[Any, ...]

PREFIX: tuple[Column, ...] = (
    ("t", "timestamptz"),
    ("edge", "text"),
    ("epoch", "int4"),
    ("s", "int8"),
    ("tq", "text"),
    ("late", "bool"),
    ("marks", "text[]"),
    ("rx", "timestamptz"),
)
"""What every record has; `tq` is where its time came from, `rx` when ingest received it."""

MAX_TEXT = 500
"""Characters of a text that is looked up by an index, which has a limit of its own."""
_INT8 = range(-(1 << 63), 1 << 63)


class Table(NamedTuple):
    """One record table: `row` gives its columns' values, `doubt` says why data does not fit, or nothing."""

    name: str
    columns: tuple[Column, ...]
    row: Callable[[Any], Values] = astuple
    doubt: Callable[[Any], str] | None = None
    bounds: Mapping[str, float] = MappingProxyType({})
    """Of a table whose records come as columns: what `doubt` says, as the highest absolute value."""


def _floats(*names: str) -> tuple[Column, ...]:
    return tuple((name, "float8") for name in names)


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple((name, "text") for name in names)


def _ints(*names: str) -> tuple[Column, ...]:
    return tuple((name, "int8") for name in names)


_EARTH = MappingProxyType({"lat": 90.0, "lon": 180.0})


def _place(d: Position | Lift | BinSeen) -> str:
    lat, lon = d.lat, d.lon
    if (lat is None or abs(lat) <= _EARTH["lat"]) and (lon is None or abs(lon) <= _EARTH["lon"]):
        return ""
    return f"no place on Earth: lat {lat}, lon {lon}"


def _too_long(*texts: str | None) -> str:
    return "a text of more than 500 characters" if any(text is not None and len(text) > MAX_TEXT for text in texts) else ""


def _lift(d: Lift) -> Values:
    values = list(astuple(d))
    values[1:3] = micros(d.started), micros(d.ended)
    values[5] = list(d.others)
    values[14] = list(d.flags)
    return tuple(values)


def _ppe(d: Ppe) -> Values:
    return d.vest, d.worn, d.battery, None if d.seen is None else micros(d.seen)


def _gap(d: Gap) -> Values:
    return Multirange([Range(first, last + 1) for first, last in sorted(d.ranges)]), d.n, d.kind, d.why


def _gap_doubt(d: Gap) -> str:
    disordered = any(not 1 <= first <= last < _INT8.stop - 1 for first, last in d.ranges)
    return "a range that ends before it begins, or begins before 1" if disordered else ""


def _devices(devices: dict[str, DeviceHealth]) -> Jsonb:
    return Jsonb(devices, dumps=msgspec.json.encode)


def _health(d: Health) -> Values:
    return *astuple(d)[:-1], _devices(d.devices)


def _json_text(text: str) -> str:
    return text


def _whole(d: Whole) -> Values:
    return d.kind, Jsonb(d.record, dumps=_json_text), d.why


TABLES: dict[type, Table] = {
    Position: Table(
        "position",
        (*_floats("lat", "lon", "v", "course", "alt"), ("sats", "int8"), ("hdop", "float8"), ("fix", "text")),
        doubt=_place,
        bounds=_EARTH,
    ),
    Lift: Table(
        "lift",
        (
            ("cycle", "int8"), ("started", "timestamptz"), ("ended", "timestamptz"), *_texts("tag", "std"), ("others", "text[]"),
            *_floats("gross", "tare", "net"), ("stable", "bool"), *_floats("lat", "lon"), ("fix", "text"), ("fix_age", "int8"),
            ("flags", "text[]"), *_texts("prev", "hash"),
        ),
        _lift,
        lambda d: _place(d) or _too_long(d.tag),
    ),
    BinSeen: Table("bin_seen", (*_texts("tag", "std"), *_floats("lat", "lon")), doubt=lambda d: _place(d) or _too_long(d.tag)),
    Weight: Table("weight", (("kg", "float8"), ("net", "bool"))),
    Fuel: Table("fuel", (*_floats("level", "litres", "rate", "total"), *_texts("ignition", "pto", "src"))),
    Engine: Table("engine", _floats("rpm", "v", "dist", "hours")),
    Ppe: Table("ppe", (*_texts("vest", "worn"), ("battery", "float8"), ("seen", "timestamptz")), _ppe),
    Alarm: Table(
        "alarm",
        (("code", "text"), ("active", "bool"), *_texts("device", "severity", "info")),
        doubt=lambda d: _too_long(d.code, d.device),
    ),
    Gap: Table("gap", (("ranges", "int8multirange"), ("n", "int8"), *_texts("kind", "why")), _gap, _gap_doubt),
    Health: Table("health", (*_ints("up", "head", "acked", "held", "bytes", "rss", "disk"), ("devices", "jsonb")), _health),
    Driver: Table("driver", _texts("act", "bin", "reason", "photo", "note")),
    Level: Table(
        "level",
        (*_texts("bin", "sensor"), *_floats("level", "dist", "full_at", "battery"), ("tilt", "text"), ("rssi", "float8"), ("n", "int8")),
        doubt=lambda d: _too_long(d.bin, d.sensor),
    ),
    Whole: Table("other", (("kind", "text"), ("record", "jsonb"), ("why", "text")), _whole),
}  # fmt: skip
