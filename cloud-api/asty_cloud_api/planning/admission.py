"""Which part of a day can be planned at all: everything impossible is set aside with its reason, whatever the numbers are."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from asty_cloud_api.planning.model import Day, Roads, Station, Stop, Truck, Window
from asty_cloud_api.planning.plan import LeftOut, Reason
from asty_cloud_api.planning.schedule import begin, travel

Fault = tuple[Reason, str] | tuple[Reason, str, dict[str, Any]] | None


@dataclass(frozen=True, slots=True, eq=False)
class Admission:
    """The possible part of a day, and what was set aside."""

    day: Day
    left_out: tuple[LeftOut, ...]


def admit(day: Day) -> Admission:
    """Set aside what cannot be planned. Never raises on a value; raises ValueError for matrices that are not square or of unequal size."""
    size = _size(day)
    left: list[LeftOut] = []
    day = replace(day, roads={name: _mended(roads) for name, roads in day.roads.items()})
    stations = _unique("station", day.stations, left, lambda s: _station_fault(s, size))
    trucks = tuple(_whole(t) for t in _unique("truck", day.trucks, left, lambda t: _truck_fault(day, t, size)))
    done = {d.stop for d in day.done}
    stops = _unique("stop", tuple(s for s in day.stops if s.id not in done), left, lambda s: _stop_fault(s, size))
    stops = tuple(_clean(stop) for stop in stops)
    had_stations = bool(day.stations)
    day = replace(day, trucks=trucks, stations=stations, stops=stops)
    day = replace(day, trucks=_able(day, had_stations, left))
    return Admission(replace(day, stops=_possible(day, had_stations, left)), tuple(left))


def ways_to_end(day: Day, truck: Truck, stream: str, place: int, leave: int) -> tuple[int, Station | None] | None:
    """The earliest time at the garage, empty, when leaving this place then; with the station it passes. None when it can't."""
    roads = day.roads[truck.profile]
    if not day.stations:
        home = travel(roads, place, truck.garage)
        return None if home is None else (leave + home, None)
    best: tuple[int, Station | None] | None = None
    for station in day.stations:
        there, home = travel(roads, place, station.place), travel(roads, station.place, truck.garage)
        if not station.takes(stream) or there is None or home is None:
            continue
        start = begin((station.open,) if station.open else (), leave + there)
        if start is not None and (best is None or start + station.service + home < best[0]):
            best = (start + station.service + home, station)
    return best


def _size(day: Day) -> int:
    shapes = {m.shape for roads in day.roads.values() for m in (roads.seconds, roads.metres)}
    if not shapes:
        return 0
    if len(shapes) > 1 or any(len(s) != 2 or s[0] != s[1] for s in shapes):
        raise ValueError(f"matrices must be square and of one size, not {sorted(shapes)}")
    return int(next(iter(shapes))[0])


def _mended(roads: Roads) -> Roads:
    """A hole in either matrix is a hole in both; negative and infinite values are holes; staying costs nothing."""
    hole = ~(np.isfinite(roads.seconds) & np.isfinite(roads.metres)) | (roads.seconds < 0) | (roads.metres < 0)
    if not hole.any() and not np.diagonal(roads.seconds).any() and not np.diagonal(roads.metres).any():
        return roads
    seconds, metres = np.where(hole, np.nan, roads.seconds), np.where(hole, np.nan, roads.metres)
    np.fill_diagonal(seconds, 0)
    np.fill_diagonal(metres, 0)
    return replace(roads, seconds=seconds, metres=metres)


def _unique[T: (Truck, Stop, Station)](
    what: Literal["stop", "truck", "station"], things: tuple[T, ...], left: list[LeftOut], fault: Callable[[T], Fault]
) -> tuple[T, ...]:
    """The first of each id, when nothing is wrong with it."""
    seen: set[str] = set()
    kept: list[T] = []
    for thing in things:
        if thing.id in seen:
            left.append(LeftOut(what, thing.id, Reason.DUPLICATE, f"{what} {thing.id} is listed twice: the first one counts"))
        elif (found := fault(thing)) is not None:
            left.append(LeftOut(what, thing.id, *found))
        else:
            kept.append(thing)
        seen.add(thing.id)
    return tuple(kept)


def _good(*numbers: float) -> bool:
    return all(math.isfinite(n) and n >= 0 for n in numbers)


def _window_fault(windows: tuple[Window, ...]) -> bool:
    return any(not (math.isfinite(w.start) and math.isfinite(w.end)) for w in windows)


def _station_fault(station: Station, size: int) -> Fault:
    if not 0 <= station.place < size:
        return Reason.BAD_PLACE, f"place {station.place} is not in the matrix of {size} places"
    if not _good(station.service) or (station.open and _window_fault((station.open,))):
        return Reason.BAD_NUMBER, "its unloading time or its hours are not a number"
    if station.open and station.open.end < station.open.start:
        return Reason.OUTSIDE_SHIFT, "it is closed all day"
    return None


def _stop_fault(stop: Stop, size: int) -> Fault:
    if not 0 <= stop.place < size:
        return Reason.BAD_PLACE, f"place {stop.place} is not in the matrix of {size} places"
    if not _good(stop.kg, stop.litres):
        return Reason.BAD_NUMBER, f"its load is {stop.kg} kg, {stop.litres} l: not a load", {"field": "load"}
    if not _good(stop.service, stop.release) or _window_fault(stop.windows):
        return Reason.BAD_NUMBER, "its service time or a window is not a number", {"field": "times"}
    return None


def _truck_fault(day: Day, truck: Truck, size: int) -> Fault:
    if not (0 <= truck.start < size and 0 <= truck.garage < size):
        return Reason.BAD_PLACE, "its start or its garage is not in the matrix"
    if truck.profile not in day.roads:
        return Reason.BAD_PLACE, f"there is no matrix for its profile {truck.profile!r}"
    p = truck.prices
    if not _good(truck.kg_max, truck.litres_max, truck.overtime, truck.counted, p.fixed, p.per_km, p.per_hour, p.overtime_per_hour):
        return Reason.BAD_NUMBER, "a capacity, a price or a time of it is not a number", {"field": "numbers"}
    if _window_fault((truck.shift,)) or truck.shift.start < 0:
        return (
            Reason.BAD_NUMBER,
            "its shift is not within the day: it begins before the day's origin, or is not a number",
            {"field": "shift"},
        )
    if truck.latest <= truck.leaves:
        return Reason.OUTSIDE_SHIFT, "its shift is over before it can leave"
    return None


def _whole(truck: Truck) -> Truck:
    """In whole kg and litres; an unknown load on board counts as full: the truck then unloads first."""
    kg_max, litres_max = math.floor(truck.kg_max), math.floor(truck.litres_max)
    kg = min(math.ceil(truck.kg), kg_max) if _good(truck.kg) else kg_max
    litres = min(math.ceil(truck.litres), litres_max) if _good(truck.litres) else litres_max
    return replace(truck, kg_max=kg_max, litres_max=litres_max, kg=kg, litres=litres)


def _clean(stop: Stop) -> Stop:
    windows = tuple(sorted((w for w in stop.windows if w.end >= w.start), key=lambda w: (w.start, w.end)))
    if stop.windows and not windows:
        windows = (Window(-2, -1),)  # it never opens: no shift reaches it
    return replace(
        stop, kg=math.ceil(stop.kg), litres=math.ceil(stop.litres), windows=windows, prize=stop.prize if _good(stop.prize) else 0.0
    )


def _able(day: Day, had_stations: bool, left: list[LeftOut]) -> tuple[Truck, ...]:
    """Trucks that could at least drive home, empty."""
    able: list[Truck] = []
    for truck in day.trucks:
        streams = [truck.aboard] if truck.aboard is not None else sorted(truck.streams)
        ends = [ways_to_end(day, truck, stream, truck.start, truck.leaves) for stream in streams]
        direct = travel(day.roads[truck.profile], truck.start, truck.garage)
        if truck.kg == 0 and truck.litres == 0 and direct is not None:
            ends.append((truck.leaves + direct, None))
        if had_stations and not day.stations and (truck.kg > 0 or truck.litres > 0):
            ends = []
        if any(end is not None and end[0] <= truck.latest for end in ends):
            able.append(truck)
        else:
            why = "from where it is it cannot be empty at its garage in time; send it home by hand"
            left.append(LeftOut("truck", truck.id, Reason.CANNOT_END, why))
    return tuple(able)


def _possible(day: Day, had_stations: bool, left: list[LeftOut]) -> tuple[Stop, ...]:
    """Stops that some truck could serve if it had nothing else to do."""
    possible: list[Stop] = []
    for stop in day.stops:
        fault = (Reason.NO_STATION, "no station is open") if had_stations and not day.stations else _blocked(day, stop)
        if fault is None:
            possible.append(stop)
        else:
            left.append(LeftOut("stop", stop.id, *fault))
    return tuple(possible)


_SENTENCE = {
    Reason.NO_TRUCK: "there is no truck",
    Reason.NO_STREAM: "no truck takes {stream}",
    Reason.NO_SKILL: "no truck for {stream} has what it needs: {skills}",
    Reason.TOO_BIG: "{kg:.0f} kg, {litres:.0f} l: more than any truck for it holds",
    Reason.UNREACHABLE: "no truck for it can drive there and back",
    Reason.NO_STATION: "no open station takes {stream} within a shift",
    Reason.OUTSIDE_SHIFT: "no truck for it can be there in its windows and be home in time",
}
_DEPTH = list(_SENTENCE)
_ROADS = {
    "no_street": "no street that it may use is near",
    "closed": "its street is closed",
    "no_way_in": "no way leads there",
    "no_way_out": "no way leads back",
    "cut_off": "it lies on an island",
}


def _blocked(day: Day, stop: Stop) -> Fault:
    """The reason that stopped the truck which came furthest; None when one can do it."""
    deepest = Reason.NO_TRUCK
    for truck in day.trucks:
        reason = blocks(day, truck, stop)
        if reason is None:
            return None
        deepest = max(deepest, reason, key=_DEPTH.index)
    skills = ", ".join(sorted(stop.skills))
    words = _SENTENCE[deepest].format(stream=stop.stream, skills=skills, kg=stop.kg, litres=stop.litres)
    params: dict[str, Any] = {"stream": stop.stream, "skills": sorted(stop.skills), "kg": stop.kg, "litres": stop.litres}
    if deepest is Reason.UNREACHABLE and (road := next((r.why[stop.place] for r in day.roads.values() if stop.place in r.why), None)):
        return deepest, f"{words}: {_ROADS.get(road, road)}", params | {"road": road}
    return deepest, words, params


def blocks(day: Day, truck: Truck, stop: Stop) -> Reason | None:
    """Why this truck cannot serve this stop even if it had nothing else to do; None when it can."""
    if stop.stream not in truck.streams or (truck.aboard is not None and truck.aboard != stop.stream):
        return Reason.NO_STREAM
    if not stop.skills <= truck.skills:
        return Reason.NO_SKILL
    if stop.kg > truck.kg_max or stop.litres > truck.litres_max:
        return Reason.TOO_BIG
    return _drive(day, truck, stop)


def _drive(day: Day, truck: Truck, stop: Stop) -> Reason | None:
    roads = day.roads[truck.profile]
    leave, at = max(truck.leaves, stop.release), truck.start
    if truck.kg + stop.kg > truck.kg_max or truck.litres + stop.litres > truck.litres_max:
        emptied = _unload(day, truck, stop, leave)
        if emptied is None:
            return Reason.NO_STATION
        at, leave = emptied
    there = travel(roads, at, stop.place)
    if there is None:
        return Reason.UNREACHABLE
    start = begin(stop.windows, leave + there)
    if start is None:
        return Reason.OUTSIDE_SHIFT
    end = ways_to_end(day, truck, stop.stream, stop.place, start + stop.service)
    if end is None:
        if travel(roads, stop.place, truck.garage) is None:
            return Reason.UNREACHABLE
        return Reason.NO_STATION
    return None if end[0] <= truck.latest else Reason.OUTSIDE_SHIFT


def _unload(day: Day, truck: Truck, stop: Stop, leave: int) -> tuple[int, int] | None:
    """Where and when the truck would be empty on its way to a stop, the earliest; None when it can't be."""
    if truck.max_trips is not None and truck.trips >= truck.max_trips:
        return None
    roads = day.roads[truck.profile]
    best: tuple[int, int, int] | None = None
    for station in day.stations:
        there, on = travel(roads, truck.start, station.place), travel(roads, station.place, stop.place)
        if not station.takes(stop.stream) or there is None or on is None:
            continue
        start = begin((station.open,) if station.open else (), leave + there)
        if start is not None and (best is None or start + station.service + on < best[0]):
            best = (start + station.service + on, station.place, start + station.service)
    return None if best is None else (best[1], best[2])
