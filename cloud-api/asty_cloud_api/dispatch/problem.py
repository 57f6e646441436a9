"""The day's problem without its ways: places, trucks, stops and stations from what is known of the town. Pure, and plain data to store."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from asty_cloud_api.dispatch import words
from asty_cloud_api.dispatch.chances import Chance, full_weight
from asty_cloud_api.dispatch.known import Known, KnownBin, KnownTruck, Measures, Point
from asty_cloud_api.fleet.plans import DAY_BEGINS, day_begins
from asty_cloud_api.planning.model import WORKING_TIME, BreakRule, Day, Done, Prices, Roads, Station, Stop, Truck, Window
from asty_cloud_api.planning.plan import LeftOut, Reason

NOWHERE = -1
"""The place of what has none."""
ANY_BODY = 1_000_000.0
"""Litres of a body of which the register knows only the kilograms: those are the limit then."""
DEPOT, STATION = "depot", "transfer_station"


PRICES = Prices(fixed=30.0, per_km=0.9, per_hour=38.0, overtime_per_hour=57.0)
"""A collection truck with a driver and two loaders."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The town's choices. Money in euro: what an overflow costs, what a truck costs.

    A bin whose chance is `must_from` or more must be emptied; `shift` is for trucks of which the register names none.
    """

    prices: Prices = PRICES
    overflow_cost: float = 40.0
    must_from: float = 0.9
    next_visit: int = 1
    overtime: int = 3600
    break_rule: BreakRule | None = WORKING_TIME
    unloading: int = 900
    shift: tuple[str, str] = ("05:00", "13:00")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is stored with a plan and planned on from. `points` are the places; those from `fixed` on are where trucks were.

    `whys` are the reasons for stops in the crew's words; `asked` when somebody asked for a stop (s after the origin): what was done
    before does not answer it; `full` when a truck's driver said that it is full. `left_out` never came as far as planning.
    """

    day: date
    origin: datetime
    points: tuple[Point, ...]
    fixed: int
    trucks: tuple[Truck, ...]
    stops: tuple[Stop, ...]
    stations: tuple[Station, ...]
    measures: dict[str, Measures]
    whys: dict[str, str] = field(default_factory=dict)
    streets: dict[str, str] = field(default_factory=dict)
    done: tuple[Done, ...] = ()
    asked: dict[str, int] = field(default_factory=dict)
    full: dict[str, int] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()

    def with_roads(self, roads: dict[str, Roads]) -> Day:
        """The planner's day."""
        return Day(self.trucks, self.stops, self.stations, roads, self.done)

    def of_day(self, day: Day) -> "Problem":
        """This problem with trucks and stops as a planned day has them."""
        return replace(self, trucks=day.trucks, stops=day.stops, stations=day.stations, done=day.done)

    def seconds(self, at: datetime) -> int:
        """Whole seconds of an instant after the origin."""
        return math.floor((at - self.origin).total_seconds())

    def moment(self, seconds: float) -> datetime:
        """The instant so many seconds after the origin, UTC."""
        return (self.origin + timedelta(seconds=seconds)).astimezone(UTC)


def problem_of(known: Known, chances: Mapping[str, Chance], day: date, zone: ZoneInfo, rules: Rules) -> Problem:
    """Map the town onto a day; what can't be planned is in `left_out` with its reason. Never raises."""
    left: list[LeftOut] = []
    points: list[Point] = []
    depot, station = known.place(DEPOT), known.place(STATION)
    garage = _placed(points, depot.at if depot else None)
    streams = tuple(sorted({b.stream for b in known.bins}))
    trucks: list[Truck] = []
    for truck in known.trucks:
        made = truck_of(truck, garage, streams, day, zone, rules)
        if isinstance(made, LeftOut):
            left.append(made)
        else:
            trucks.append(made)
    stations: tuple[Station, ...] = ()
    if station is not None:
        if (place := _placed(points, station.at)) == NOWHERE:
            left.append(LeftOut("station", STATION, Reason.BAD_PLACE, "its place in the register is none on the globe"))
        else:
            stations = (Station(STATION, place, rules.unloading),)
    stops: list[Stop] = []
    whys: dict[str, str] = {}
    for one in known.bins:
        chance = chances.get(one.id) or Chance(1.0, 1.0, full_weight(one.stream, one.volume_l), known=False)
        stop = stop_of(one, chance, points, day, zone, rules)
        if isinstance(stop, LeftOut):
            left.append(stop)
            continue
        stops.append(stop)
        whys[one.id] = words.of_stop(one, chance, must=stop.must)
    if not trucks:
        left += [LeftOut("stop", stop.id, Reason.NO_TRUCK, "there is no truck that can be planned") for stop in stops]
        stops = []
    return Problem(
        day=day,
        origin=day_begins(day, zone),
        points=tuple(points),
        fixed=len(points),
        trucks=tuple(trucks),
        stops=tuple(stops),
        stations=stations,
        measures={truck.measures.profile: truck.measures for truck in known.trucks},
        whys=whys,
        streets={b.id: b.street for b in known.bins if b.street},
        left_out=tuple(left),
    )


def stop_of(one: KnownBin, chance: Chance, points: list[Point], day: date, zone: ZoneInfo, rules: Rules) -> Stop | LeftOut:
    """A bin as a stop; its place is put into `points`."""
    if not one.at.is_real:
        return LeftOut("stop", one.id, Reason.BAD_PLACE, "its place in the register is none on the globe")
    litres = chance.level * one.volume_l
    numbers = (chance.kg, litres, chance.overflow, one.service_s)
    if not all(math.isfinite(n) and n >= 0 for n in numbers):
        return LeftOut("stop", one.id, Reason.BAD_NUMBER, "its weight, level or chance is not a number", {"field": "load"})
    must = one.must or chance.overflow >= rules.must_from
    return Stop(
        id=one.id,
        place=_placed(points, one.at),
        kg=round(chance.kg, 1),
        litres=round(litres, 1),
        service=one.service_s,
        windows=_windows(one.windows, day, zone),
        must=must,
        prize=round(chance.overflow * rules.overflow_cost, 2),
        stream=one.stream,
    )


def truck_of(truck: KnownTruck, garage: int, streams: tuple[str, ...], day: date, zone: ZoneInfo, rules: Rules) -> Truck | LeftOut:
    """A truck of the register as one of the day, at its garage, or why it can't be planned."""
    if garage == NOWHERE:
        return LeftOut(
            "truck", truck.edge, Reason.BAD_PLACE, "the register has no depot, or one that is nowhere on the globe", {"field": "depot"}
        )
    if truck.capacity_kg is None or not math.isfinite(truck.capacity_kg) or truck.capacity_kg <= 0:
        return LeftOut(
            "truck", truck.edge, Reason.BAD_NUMBER, "the register does not say how many kg it may carry", {"field": "capacity_kg"}
        )
    litres = truck.capacity_l if truck.capacity_l is not None else ANY_BODY
    if not math.isfinite(litres) or litres <= 0:
        return LeftOut(
            "truck", truck.edge, Reason.BAD_NUMBER, "the register does not say how many litres its body holds", {"field": "capacity_l"}
        )
    return Truck(
        id=truck.edge,
        kg_max=truck.capacity_kg,
        litres_max=litres,
        shift=_shift(*(truck.shift or rules.shift), day, zone),
        garage=garage,
        start=garage,
        streams=frozenset(truck.streams or streams),
        skills=frozenset(truck.skills),
        profile=truck.measures.profile,
        prices=rules.prices,
        overtime=rules.overtime,
        break_rule=rules.break_rule,
    )


def _placed(points: list[Point], at: Point | None) -> int:
    if at is None or not at.is_real:
        return NOWHERE
    points.append(at)
    return len(points) - 1


def local_seconds(text: str, day: date, zone: ZoneInfo) -> int:
    """Seconds after the day's origin of a local time: those before the hour at which a service day begins belong to its end."""
    clock = time.fromisoformat(text)
    on = day if clock.hour >= DAY_BEGINS else day + timedelta(days=1)
    return round((datetime.combine(on, clock, zone).astimezone(UTC) - day_begins(day, zone)).total_seconds())


def _shift(begins: str, ends: str, day: date, zone: ZoneInfo) -> Window:
    start, end = local_seconds(begins, day, zone), local_seconds(ends, day, zone)
    return Window(start, end if end > start else end + 86_400)


def _windows(texts: Sequence[tuple[str, str]], day: date, zone: ZoneInfo) -> tuple[Window, ...]:
    """The windows from the day's origin to the end of a shift that begins at its end; one over the origin is there on both sides."""
    found: list[Window] = []
    for begins, ends in texts:
        window = _shift(begins, ends, day, zone)
        for later in (-86_400, 0, 86_400):
            start, end = max(0, window.start + later), window.end + later
            if end > start:
                found.append(Window(start, end))
    return tuple(sorted(found, key=lambda w: w.start))
