"""What both engines need to know of a day: trucks of a kind, the stops each kind may serve, and ways home that pass a station."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asty_cloud_api.planning.model import Day, Station, Truck

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Homing:
    """The way from anywhere through the quickest of `stations` to the garage; arrival at the garage lies in [early, late]."""

    garage: int
    stations: tuple[Station, ...]
    early: int
    late: int


def homing(day: Day, truck: Truck, stream: str) -> Homing:
    """Choose the stations that a truck may pass on its way home: all that stay open until its shift ends, else the one open longest."""
    taking = tuple(s for s in day.stations if s.takes(stream))
    always = tuple(s for s in taking if s.open is None or (s.open.start <= truck.leaves and s.open.end >= truck.latest))
    if always or not taking:
        return Homing(truck.garage, always, 0, truck.latest)
    roads = day.roads[truck.profile]

    def hours(station: Station) -> tuple[bool, int]:
        home = roads.seconds[station.place, truck.garage]
        assert station.open is not None
        return bool(np.isfinite(home)), min(station.open.end, truck.latest) - max(station.open.start, truck.leaves)

    best = max(taking, key=hours)
    assert best.open is not None
    home = roads.seconds[best.place, truck.garage]
    extra = best.service + (int(np.ceil(home)) if np.isfinite(home) else 0)
    return Homing(truck.garage, (best,), min(best.open.start + extra, truck.latest), min(best.open.end + extra, truck.latest))


def allowed(day: Day, truck: Truck, stream: str) -> NDArray[np.bool_]:
    """Which stops this truck may serve by stream and skills, one flag per stop."""
    return np.array([truck.may_serve(s, stream) for s in day.stops], dtype=np.bool_)


def columns_home(day: Day, profile: str, way: Homing, places: Whole) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds and metres from each place home through a station; NaN where there is no way."""
    roads = day.roads[profile]
    seconds, metres = np.ceil(roads.seconds), roads.metres
    if not way.stations:
        return seconds[places, way.garage], metres[places, way.garage]
    via = [s.place for s in way.stations]
    service = np.array([s.service for s in way.stations])
    time = seconds[np.ix_(places, via)] + service + seconds[via, way.garage]
    length = metres[np.ix_(places, via)] + metres[via, way.garage]
    pick = np.argmin(np.where(np.isnan(time), np.inf, time), axis=1)
    rows = np.arange(len(places))
    return time[rows, pick], length[rows, pick]
