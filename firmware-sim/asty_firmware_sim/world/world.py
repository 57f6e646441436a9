"""The whole world, in ticks: the same seed and start give the same town, however it is looked at."""

from collections.abc import Collection
from typing import Any

from asty_town import Town
from asty_town.graph import Edge

from asty_firmware_sim.scenario import EM4100, FaultSpec, GatewaySpec, Scenario, TruckSpec
from asty_firmware_sim.world.bins import Bin, place_bins
from asty_firmware_sim.world.chance import chance
from asty_firmware_sim.world.crew import Worker
from asty_firmware_sim.world.faults import Faults
from asty_firmware_sim.world.levels import LevelSensors
from asty_firmware_sim.world.senses import Event, GatewaySenses, TruckSenses
from asty_firmware_sim.world.truck import Errand, Truck

_NOT_KEPT = 100
"""More frames than a sensor sends between the last look at its counter and the simulator's end: a counter never goes back."""


class World:
    """A town with bins, trucks and crews. `only` leaves other trucks out; what happens to these stays the same."""

    def __init__(
        self, town: Town, scenario: Scenario, seed: int, start: int, *, only: Collection[str] | None = None, tick_ms: int = 100
    ) -> None:
        self.town = town
        self.scenario = scenario
        self.now = start
        self._tick = tick_ms
        self.bins = place_bins(town, seed, scenario.bins, scenario.tagless_bins, start)
        self.faults = Faults(scenario.edges, scenario.random, seed, start)
        for fault in scenario.fault:
            self.faults.add(fault, start + int(fault.at * 1000))
        self.depot = _place(town, "depot", fallback=0.75)
        self.transfer_station = _place(town, "waste_transfer_station", fallback=0.25)
        unloads_at = _edge_into(town, self.transfer_station)
        self._tags = {em4100: [one.tag for one in self.bins if one.em4100 == em4100] for em4100 in (False, True)}
        heard = {em4100: {one.id: one for one in self.bins if one.em4100 == em4100} for em4100 in (False, True)}
        self.trucks = {
            spec.edge: Truck(
                spec, town, own, self._tags[spec.rfid in EM4100], unloads_at, seed, start, known_bins=heard[spec.rfid in EM4100]
            )
            for spec, own in self._shared_out(scenario.truck)
            if only is None or spec.edge in only
        }
        self.gateways = {spec.edge: spec for spec in scenario.gateway if only is None or spec.edge in only}
        self.levels = {
            edge: LevelSensors(self.bins, spec.level_sensors, spec.level_every, seed, edge, start) for edge, spec in self.gateways.items()
        }
        self._guards = {edge: _guards(spec, seed, start) for edge, spec in self.gateways.items()}

    def _shared_out(self, trucks: tuple[TruckSpec, ...]) -> list[tuple[TruckSpec, list[Bin]]]:
        """Give each truck the bins whose tags its reader hears; trucks of one kind share them from west to east."""
        shared: list[tuple[TruckSpec, list[Bin]]] = []
        for em4100 in (False, True):
            fleet = [spec for spec in trucks if (spec.rfid in EM4100) == em4100]
            bins = sorted((one for one in self.bins if one.em4100 == em4100), key=lambda one: (one.lon, one.id))
            for k, spec in enumerate(fleet):
                shared.append((spec, bins[k * len(bins) // len(fleet) : (k + 1) * len(bins) // len(fleet)]))
        return shared

    def advance(self, to: int) -> list[Event]:
        """Run whole ticks up to `to` (UTC ms); return what happened, in order."""
        events: list[Event] = []
        seconds = self._tick / 1000
        while self.now + self._tick <= to:
            self.now += self._tick
            for edge, truck in self.trucks.items():
                self.faults.roll(edge, self.now)
                events += truck.tick(self.now, seconds, self.faults)
            for edge in self.gateways:
                self.faults.roll(edge, self.now)
        return events

    def inject(self, fault: FaultSpec) -> None:
        """Begin a fault `fault.at` seconds from now. Raises KeyError for an edge that there isn't."""
        self.faults.add(fault, self.now + int(fault.at * 1000))

    def halt(self) -> None:
        """Begin no further lift; those under way end."""
        for truck in self.trucks.values():
            truck.halted = True

    def set_out(self, edge: str) -> None:
        """Let a truck that was halted go (on) at once."""
        self.trucks[edge].set_out()

    def follow(self, edge: str, errands: tuple[Errand, ...]) -> None:
        """Let a truck follow a route in the place of its own round, or of the route that it has."""
        self.trucks[edge].follow(errands)

    @property
    def lifting(self) -> bool:
        """Whether any lift is under way."""
        return any(truck.lifting for truck in self.trucks.values())

    def truck(self, edge: str) -> TruckSenses:
        """Return what one truck's sensors sense now."""
        return self.trucks[edge].senses(self.now, self.faults)

    def gateway(self, edge: str) -> GatewaySenses:
        """Return what one gateway's sensors sense now."""
        active = self.faults.active(edge, self.now)
        names = {fault.name for fault in active}
        return GatewaySenses(
            at=self.now,
            lat=self.depot[0],
            lon=self.depot[1],
            gnss="gnss_loss" not in names,
            vests=tuple(guard.shown(self.now) for guard in self._guards[edge]),
            scanner="silent_scanner" not in names,
            unplugged=frozenset(fault.device for fault in active if fault.name == "unplugged_serial"),
            levels=self.levels[edge].spoken(self.now),
        )

    def counters(self) -> dict[str, Any]:
        """Return what a lift controller, an engine and a bin remember while the simulator is off; plain data for JSON."""
        return {
            "now": self.now,
            "trucks": {
                edge: {
                    "cycle": truck.cycle,
                    "load": truck.load,
                    "litres": truck.engine.litres,
                    "total": truck.engine.total,
                    "dist": truck.engine.dist,
                    "hours": truck.engine.hours,
                }
                for edge, truck in self.trucks.items()
            },
            "levels": {edge: sensors.counts for edge, sensors in self.levels.items()},
            "bins": {one.id: [one.content, one.filled_at, one.tried_at, one.pace] for one in self.bins},
        }

    def remember(self, counters: dict[str, Any]) -> None:
        """Take up counters that an earlier run of the same town gave; unknown trucks and bins are passed over."""
        for edge, kept in counters["trucks"].items():
            if (truck := self.trucks.get(edge)) is not None:
                truck.cycle, truck.load = int(kept["cycle"]), float(kept["load"])
                engine = truck.engine
                engine.litres, engine.total = float(kept["litres"]), float(kept["total"])
                engine.dist, engine.hours = float(kept["dist"]), float(kept["hours"])
        for edge, counts in counters.get("levels", {}).items():
            if (sensors := self.levels.get(edge)) is not None and len(counts) == len(sensors.counts):
                sensors.counts = [int(count) + _NOT_KEPT for count in counts]
        for one in self.bins:
            if (was := counters["bins"].get(one.id)) is not None:
                one.content, one.filled_at, one.tried_at, one.pace = float(was[0]), int(was[1]), int(was[2]), float(was[3])


def _guards(spec: GatewaySpec, seed: int, start: int) -> list[Worker]:
    workers = [Worker(chance(seed, spec.edge, "worker", k)) for k in range(len(spec.vests))]
    for worker in workers:
        worker.begin_shift(start)
    return workers


def _place(town: Town, kind: str, *, fallback: float) -> tuple[float, float]:
    """Return (lat, lon) of a place; without one, a street node some way through the town from west to east."""
    if (place := town.place(kind)) is not None:
        return place.lat, place.lon
    points = sorted(town.graph().points, key=lambda point: point[1])
    return points[int(len(points) * fallback)]


def _edge_into(town: Town, point: tuple[float, float]) -> Edge:
    graph = town.graph()
    node = graph.nearest(*point)
    return next(edge for edge in graph.edges if edge.head == node)
