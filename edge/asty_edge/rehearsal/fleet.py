"""Many virtual edges in one process: each is the agent without devices, with an outbox, an uplink and numbered records of its own."""

import asyncio
import logging
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asty_edge import systemclock
from asty_edge.agent import Agent
from asty_edge.clock import mono_ms
from asty_edge.config import Config, EdgeSettings, FusionSettings, OutboxSettings, UplinkSettings
from asty_edge.event import Event, Moment
from asty_edge.outbox import OutboxStuckError
from asty_edge.rehearsal import controls
from asty_edge.rehearsal.controls import Controls
from asty_edge.rehearsal.numbered import numbered
from asty_edge.rehearsal.witness import Witness, WitnessedOutbox
from asty_edge.timekeeping import SystemTime

PACE_S = 0.1
LOOK_S = 0.5
RETRY_S = 1.0
OUTBOX_BYTES = 1 << 30
"""So large that nothing is thinned: a drill counts every record."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Orders:
    """What `asty-edge rehearse` was asked for: edges named `drill-NNN` from `first` on, `rate` records a second each, until `seconds`."""

    folder: Path
    org: str
    host: str
    port: int
    protocol: Literal["3.1.1", "5"]
    edges: int
    first: int
    rate: float
    seconds: float | None

    @property
    def names(self) -> list[str]:
        """The edges of this process."""
        return [f"drill-{number:03}" for number in range(self.first, self.first + self.edges)]


async def rehearse(orders: Orders) -> None:
    """Run the edges until SIGTERM or until the time is over; raises what broke one of them."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if orders.seconds is not None:
        asyncio.get_running_loop().call_later(orders.seconds, stop.set)
    wishes = _Wishes(orders.folder / "controls.json")
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(wishes.look())
        edges = [group.create_task(_live(orders, number, wishes, stop)) for number in range(orders.edges)]
        await asyncio.wait(edges)
        looking.cancel()


class _Wishes:
    """The controls as last read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.now: Controls = controls.read(path)

    async def look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.now = controls.read(self._path)

    def clock(self) -> SystemTime:
        """Read the system clock, as wrong as it is wished."""
        true = systemclock.read()
        return SystemTime(true.mono, true.utc + int(self.now.clock_offset_s * 1000), true.synchronised)


class VirtualEdge(Agent):
    """The agent, which is told what happened instead of hearing it from devices."""

    def happened(self, events: list[Event]) -> None:
        """Take events as if fusion had made them."""
        self._keep(events)

    def set_clock(self, system: SystemTime) -> None:
        """Take a look at the system clock now."""
        self._time.read_system(system)


async def _live(orders: Orders, number: int, wishes: _Wishes, stop: asyncio.Event) -> None:
    name = orders.names[number]
    folder = orders.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    outbox = await _open(folder / "outbox.db")
    outbox.witness = Witness(folder / "truth.jsonl")
    if wishes.now.disk_full and name in wishes.now.disk_full:
        outbox.fill_disk(full=True)
    edge = VirtualEdge(_config(orders, number, folder), (), outbox, clock=wishes.clock)
    producing = asyncio.create_task(_produce(edge, outbox, name, orders.rate, wishes))
    try:
        await edge.run(stop)
    finally:
        producing.cancel()
        outbox.close()


async def _open(path: Path) -> WitnessedOutbox:
    while True:
        try:
            return WitnessedOutbox.open(path, OUTBOX_BYTES)
        except OutboxStuckError as error:
            _log.warning("%s", error)
            await asyncio.sleep(RETRY_S)


async def _produce(edge: VirtualEdge, outbox: WitnessedOutbox, name: str, rate: float, wishes: _Wishes) -> None:
    """Make numbered records at a rate; what the process was too busy for is made up within a second."""
    seen = wishes.now
    next_number = outbox.witness.last + 1
    owed = 0.0
    before = mono_ms()
    while True:
        await asyncio.sleep(PACE_S)
        wish, now = wishes.now, mono_ms()
        if wish.clock_offset_s != seen.clock_offset_s:
            edge.set_clock(wishes.clock())
        if (name in wish.disk_full) != (name in seen.disk_full):
            outbox.fill_disk(full=name in wish.disk_full)
        seen = wish
        owed = min(owed + rate * (now - before) / 1000, rate) if wish.produce else 0.0
        before = now
        count = int(owed)
        owed -= count
        utc = time.time_ns() // 1_000_000 + int(wish.clock_offset_s * 1000)
        when = Moment(now, utc, "rtc")
        edge.happened([Event(when, numbered(n, name, outbox.epoch)) for n in range(next_number, next_number + count)])
        next_number += count


def _config(orders: Orders, number: int, folder: Path) -> Config:
    """Every second edge speaks CBOR where the broker's MQTT carries a content type."""
    cbor = orders.protocol == "5" and number % 2 == 1
    return Config(
        file=folder / "no-file",
        digest="rehearsal",
        edge=EdgeSettings(id=orders.names[number], org=orders.org, kind="gateway"),
        outbox=OutboxSettings(path=str(folder / "outbox.db"), max_bytes=OUTBOX_BYTES),
        uplink=UplinkSettings(host=orders.host, port=orders.port, encoding="cbor" if cbor else "json", protocol=orders.protocol),
        fusion=FusionSettings(),
        devices=(),
    )
