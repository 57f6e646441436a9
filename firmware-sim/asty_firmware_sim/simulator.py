"""The running simulator: the town's clock drives the world, the world's senses drive the devices."""

import asyncio
import json
import logging
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from asty_firmware_sim.clock import TownClock
from asty_firmware_sim.edges import EdgePlace, write_whole
from asty_firmware_sim.fault_lines import FaultLineError, FaultLines, parse
from asty_firmware_sim.orders import Orders
from asty_firmware_sim.rig import BEATS_PER_SECOND, GatewayRig, TruckRig
from asty_firmware_sim.world import LiftTruth, TagOnAir, World

log = logging.getLogger(__name__)

_KEEP_EVERY = 5 * BEATS_PER_SECOND
_LAST_LIFT_S = 5.0
"""How long a stop waits for lifts that are under way."""


def kept_counters(folder: Path) -> dict[str, Any] | None:
    """Return the counters of an earlier run in this folder; None when there was none, or when the file is damaged."""
    try:
        kept: dict[str, Any] = json.loads((folder / "state.json").read_text())
    except FileNotFoundError:
        return None
    except (ValueError, UnicodeDecodeError) as error:
        log.warning("state.json is damaged (%s): counters begin anew", error)
        return None
    return kept


class Simulator:
    """One town with its devices in one folder."""

    def __init__(
        self, folder: Path, world: World, places: dict[str, EdgePlace], clock: TownClock, *, patience: float, orders: Orders | None = None
    ) -> None:
        """`patience`: real seconds for which a truck stays parked until an agent listens to it."""
        self._folder = folder
        self._world = world
        self._clock = clock
        self._trucks = {spec.edge: TruckRig(spec, places[spec.edge]) for spec in world.scenario.truck}
        self._gateways = {spec.edge: GatewayRig(spec, places[spec.edge]) for spec in world.scenario.gateway}
        self._faults = FaultLines(folder / "faults")
        self._parked = set(self._trucks)
        self._patience = patience
        self._orders = orders
        world.halt()

    async def run(self, stop: asyncio.Event) -> None:
        """Make all ports, say `ready`, drive until `stop` is set, end the lifts under way, take the ports away."""
        ready = self._folder / "ready"
        ready.unlink(missing_ok=True)
        rigs: list[TruckRig | GatewayRig] = [*self._trucks.values(), *self._gateways.values()]
        try:
            for rig in rigs:
                await rig.start()
            ready.write_text("")
            log.info("ready edges=%d speed=%g lead_s=%d", len(rigs), self._clock.speed, self._clock.lead // 1000)
            asking = asyncio.create_task(self._orders.ask()) if self._orders else None
            try:
                with (self._folder / "truth.jsonl").open("a") as truth:
                    await self._drive(stop, truth)
            finally:
                if asking is not None:
                    asking.cancel()
                    with suppress(asyncio.CancelledError):
                        await asking
        finally:
            ready.unlink(missing_ok=True)
            for rig in rigs:
                await rig.stop()

    async def _drive(self, stop: asyncio.Event, truth: TextIO) -> None:
        loop = asyncio.get_running_loop()
        began, beat, last_moment = loop.time(), 0, None
        while last_moment is None or (self._world.lifting and loop.time() < last_moment):
            if stop.is_set() and last_moment is None:
                self._world.halt()
                last_moment = loop.time() + _LAST_LIFT_S
                log.info("stopping: no further lift begins")
            elif self._parked and last_moment is None:
                self._let_go(tired=loop.time() - began >= self._patience)
            self._beat(beat, truth)
            beat += 1
            if (late := loop.time() - began - beat / BEATS_PER_SECOND) > 1:
                began += late  # the machine was busy: go on from here, don't hurry after it
            await asyncio.sleep(max(0.0, began + beat / BEATS_PER_SECOND - loop.time()))
        self._keep()

    def _beat(self, beat: int, truth: TextIO) -> None:
        for line in self._faults.new():
            self._inject(line)
        for event in self._world.advance(self._clock.now()):
            match event:
                case TagOnAir():
                    self._trucks[event.edge].hear(event.tag)
                case LiftTruth():
                    truth.write(json.dumps(asdict(event), ensure_ascii=False) + "\n")
                    truth.flush()
                    self._keep()  # a lift controller has counted: a simulator that dies now must not count this lift again
        for edge, truck in self._trucks.items():
            truck.show(self._world.truck(edge), beat)
        for edge, gateway in self._gateways.items():
            gateway.show(self._world.gateway(edge), beat)
        if beat % _KEEP_EVERY == 0:
            self._keep()

    def _let_go(self, *, tired: bool) -> None:
        """Let trucks set out to which an agent listens: what happened before it came would be lost to it."""
        for edge in sorted(edge for edge in self._parked if tired or self._trucks[edge].manned):
            self._parked.discard(edge)
            self._world.set_out(edge)
            log.info("edge=%s sets out%s", edge, " without an agent" if not self._trucks[edge].manned else "")

    def _inject(self, line: str) -> None:
        try:
            fault = parse(line, self._world.scenario)
        except FaultLineError as error:
            log.warning("fault refused: %s", error)
            return
        self._world.inject(fault)
        log.info("fault begins name=%s where=%s", fault.name, fault.where)

    def _keep(self) -> None:
        write_whole(self._folder / "state.json", json.dumps(self._world.counters()))
