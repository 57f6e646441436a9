"""NMEA 0183 sentences. Sans-IO.

`$ttSSS,…*HH`: any talker, HH the XOR of what stands between `$` and `*`; a sentence without it is refused.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import xor

from asty_edge.drivers.framing import Bad, line, shown

LINE_LIMIT = 128
BUILD = datetime(2026, 1, 1, tzinfo=UTC)
"""Older than this software: a receiver that says an earlier date has counted its 10-bit GPS weeks over. Raised with releases."""
ROLLOVER = timedelta(weeks=1024)
METRE_PER_SECOND_PER_KNOT = 1852 / 3600

_SENTENCE = re.compile(rb"\$([A-Z]{2}[A-Z]{3}|P[A-Z0-9]{2,8})(,[ -)+-~]*)?\*([0-9A-F]{2})")
_CLOCK = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d|60)(?:\.(\d{1,4}))?")
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)")
_ANGLE = re.compile(r"(\d{2,3})([0-5]\d(?:\.\d{1,8})?)")
_NUMBER = re.compile(r"-?\d{1,7}(?:\.\d{1,6})?")
_GGA_QUALITY = {"1": "gps", "2": "dgps", "3": "gps", "4": "rtk", "5": "dgps", "6": "est"}
_RMC_MODE = {"": "gps", "A": "gps", "D": "dgps", "P": "gps", "R": "rtk", "F": "dgps", "E": "est"}


@dataclass(frozen=True, slots=True)
class Gga:
    """Where: degrees, m above mean sea level. `quality` is None without a fix; `clock` is the epoch as sent, hhmmss.ss."""

    clock: str
    quality: str | None
    lat: float | None
    lon: float | None
    sats: int | None
    hdop: float | None
    alt: float | None


@dataclass(frozen=True, slots=True)
class Rmc:
    """Where and when: degrees, m/s, UTC ms. `quality` is None without a fix, and then there is no `utc`."""

    clock: str
    quality: str | None
    utc: int | None
    lat: float | None
    lon: float | None
    v: float | None
    course: float | None


@dataclass(frozen=True, slots=True)
class Other:
    """A sound sentence that nothing is taken from."""

    kind: str


type Sentence = Gga | Rmc | Other


class _ImpossibleError(Exception):
    """A field says what can't be."""


def decode(buffer: bytes) -> tuple[int, Sentence | Bad | None]:
    """Cut the next sentence."""
    used, text = line(buffer, LINE_LIMIT)
    if not isinstance(text, bytes):
        return used, text
    if (start := text.rfind(b"$")) > 0:
        return start, Bad(f"noise: {shown(text[:start])}")
    if (match := _SENTENCE.fullmatch(text)) is None:
        return used, Bad(f"not the shape of a sentence: {shown(text)}")
    check = reduce(xor, text[1:-3])
    if int(match[3], 16) != check:
        return used, Bad(f"checksum {match[3].decode()}, computed {check:02X}: {shown(text)}")
    kind, fields = match[1].decode(), (match[2] or b"").decode().split(",")[1:]
    try:
        return used, _read(kind, fields)
    except (_ImpossibleError, IndexError) as error:
        return used, Bad(f"{kind}: {error}: {shown(text)}")


def _read(kind: str, fields: list[str]) -> Sentence:
    if kind.startswith("P"):
        return Other(kind)
    if kind.endswith("GGA"):
        return _gga(fields)
    if kind.endswith("RMC"):
        return _rmc(fields)
    return Other(kind)


def _gga(fields: list[str]) -> Gga:
    clock, quality = _clock(fields[0]), _GGA_QUALITY.get(fields[5])
    lat, lon = _angle(fields[1], fields[2], "NS", 90), _angle(fields[3], fields[4], "EW", 180)
    if quality and (lat is None or lon is None):
        raise _ImpossibleError("a fix without a position")
    sats = _number(fields[6], 0, 99)
    return Gga(
        clock, quality, lat, lon, None if sats is None else int(sats), _number(fields[7], 0, 1000), _number(fields[8], -12_000, 100_000)
    )


def _rmc(fields: list[str]) -> Rmc:
    clock = _clock(fields[0])
    if fields[1] not in ("A", "V"):
        raise _ImpossibleError(f"status {fields[1]!r}")
    quality = _RMC_MODE.get(fields[11] if len(fields) > 11 else "") if fields[1] == "A" else None
    lat, lon = _angle(fields[2], fields[3], "NS", 90), _angle(fields[4], fields[5], "EW", 180)
    if quality and (lat is None or lon is None):
        raise _ImpossibleError("a fix without a position")
    knots = _number(fields[6], 0, 2000)
    return Rmc(
        clock,
        quality,
        _utc(fields[8], clock) if quality else None,
        lat,
        lon,
        None if knots is None else round(knots * METRE_PER_SECOND_PER_KNOT, 3),
        _number(fields[7], 0, 360),
    )


def _clock(text: str) -> str:
    if text and not _CLOCK.fullmatch(text):
        raise _ImpossibleError(f"time {text!r}")
    return text


def _utc(date: str, clock: str) -> int | None:
    if not date or (time := _CLOCK.fullmatch(clock)) is None:
        return None
    if (day := _DATE.fullmatch(date)) is None:
        raise _ImpossibleError(f"date {date!r}")
    year = int(day[3])
    try:
        when = datetime(year + (1900 if year >= 80 else 2000), int(day[2]), int(day[1]), tzinfo=UTC)
    except ValueError as error:
        raise _ImpossibleError(f"date {date!r}") from error
    while when < BUILD:
        when += ROLLOVER
    seconds = int(time[1]) * 3600 + int(time[2]) * 60 + int(time[3])
    return (int(when.timestamp()) + seconds) * 1000 + int((time[4] or "0").ljust(3, "0")[:3])


def _angle(text: str, side: str, sides: str, limit: int) -> float | None:
    if not text and not side:
        return None
    match = _ANGLE.fullmatch(text)
    if match is None or len(match[1]) != len(str(limit)) or side not in tuple(sides):
        raise _ImpossibleError(f"position {text!r} {side!r}")
    degrees = int(match[1]) + float(match[2]) / 60
    if degrees > limit:
        raise _ImpossibleError(f"position {text!r} {side!r}")
    return round(-degrees if side == sides[1] and degrees else degrees, 8)


def _number(text: str, low: float, high: float) -> float | None:
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or not low <= float(text) <= high:
        raise _ImpossibleError(f"number {text!r}")
    return float(text)
