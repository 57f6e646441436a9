"""The day as a map draws it (GeoJSON) and as a time line: where each mark stands between the first hour and the last. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from asty_look.formats import Formats

from asty_cloud_api.board.lanes import Lane, Line, Record
from asty_cloud_api.board.terms import CLOSURE_KINDS, REASONS, STOP_KINDS, STOP_STATES

LETTERS = "ΑΒΓΔΕΖΗΘ"
"""A truck's letter on map and lists, by its sign."""
WIDTH = 1000
"""Units of a time line from its first hour to its last."""
MARK = 3.0
Say = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Mark:
    """One stop on a time line: `x` and `width` in units; a planned mark has the state `plan`."""

    x: float
    width: float
    state: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Whole local hours from `begins` to `ends`; `hours` are their labels."""

    begins: datetime
    ends: datetime
    hours: tuple[str, ...]

    def x(self, at: datetime) -> float:
        """Where an instant stands, 0 to WIDTH."""
        share = (at - self.begins) / (self.ends - self.begins)
        return round(min(max(share, 0.0), 1.0) * WIDTH, 1)

    def marks(self, lane: Lane) -> tuple[Mark, ...]:
        """What was planned, and what has happened or is expected."""
        planned = [Mark(self.x(line.eta), MARK, "plan") for line in lane.lines if line.kind != "break"]
        real = [
            Mark(self.x(line.time), MARK, line.state)
            for line in lane.lines
            if line.kind == "bin" and line.state not in ("withdrawn", "passed")
        ]
        return tuple(planned + real)


def axis(lanes: Iterable[Lane], now: datetime, zone: ZoneInfo) -> Axis | None:
    """The hours that the lanes fill; None when there is nothing to show."""
    times = [time for lane in lanes for line in lane.lines for time in (line.eta, line.time)]
    if not times:
        return None
    first, last = min(times).astimezone(zone), max(times).astimezone(zone)
    begins = first.replace(minute=0, second=0, microsecond=0)
    count = int((last - begins) // timedelta(hours=1)) + 1
    hours = tuple(f"{(begins.astimezone(now.tzinfo) + timedelta(hours=n)).astimezone(zone):%H}" for n in range(count))
    return Axis(begins, begins + timedelta(hours=count), hours)


def features(
    lanes: Iterable[Lane], loose: Iterable[Record], closures: Iterable[Record], now: datetime, f: Formats, say: Say
) -> list[dict[str, Any]]:
    """Return routes, stops, unplanned lifts and closures; `layer` tells them apart, `sign` gives a truck's colour and pattern."""
    found: list[dict[str, Any]] = []
    for row in closures:
        state = "now" if row["starts"] <= now < row["ends"] else "coming"
        lines = [say(CLOSURE_KINDS[row["kind"]]), f"{f.moment(row['starts'], now)} – {f.moment(row['ends'], now)}"]
        found.append(_feature(row["area"], {"layer": "closure", "state": state, "name": row["name"], "lines": lines}))
    for one in lanes:
        found += [_stop(one, line, now, f, say) for line in one.lines if line.lat is not None and line.kind != "break"]
    for row in loose:
        if row["lat"] is not None and row["lon"] is not None:
            name = f"{say('Bin')} {row['bin']}" if row["bin"] else say("Tag not in the register") if row["tag"] else say("No tag")
            lines = [say(STOP_STATES[row["state"]]), *_what(row["street"], row["at"] or row["eta"], row["kg"], now, f)]
            point = {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
            found.append(
                _feature(point, {"layer": "stop", "edge": row["edge"], "state": row["state"], "kind": "bin", "name": name, "lines": lines})
            )
    return found


def ways(routes: Iterable[Record], signs: dict[str, int]) -> list[dict[str, Any]]:
    """Return the legs of each newest route as one line per truck, with the truck's letter."""
    return [
        _feature(
            {"type": "LineString", "coordinates": shape},
            {"layer": "route", "edge": route["edge"], "sign": signs[route["edge"]], "letter": LETTERS[signs[route["edge"]]]},
        )
        for route in routes
        if len(shape := [point for leg in route["path"] or () for point in leg["shape"]]) > 1
    ]


def _stop(one: Lane, line: Line, now: datetime, f: Formats, say: Say) -> dict[str, Any]:
    name = f"{line.n} · {say(STOP_KINDS[line.kind])} {line.id if line.kind == 'bin' else ''}".rstrip()
    lines = [f"{one.vehicle} ({LETTERS[one.sign]}) · {say(STOP_STATES[line.state])}", *_what(line.street, line.time, line.kg, now, f)]
    if line.reason:
        lines.append(say(REASONS.get(line.reason, line.reason)))
    marks = {"layer": "stop", "edge": one.edge, "sign": one.sign, "state": line.state, "kind": line.kind, "n": line.n, "id": line.id}
    return _feature({"type": "Point", "coordinates": [line.lon, line.lat]}, {**marks, "name": name, "lines": lines})


def _what(street: str | None, at: datetime | None, kg: float | None, now: datetime, f: Formats) -> list[str]:
    return [part for part in (street, " · ".join([f.moment(at, now), *([f.kg(kg)] if kg is not None else [])])) if part]


def _feature(geometry: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}
