"""A first order by the nearest next must-stop, unloading when full: what a search may start from, and what remains when it has no time."""

from dataclasses import dataclass

from asty_cloud_api.planning.admission import ways_to_end
from asty_cloud_api.planning.engines.order import Order
from asty_cloud_api.planning.model import Day, Station, Stop, Truck
from asty_cloud_api.planning.schedule import Step, begin, travel


@dataclass(frozen=True, slots=True)
class _Now:
    """Where a truck of the construction is."""

    at: int
    time: int
    kg: float
    litres: float
    trips: int


def nearest(day: Day, streams: dict[str, str]) -> Order:
    """Order the must-stops of an admitted day: truck after truck, biggest first, always the stop that can be begun soonest."""
    left = {stop.id: stop for stop in day.stops if stop.must and not stop.release}
    order: Order = {}
    for truck in sorted(day.trucks, key=lambda t: (t.ready is None, -t.litres_max, t.id)):
        steps = _fill(day, truck, streams[truck.id], left)
        if steps:
            order[truck.id] = steps
    return order


def _fill(day: Day, truck: Truck, stream: str, left: dict[str, Stop]) -> tuple[Step, ...]:
    now = _Now(truck.start, truck.leaves, truck.kg, truck.litres, truck.trips)
    steps: list[Step] = []
    while True:
        found = _soonest(day, truck, stream, now, left)
        if found is None and (emptied := _emptied(day, truck, stream, now)) is not None:
            station, after = emptied
            found = _soonest(day, truck, stream, after, left)
            if found is not None:
                steps.append(Step("unload", station.id))
        if found is None:
            return tuple(steps)
        stop, now = found
        steps.append(Step("stop", stop.id))
        del left[stop.id]


def _soonest(day: Day, truck: Truck, stream: str, now: _Now, left: dict[str, Stop]) -> tuple[Stop, _Now] | None:
    """The stop that fits and can be begun first, with home still in time."""
    roads = day.roads[truck.profile]
    reached: list[tuple[int, Stop]] = []
    for stop in left.values():
        if not truck.may_serve(stop, stream):
            continue
        if now.kg + stop.kg > truck.kg_max or now.litres + stop.litres > truck.litres_max:
            continue
        seconds = travel(roads, now.at, stop.place)
        start = None if seconds is None else begin(stop.windows, now.time + seconds)
        if start is not None:
            reached.append((start, stop))
    for start, stop in sorted(reached, key=lambda r: (r[0], r[1].id)):
        end = ways_to_end(day, truck, stream, stop.place, start + stop.service)
        if end is not None and end[0] <= truck.latest:
            return stop, _Now(stop.place, start + stop.service, now.kg + stop.kg, now.litres + stop.litres, now.trips)
    return None


def _emptied(day: Day, truck: Truck, stream: str, now: _Now) -> tuple[Station, _Now] | None:
    """The truck after unloading at the station where it is done first."""
    if (now.kg == 0 and now.litres == 0) or (truck.max_trips is not None and now.trips >= truck.max_trips):
        return None
    roads = day.roads[truck.profile]
    done: list[tuple[int, Station]] = []
    for station in day.stations:
        seconds = travel(roads, now.at, station.place)
        start = None if seconds is None else begin((station.open,) if station.open else (), now.time + seconds)
        if station.takes(stream) and start is not None:
            done.append((start + station.service, station))
    if not done:
        return None
    time, station = min(done, key=lambda d: (d[0], d[1].id))
    return station, _Now(station.place, time, 0.0, 0.0, now.trips + 1)
