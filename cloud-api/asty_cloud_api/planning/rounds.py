"""A fixed round as it would be driven today: its bins in their order whatever lies in them, unloading whenever the truck is full. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from asty_cloud_api.planning.model import Day, Matrix, Stop, Truck


@dataclass(frozen=True, slots=True)
class Round:
    """One truck's round. `passed_over` are its bins that can't be driven to, or are not in the day."""

    truck: str
    stops: tuple[str, ...]
    metres: float
    seconds: int
    kg: float
    unloads: int
    cost: float
    passed_over: tuple[str, ...] = ()


def drive_rounds(day: Day, rounds: Mapping[str, Sequence[str]]) -> tuple[Round, ...]:
    """Drive each truck's round from and to its garage. A truck that the day does not have is passed over with its bins.

    Rounds know no windows, breaks or streams: the old routine is measured by its way and its time. Cost in the truck's prices.
    """
    stops = {stop.id: stop for stop in day.stops}
    trucks = {truck.id: truck for truck in day.trucks}
    return tuple(_drive(day, trucks[name], bins, stops) for name, bins in rounds.items() if name in trucks)


def _drive(day: Day, truck: Truck, bins: Sequence[str], stops: Mapping[str, Stop]) -> Round:
    roads = day.roads[truck.profile]
    station = min(
        (s for s in day.stations if math.isfinite(_seconds(roads.seconds, truck.garage, s.place))),
        key=lambda s: _seconds(roads.seconds, truck.garage, s.place),
        default=None,
    )
    metres, seconds, kg, litres, carried, at = 0.0, 0, 0.0, 0.0, 0.0, truck.garage
    done: list[str] = []
    passed: list[str] = []
    unloads = 0

    def go(place: int, stands: int) -> None:
        nonlocal metres, seconds, at
        metres += float(roads.metres[at, place])
        seconds += math.ceil(roads.seconds[at, place]) + stands
        at = place

    for name in bins:
        stop = stops.get(name)
        if stop is None or not _can_go(roads.seconds, truck.garage, stop.place):
            passed.append(name)
            continue
        if done and station is not None and kg > 0 and (kg + stop.kg > truck.kg_max or litres + stop.litres > truck.litres_max):
            go(station.place, station.service)
            kg, litres, unloads = 0.0, 0.0, unloads + 1
        go(stop.place, stop.service)
        kg, litres, carried = kg + stop.kg, litres + stop.litres, carried + stop.kg
        done.append(name)
    if done:
        if station is not None:
            go(station.place, station.service)
            unloads += 1
        go(truck.garage, 0)
    return Round(truck.id, tuple(done), metres, seconds, carried, unloads, _cost(truck, metres, seconds, done), tuple(passed))


def _cost(truck: Truck, metres: float, seconds: int, done: Iterable[str]) -> float:
    prices, late = truck.prices, max(0, seconds - (truck.shift.end - truck.shift.start))
    way = prices.per_km * metres / 1000 + (prices.per_hour * seconds + prices.overtime_per_hour * late) / 3600
    return prices.fixed + way if done else 0.0


def _can_go(seconds: Matrix, garage: int, place: int) -> bool:
    return place >= 0 and math.isfinite(_seconds(seconds, garage, place)) and math.isfinite(_seconds(seconds, place, garage))


def _seconds(matrix: Matrix, a: int, b: int) -> float:
    return float(matrix[a, b])
