"""`asty bench load`: hundreds of virtual edges for minutes, a broker that dies, a backlog of days; how late rows and alarms are meanwhile.

ramp        how many readings per second the machine carries, unless a rate is given; then 80 % of that
sustained   all edges read at a steady rate
storm       the broker is killed, and every edge connects again
drain       trucks come home with a backlog of days while the others go on
"""

import csv
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psycopg
from msgspec import Struct

from asty_appliance import audit, civic, front
from asty_appliance.bench.figures import Observed, Rung, Sent, Stretch, panels, stretches
from asty_appliance.bench.fleet import READING_MS, Spec
from asty_appliance.bench.fleet_process import FleetProcess
from asty_appliance.bench.latency import Summary
from asty_appliance.bench.legs import LEGS
from asty_appliance.bench.machine import describe
from asty_appliance.bench.plot import Phase, svg
from asty_appliance.bench.watch import MACHINE, EventWatch, PageWatch, StoreWatch, UseWatch
from asty_appliance.home import Home, choose_ports
from asty_appliance.servers import mqtt
from asty_appliance.supervision import NotRunningError, Supervision
from asty_appliance.town import ORG, Town, bring_up, executable, plan, token
from asty_appliance.work import run_once

ALARM_EDGES = 20
ALARM_EVERY_S = 0.5
CONNECT_S = 120.0
WARM_UP_S = 10.0
STORM_S = 300.0
STORM_LEAST_S = 30.0
DRAIN_S = 1800.0
SETTLE_S = 300.0
RAMP_FROM = 2000.0
RAMP_BY = 1.25
RAMP_S = (3.0, 6.0)
"""At each rate: to settle, and to be looked at."""
RAMP_CALM_S = 20.0
"""For what gathered before, at the beginning or while the rate was changed."""
RAMP_HELD_S = 2.0
"""A rate is carried when edges never hold more than so many seconds' worth of readings without an acknowledgement."""
SHARE = 0.8
"""Of the rate that is carried: the load of the run."""


class Wanted(Struct, frozen=True):
    """What a run is asked for.

    `rate` is readings per second of all `edges` together, for `minutes`; None: 80 % of the highest that the machine is found to carry.
    Then `returning` trucks come home with `hours` of backlog.
    """

    edges: int = 500
    rate: float | None = None
    minutes: float = 5
    returning: int = 20
    hours: float = 72


class Storm(Struct, frozen=True):
    """Seconds after the broker's death until all edges were connected, and until the store had what they held. None: not in time."""

    connected: float | None
    caught_up: float | None


class Drain(Struct, frozen=True):
    """The backlog: readings, the seconds until the last was acknowledged, and the rate. None: not in time."""

    readings: int
    seconds: float | None
    per_second: int | None


class Books(Struct, frozen=True):
    """The count at the end."""

    produced: int
    stored: int
    lost: int
    doubled: int


class Result(Struct, frozen=True):
    """`carried` is the highest rate that the ramp found, None without one; `rate` that of the run."""

    machine: str
    began: str
    wanted: Wanted
    carried: float | None
    rate: float
    connect_seconds: float | None
    stretches: list[Stretch]
    storm: Storm
    drain: Drain
    books: Books


class _Run:
    """A load while it runs: its town, its virtual edges, its watches, and the phases so far."""

    def __init__(self, town: Town, supervision: Supervision, wanted: Wanted, say: Callable[[str], None]) -> None:
        self.town = town
        self.supervision = supervision
        self.wanted = wanted
        self.say = say
        self.rate = wanted.rate or RAMP_FROM
        self.carried: float | None = None
        self.folder = town.home.data / "fleet"
        self.phases: list[Phase] = []
        self.received: dict[tuple[str, int], int] = {}
        """When ingest received each alarm, by edge and sequence; read at the end."""
        spec = Spec(
            org=ORG,
            port=town.ports["mqtt"],
            protocol=mqtt.protocol(),
            edges=wanted.edges,
            rate=self.rate,
            alarm_edges=ALARM_EDGES,
            alarm_every=ALARM_EVERY_S,
            returning=wanted.returning,
            hours=wanted.hours,
        )
        self.fleet = FleetProcess(spec, self.folder)
        self.store = StoreWatch(town.dsn)
        known = token(town)
        self.page = PageWatch(town.web, known)
        self.events = EventWatch(town.web, known, self.page.told)
        self.use = UseWatch(self._pids)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        begin = time.time()
        self.say(f"{name} begins")
        yield
        self.phases.append(Phase(name, begin, time.time()))

    def observed(self) -> Observed:
        """Return all that was seen; the fleet must have ended."""
        return Observed(
            phases=self.phases,
            sent=[Sent(row[0], *map(int, row[1:])) for row in _rows(self.folder / "packs.csv")],
            rung=[Rung(row[0], *map(int, row[1:])) for row in _rows(self.folder / "alarms.csv")],
            seen=self.store.seen,
            heard=self.events.heard,
            shown=self.page.shown,
            used=self.use.used,
            ticks=self.fleet.ticks,
            handed={(edge, int(s)): int(at) for edge, s, at in reversed(_rows(self.folder / "sent.csv"))},
            received=self.received,
            noticed=self.store.rung,
        )

    def begin(self) -> None:
        for watch in (self.store, self.events, self.page, self.use):
            watch.begin()

    def end(self) -> None:
        for watch in (self.store, self.events, self.page, self.use):
            watch.end()
        self.fleet.end()

    def _pids(self) -> dict[str, int]:
        try:
            pids = {program.name: self.supervision.pid(program.name) for program in self.town.programs}
        except NotRunningError:
            return {}
        return {name: pid for name, pid in pids.items() if pid} | {"load generator": self.fleet.pid, "watches": os.getpid()}


def run(home: Home, wanted: Wanted, *, say: Callable[[str], None]) -> tuple[Result, str]:
    """Run all phases in an empty home; return the figures and the plot. Raises NotWellError, WorkFailedError, RuntimeError."""
    machine = describe()
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    shutil.rmtree(home.root, ignore_errors=True)
    home.make()
    front.build()
    town_file = home.data / "town.osm.pbf"
    run_once((executable("asty-firmware-sim"), "town", "--out", str(town_file)))
    town = plan(home, town_file, choose_ports(home, preferred=False)).without(*civic.PROCESSES)
    supervision = Supervision(home)
    try:
        bring_up(town, supervision, say=say)
        load = _Run(town, supervision, wanted, say)
        try:
            connected = _connect(load)
            load.begin()
            load.fleet.say("live")
            if wanted.rate is None:
                _ramp(load)
            _sustain(load)
            storm = _storm(load)
            drain = _drain(load)
            _settle(load)
        finally:
            load.end()
        books = _books(town.dsn, load.folder)
        load.received = _received(town.dsn)
    finally:
        if supervision.is_running():
            supervision.shut_down()
    seen = load.observed()
    result = Result(machine, began, wanted, load.carried, load.rate, connected, stretches(seen), storm, drain, books)
    words = f"{wanted.edges} edges, {load.rate:,.0f} readings/s, then {wanted.returning} with {wanted.hours:g} h of backlog. {machine}"
    return result, svg("Asty under load", words, panels(seen), load.phases)


def _connect(load: _Run) -> float | None:
    edges = load.wanted.edges + ALARM_EDGES
    began = time.time()
    tick = load.fleet.until(lambda it: it.connected == edges, CONNECT_S)
    load.say(f"{edges} edges are connected" if tick else f"not all of {edges} edges connected in {CONNECT_S:.0f} s")
    return round(tick.at - began, 1) if tick else None


def _ramp(load: _Run) -> None:
    """Raise the rate until edges hold too much, and go on with a share of the highest that was carried. Raises RuntimeError."""
    time.sleep(WARM_UP_S)
    while _is_carried(load):
        load.carried = load.rate
        load.rate *= RAMP_BY
    if load.carried is None:
        raise RuntimeError(f"this machine does not carry {load.rate:,.0f} readings/s now: try again when it is free, or give --rate")
    load.say(f"going on with {SHARE:.0%} of {load.carried:,.0f} readings/s")
    load.rate = round(load.carried * SHARE)
    load.fleet.say(f"rate {load.rate}")
    load.fleet.until(lambda it: it.held <= load.rate * RAMP_HELD_S, SETTLE_S)


def _is_carried(load: _Run) -> bool:
    settle, look = RAMP_S
    load.fleet.say(f"rate {load.rate}")
    time.sleep(settle)
    load.fleet.until(lambda it: it.held <= load.rate * RAMP_HELD_S, RAMP_CALM_S)
    begin = len(load.fleet.ticks)
    time.sleep(look)
    ticks = load.fleet.ticks[begin:]
    read = (ticks[-1].produced - ticks[0].produced) / (ticks[-1].at - ticks[0].at)
    held = max(it.held for it in ticks)
    load.say(f"{load.rate:,.0f} readings/s: {read:,.0f} were read, at most {held:,} of them without an acknowledgement")
    return read >= 0.95 * load.rate and held <= load.rate * RAMP_HELD_S


def _sustain(load: _Run) -> None:
    time.sleep(WARM_UP_S)
    with load.phase("sustained"):
        time.sleep(load.wanted.minutes * 60)


def _storm(load: _Run) -> Storm:
    """Kill the broker as a power cut does; its supervisor starts it again."""
    edges = load.wanted.edges + ALARM_EDGES
    steady = max(load.rate * 3, 200)  # records that are on their way at any moment
    with load.phase("storm"):
        killed = time.time()
        os.kill(load.supervision.pid("mqtt"), signal.SIGKILL)
        load.fleet.until(lambda it: it.connected < edges, 30)
        again = load.fleet.until(lambda it: it.connected == edges, STORM_S)
        calm = load.fleet.until(lambda it: it.held <= steady, STORM_S)
        time.sleep(max(0.0, killed + STORM_LEAST_S - time.time()))
    return Storm(*(round(tick.at - killed, 1) if tick else None for tick in (again, calm)))


def _drain(load: _Run) -> Drain:
    readings = load.wanted.returning * (int(load.wanted.hours * 3_600_000) // READING_MS)
    with load.phase("drain"):
        began = time.time()
        load.fleet.say("home")
        load.fleet.until(lambda it: it.backlog > 0, 30)
        done = load.fleet.until(lambda it: it.backlog == 0, DRAIN_S)
    seconds = round(done.at - began, 1) if done else None
    return Drain(readings, seconds, round(readings / seconds) if seconds else None)


def _settle(load: _Run) -> None:
    load.fleet.say("stop")
    if load.fleet.until(lambda it: it.held == 0 and it.backlog == 0, SETTLE_S) is None:
        load.say(f"after {SETTLE_S:.0f} s some records are still not acknowledged")
    time.sleep(2)  # the watches' last look


def _books(dsn: str, folder: Path) -> Books:
    produced = msgspec.json.decode((folder / "produced.json").read_bytes(), type=dict[str, int])
    have = audit.stored_by_epoch(dsn)
    stored = sum(have[ep].distinct for ep in produced if ep in have)
    doubled = sum(have[ep].doubled for ep in produced if ep in have)
    return Books(sum(produced.values()), stored, sum(produced.values()) - stored, doubled)


def _received(dsn: str) -> dict[tuple[str, int], int]:
    query = "SELECT edge, s, (extract(epoch FROM rx) * 1000)::bigint FROM telemetry.v_alarm WHERE info LIKE 'bench no %'"
    with psycopg.connect(dsn) as connection:
        return {(edge, s): rx for edge, s, rx in connection.execute(query)}


def _rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def as_table(result: Result) -> str:
    """Return the result as lines for a person."""
    it = result.wanted
    lines = [
        f"{result.began}  {result.machine}",
        f"{it.edges} edges, {result.rate:,.0f} readings/s in packs of a second; an alarm every {ALARM_EVERY_S:g} s; all connected within "
        f"{_said(result.connect_seconds)} s",
        *([f"ramp: {result.carried:,.0f} readings/s are carried; the load is {SHARE:.0%} of that"] if result.carried else []),
        "",
        f"{'ms: p50 / p99 / worst':<21} {'sensor to row':>22} {'alarm to event':>22} {'alarm to page':>22} {'unseen':>7}",
    ]
    for phase in result.stretches:
        quantiles = (phase.sensor_to_row, phase.alarm_to_event, phase.alarm_to_page)
        lines.append(f"{phase.name:<21} " + " ".join(f"{_quantiles(one):>22}" for one in quantiles) + f" {phase.unseen:>7}")
    lines += ["", "the way of an alarm, ms: p50 / p99 / worst" + "".join(f"{phase.name:>22}" for phase in result.stretches)]
    for leg, whose in LEGS.items():
        lines.append(f"{leg:<19} {whose:<34} " + " ".join(f"{_quantiles(phase.legs[leg]):>21}" for phase in result.stretches))
    lines += ["", "CPU, % of one core (memory, MB)"]
    for phase in result.stretches:
        ours = {name: share for name, share in sorted(phase.cpu.items()) if name != MACHINE}
        used = ", ".join(f"{name} {share:.0f} ({phase.memory[name]})" for name, share in ours.items())
        lines.append(f"{phase.name:<10} {used}; all others {max(0.0, phase.cpu.get(MACHINE, 0.0) - sum(ours.values())):.0f}")
    drain, storm, books = result.drain, result.storm, result.books
    lines += [
        "",
        f"storm: the broker killed; all connected again after {_said(storm.connected)} s, caught up after {_said(storm.caught_up)} s",
        f"drain: {drain.readings:,} readings of {it.returning} trucks, {it.hours:g} h each, in {_said(drain.seconds)} s",
        f"books: produced {books.produced:,}, stored {books.stored:,}, lost {books.lost:,}, doubled {books.doubled:,}",
    ]
    return "\n".join(lines)


def _quantiles(summary: Summary) -> str:
    return " / ".join(_said(value) for value in (summary.p50, summary.p99, summary.worst))


def _said(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"
