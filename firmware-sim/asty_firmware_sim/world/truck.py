"""One truck's day: follow its route, or without one drive to the fullest bin nearby; lift, unload when full, rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot
from typing import Literal

from asty_town import Town
from asty_town.graph import Edge

from asty_firmware_sim.scenario import FaultName, TruckSpec
from asty_firmware_sim.world.bins import Bin
from asty_firmware_sim.world.chance import chance
from asty_firmware_sim.world.crew import Worker
from asty_firmware_sim.world.faults import Faults
from asty_firmware_sim.world.fuel import Engine
from asty_firmware_sim.world.lift import LiftCycle, lift_cycle
from asty_firmware_sim.world.roads import Drive, truck_speed
from asty_firmware_sim.world.senses import Event, LiftShown, LiftTruth, TagOnAir, TruckSenses

Doing = Literal["driving", "lifting", "unloading", "waiting", "break"]
_WORTH_A_STOP = 0.22  # share of a bin's volume
_AGAIN_AFTER = 20 * 60_000
_FULL = 0.95
_BREAK = 15 * 60_000
_UNLOADING = 150_000
_WAITING = 90_000
_THEFT_SHARE = 0.14  # of the tank
_THEFT_AFTER, _THEFT_LASTS = 60_000, 120_000


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing that a driver is told to do: lift a bin (`bin` its id), or unload."""

    kind: Literal["lift", "unload"]
    bin: str = ""


@dataclass(slots=True)
class _Lifting:
    bin: Bin
    cycle: LiftCycle
    began: int
    kg: float
    faults: frozenset[FaultName]
    on_air: str | None
    tag_given: bool = False
    counted: bool = False


class Truck:
    """One truck with its engine, lift and crew. Ticked by the world."""

    def __init__(
        self,
        spec: TruckSpec,
        town: Town,
        bins: list[Bin],
        strange_tags: list[str],
        unloads_at: Edge,
        seed: int,
        start: int,
        *,
        known_bins: Mapping[str, Bin],
    ) -> None:
        """`bins` are those of its own round; `known_bins`, by id, all that its reader hears: a route may send it to any of them."""
        self.spec = spec
        self.cycle = 0
        self.load = 0.0
        self.halted = False
        self._town = town
        self.bins = bins
        self._known_bins = known_bins
        self._errands: list[Errand] | None = None  # None: it makes its own round
        self._strange_tags = strange_tags
        self._unloads_at = unloads_at
        self._rng = chance(seed, spec.edge)
        self._born = start
        self.engine = Engine(
            tank=spec.tank,
            litres=spec.tank * float(self._rng.uniform(0.55, 0.9)),
            total=float(self._rng.uniform(20_000, 60_000)),
            dist=float(self._rng.uniform(60e6, 180e6)),
            hours=float(self._rng.uniform(4000, 12_000)),
        )
        self.crew = [Worker(chance(seed, spec.edge, "worker", k)) for k in range(len(spec.vests))]
        for worker in self.crew:
            worker.begin_shift(start)
        self._next_break = start + int(self._rng.uniform(100, 150) * 60_000)
        self._until = start
        self._theft_begins: int | None = None
        self._theft_left = 0.0
        self._theft_seen = False
        self._lifting: _Lifting | None = None
        self._goal: Bin | None = None
        self._edge, self._along = self._beginning(start)
        self._drive = Drive([self._spot(self._edge, self._along)] * 2, [1.0])
        self._course = 0.0
        self.doing: Doing = "waiting"

    def _beginning(self, now: int) -> tuple[Edge, float]:
        """Start some metres before a full bin, so that the first lift comes soon."""
        if not self.bins:
            return self._unloads_at, 0.0
        ready = [one for one in self.bins if one.along > 22 and one.on_air] or self.bins
        first = max(ready, key=lambda one: one.fill(now))
        return first.edge, max(0.0, first.along - 24.0)

    def _spot(self, edge: Edge, along: float) -> tuple[float, float]:
        graph = self._town.graph()
        (ax, ay), (bx, by) = graph.xy[edge.tail], graph.xy[edge.head]
        share = min(1.0, along / edge.metres) if edge.metres else 0.0
        return ax + (bx - ax) * share, ay + (by - ay) * share

    def tick(self, now: int, seconds: float, faults: Faults) -> list[Event]:
        """Advance to `now`; return what happened on the way."""
        events: list[Event] = []
        metres = 0.0
        self._latch_theft(faults, now)
        if self.doing == "driving":
            metres = self._drive.advance(seconds)
            self._course = self._drive.course if self._drive.course is not None else self._course
            if self._drive.done:
                self._arrive(now, faults)
        elif self.doing == "lifting":
            events = self._lift(now)
        elif now >= self._until:
            self._resume(now)
        self._steal(now, seconds)
        self.engine.run(seconds, self._drive.v if self.doing == "driving" else 0.0, self._drive.acceleration, metres)
        return events

    def _decide(self, now: int) -> None:
        """Choose what to do next."""
        self.engine.pto = False
        if self.halted:
            self._wait("waiting", now, _WAITING)
        elif self._theft_left > 0 or now >= self._next_break:
            self._rest(now)
        elif self.load > _FULL * self.spec.capacity_kg:
            self._goal = None
            self._set_out(self._unloads_at, self._unloads_at.metres)
        elif self._errands is not None:
            self._go_on(self._errands, now)
        elif (goal := self._fullest_nearby(now)) is not None:
            self._goal = goal
            self._set_out(goal.edge, goal.along)
        else:
            self._wait("waiting", now, _WAITING)

    def follow(self, errands: tuple[Errand, ...]) -> None:
        """Follow a route from now on; a lift or a way that has begun is ended first. Bins that its reader can't hear are left out."""
        self._errands = [e for e in errands if e.kind == "unload" or e.bin in self._known_bins]
        if self.doing == "waiting" and not self.halted:
            self._until = 0

    def _go_on(self, errands: list[Errand], now: int) -> None:
        while errands and errands[0].kind == "unload" and self.load <= 0:
            errands.pop(0)
        if not errands:
            self._wait("waiting", now, _WAITING)
            return
        errand = errands.pop(0)
        self._goal = self._known_bins[errand.bin] if errand.kind == "lift" else None
        if self._goal is None:
            self._set_out(self._unloads_at, self._unloads_at.metres)
        else:
            self._set_out(self._goal.edge, self._goal.along)

    def _wait(self, doing: Doing, now: int, lasts: int) -> None:
        self.doing = doing
        self._until = now + lasts

    def _rest(self, now: int) -> None:
        self.engine.ignition = False
        if self._theft_left > 0:
            self._theft_begins = now + _THEFT_AFTER
        for worker in self.crew:
            worker.begin_break()
        self._next_break = now + int(self._rng.uniform(120, 170) * 60_000)
        self._wait("break", now, _BREAK)

    def _resume(self, now: int) -> None:
        if self.doing == "break":
            self.engine.ignition = True
            if self.engine.litres < 0.3 * self.spec.tank:
                self.engine.litres = 0.95 * self.spec.tank
            for worker in self.crew:
                worker.end_break(now)
        elif self.doing == "unloading":
            self.load = 0.0
        self._decide(now)

    def _fullest_nearby(self, now: int) -> Bin | None:
        x, y = self._spot(self._edge, self._along)
        graph = self._town.graph()

        def cost(one: Bin) -> float:
            bx, by = graph.xy[one.edge.tail]
            behind = 60.0 if one.edge == self._edge and one.along < self._along - 0.1 else 0.0
            return hypot(bx - x, by - y) * (0.0 if one.edge == self._edge and not behind else 1.0) + behind - 60.0 * one.fill(now)

        ready = [one for one in self.bins if (one.tried_at == 0 or now - one.tried_at > _AGAIN_AFTER) and one.fill(now) > _WORTH_A_STOP]
        return min(ready, key=cost, default=None)

    def _set_out(self, edge: Edge, along: float) -> None:
        graph = self._town.graph()
        here = self._spot(self._edge, self._along)
        if edge == self._edge and along >= self._along:
            travelled = [(here, self._spot(edge, along), edge)]
        else:
            between = graph.path(self._edge.head, edge.tail)
            travelled = [(here, graph.xy[self._edge.head], self._edge)]
            travelled += [(graph.xy[step.tail], graph.xy[step.head], step) for step in between]
            travelled.append((graph.xy[edge.tail], self._spot(edge, along), edge))
        streets = self._town.streets
        limits = [truck_speed(streets[step.street].highway, streets[step.street].maxspeed) for _, _, step in travelled]
        self._drive = Drive([travelled[0][0], *(end for _, end, _ in travelled)], limits)
        self._edge, self._along = edge, along
        self.doing = "driving"

    def _arrive(self, now: int, faults: Faults) -> None:
        if self._goal is None:
            self.engine.pto = True
            self._wait("unloading", now, _UNLOADING)
        elif self.halted:
            self._wait("waiting", now, _WAITING)
        else:
            self._begin_lift(self._goal, now, faults)

    def _begin_lift(self, goal: Bin, now: int, faults: Faults) -> None:
        spoilt = faults.of_next_lift(self.spec.edge, now)
        broken = "lift_fault" in spoilt
        goal.tried_at = now
        kg = 0.3 * goal.litres * 0.2 if broken else goal.emptied(now)
        on_air = None if "no_tag" in spoilt else goal.on_air
        if "swapped_tag" in spoilt and self._strange_tags:
            on_air = self._strange_tags[int(self._rng.integers(len(self._strange_tags)))]
        cycle = lift_cycle(goal.empty_kg, kg, self._rng, shaky="unstable_weight" in spoilt, broken=broken)
        self._lifting = _Lifting(goal, cycle, now, kg, spoilt, on_air)
        self.engine.pto = True
        self.doing = "lifting"

    def _lift(self, now: int) -> list[Event]:
        lifting = self._lifting
        assert lifting is not None
        t = (now - lifting.began) / 1000
        events: list[Event] = []
        if not lifting.tag_given and t >= lifting.cycle.tag_at:
            lifting.tag_given = True
            if lifting.on_air is not None:
                events.append(TagOnAir(now, self.spec.edge, lifting.on_air))
        if not lifting.counted and t >= lifting.cycle.idle:
            lifting.counted = True
            if not lifting.cycle.broken:
                events.append(self._counted(lifting))
        if t >= lifting.cycle.over:
            self._lifting = None
            self._decide(now)
        return events

    def _counted(self, lifting: _Lifting) -> LiftTruth:
        self.cycle += 1
        self.load += lifting.kg
        cycle, began, one = lifting.cycle, lifting.began, lifting.bin
        return LiftTruth(
            edge=self.spec.edge,
            cycle=self.cycle,
            started=began + round(cycle.raised * 1000),
            ended=began + round(cycle.idle * 1000),
            bin=one.id,
            tag=one.tag,
            read=lifting.on_air,
            kg=round(lifting.kg, 2),
            gross=cycle.gross,
            tare=cycle.tare,
            lat=round(one.lat, 6),
            lon=round(one.lon, 6),
            faults=tuple(sorted(lifting.faults | ({"no_tag"} if one.on_air is None else set()))),
        )

    def _latch_theft(self, faults: Faults, now: int) -> None:
        """A thief waits until the truck stands with its engine off; one fault is one theft."""
        active = any(fault.name == "fuel_theft" for fault in faults.active(self.spec.edge, now))
        if active and not self._theft_seen:
            self._theft_left = _THEFT_SHARE * self.spec.tank
            if self.doing == "break":
                self._theft_begins = now
        self._theft_seen = active

    def _steal(self, now: int, seconds: float) -> None:
        if self._theft_begins is None or now < self._theft_begins:
            return
        taken = min(self._theft_left, self.engine.litres, _THEFT_SHARE * self.spec.tank * seconds * 1000 / _THEFT_LASTS)
        self.engine.litres -= taken
        self._theft_left -= taken
        if taken <= 0 or self._theft_left <= 1e-6:
            self._theft_left, self._theft_begins = 0.0, None

    def set_out(self) -> None:
        """End a halt."""
        self.halted = False
        if self.doing == "waiting":
            self._until = 0

    @property
    def lifting(self) -> bool:
        """Whether a lift is under way."""
        return self._lifting is not None

    def senses(self, now: int, faults: Faults) -> TruckSenses:
        """Return what every sensor on it would sense now."""
        x, y = self._drive.place if self.doing == "driving" else self._spot(self._edge, self._along)
        lat, lon = self._town.plane.latlon(x, y)
        active = faults.active(self.spec.edge, now)
        names = {fault.name for fault in active}
        lifting, engine = self._lifting, self.engine
        return TruckSenses(
            at=now,
            lat=lat,
            lon=lon,
            v=engine.v,
            course=self._course,
            gnss="gnss_loss" not in names,
            lift=lifting.cycle.shown((now - lifting.began) / 1000) if lifting else LiftShown(),
            cycle=self.cycle,
            uptime=max(0, (now - self._born) // 1000),
            pto=engine.pto,
            level=engine.level(now),
            rate=engine.rate,
            total=engine.total,
            ignition=engine.ignition,
            rpm=engine.rpm,
            dist=engine.dist,
            hours=engine.hours,
            vests=tuple(worker.shown(now) for worker in self.crew),
            scanner="silent_scanner" not in names,
            unplugged=frozenset(fault.device for fault in active if fault.name == "unplugged_serial"),
            load=self.load,
            doing=self.doing,
        )
