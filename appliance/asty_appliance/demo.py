"""The main job: a simulated town on real protocols through the whole system, watched, ended and counted."""

import json
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import psycopg

from asty_appliance import audit, front, simulation
from asty_appliance.home import Home
from asty_appliance.servers.mqtt import mosquitto
from asty_appliance.simulation import Simulation
from asty_appliance.supervision import Supervision
from asty_appliance.town import Progress, Town, bring_up, executable, plan, settings
from asty_appliance.truth import Truth, compare
from asty_appliance.work import run_once

DRAIN_SECONDS = 60.0
DRIVERS = (("Γιώργος Παπαδόπουλος", "246813"), ("Μαρία Ιωάννου", "357924"))
"""Names and PINs of the demo's drivers; a real town registers its own with `asty-cloud-api driver add`."""

STAFF = ("dispatcher", "asty-demo")
"""Username and passphrase that `asty-cloud-api staff demo` registers; a real town makes its own with `./asty staff add`."""


@dataclass(slots=True)
class EdgeCount:
    """One edge's outbox against the store. `held` lie in the outbox still; `missing` lie nowhere."""

    edge: str
    epoch: str
    produced: int
    stored: int
    doubled: int
    thinned: int
    held: int

    @property
    def missing(self) -> int:
        return self.produced - self.stored - self.thinned - self.held


@dataclass(slots=True)
class Report:
    """What a run came to."""

    began: str
    seconds: float
    first_lift_seconds: float | None
    edges: list[EdgeCount]
    lifts: list[dict[str, Any]]
    truth: Truth
    refused: int
    plan: audit.PlanCount | None
    addresses: dict[str, str]

    def total(self, name: str) -> int:
        return sum(int(getattr(edge, name)) for edge in self.edges)

    @property
    def nothing_lost_or_doubled(self) -> bool:
        return (
            self.total("produced") > 0
            and self.total("produced") == self.total("stored") + self.total("thinned")
            and not self.total("doubled")
        )

    def as_json(self) -> str:
        """Return the report as JSON; counts first."""
        names = ("produced", "stored", "doubled", "missing", "thinned", "held")
        body: dict[str, Any] = {name: self.total(name) for name in names}
        body |= {"refused": self.refused, "began": self.began, "seconds": round(self.seconds, 1)}
        body |= {"first_lift_seconds": self.first_lift_seconds, "addresses": self.addresses}
        body["plan"] = None if self.plan is None else asdict(self.plan)
        body["truth"] = msgspec.to_builtins(self.truth)
        body["edges"] = [asdict(edge) | {"missing": edge.missing} for edge in self.edges]
        body["lifts"] = self.lifts
        return json.dumps(body, ensure_ascii=False, indent=2, default=_json_of)


class Stop:
    """Becomes true at a signal, or when the time given to `after` is over."""

    def __init__(self) -> None:
        self._end: float | None = None
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def after(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def __bool__(self) -> bool:
        return self._asked or (self._end is not None and time.monotonic() >= self._end)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True


@dataclass(frozen=True, slots=True)
class Stage:
    """A simulated town that is running."""

    town: Town
    supervision: Supervision
    simulated: Simulation


def run(home: Home, *, seconds: float | None, seed: int, speed: float, say: Progress) -> Report:
    """Run the demo for `seconds`, or until Ctrl-C, and count. Starts from an empty home; stops everything it started."""
    began = time.monotonic()
    stop = Stop()
    lead = (speed - 1) * min(seconds or 120.0, 120.0)
    with running(home, seed=seed, speed=speed, lead=lead, say=say) as stage:
        say("\n".join(["the town is running:", *_addresses(stage.town), *(["Ctrl-C ends it and counts."] if seconds is None else [])]))
        stop.after(seconds)
        first = _watch(stage.town, stop, began, say)
        say("the crews go home: edges send what they hold")
        return count(stage, began=began, first_lift=first, say=say)


@contextmanager
def running(
    home: Home, *, seed: int, speed: float, lead: float, say: Progress, ports: dict[str, int] | None = None, trucks: int | None = None
) -> Iterator[Stage]:
    """Start a simulated town in an empty home and stop it at the end, whatever happens. Raises NotWellError, WorkFailedError."""
    shutil.rmtree(home.root, ignore_errors=True)
    home.make()
    supervision = Supervision(home)
    for note in _missing_parts():
        say(note)
    say("building the pages" if front.build() else "the pages are built")
    town_file = home.data / "town.osm.pbf"
    run_once((executable("asty-firmware-sim"), "town", "--out", str(town_file)))
    town = plan(home, town_file, ports)
    simulated = simulation.prepare(town, seed=seed, speed=speed, lead=lead, trucks=trucks, orders=True)
    try:
        bring_up(town, supervision, simulated.programs, say=say)
        for what, file in (("import", simulated.register), ("fixed-routes", simulated.fixed_routes)):
            run_once((executable("asty-cloud-api"), "register", what, str(file)), settings(home, town.ports, town_file))
        run_once((executable("asty-cloud-api"), "staff", "demo", "--out", str(town.token_file)), settings(home, town.ports, town_file))
        for name, pin in DRIVERS:
            run_once((executable("asty-cloud-api"), "driver", "add", name, "--pin", pin), settings(home, town.ports, town_file))
        say("trucks, gateway and vests are starting")
        supervision.start([simulated.simulator])
        supervision.start(simulated.edges)
        yield Stage(town, supervision, simulated)
    finally:
        if supervision.is_running():
            supervision.shut_down()
        say("everything is stopped")


def _missing_parts() -> list[str]:
    notes = []
    if mosquitto() is None:
        notes.append("mosquitto is not installed: rumqttd from PyPI is the broker (apt-get install mosquitto brings the other)")
    if shutil.which("dbus-daemon") is None:
        notes.append("vests are off: dbus-daemon is not installed (apt-get install dbus-daemon)")
    return notes


def _watch(town: Town, stop: Stop, began: float, say: Progress) -> float | None:
    first: float | None = None
    planned: audit.PlanCount | None = None
    said = time.monotonic()
    while not stop:
        time.sleep(0.5)
        if first is None and _stored_lifts(town.dsn):
            first = round(time.monotonic() - began, 1)
            say(f"the first lift is stored, {first:.0f} s after the start")
        if planned is None and (planned := audit.running_plan(town.dsn)) is not None:
            say(f"the plan of the day runs: {planned.planned} stops on {len(planned.routes)} routes; the trucks follow it")
        if time.monotonic() - said > 15:
            said = time.monotonic()
            say(f"{_stored_lifts(town.dsn)} lifts stored")
    return first


def count(stage: Stage, *, began: float, first_lift: float | None, say: Progress) -> Report:
    """Stop the edges before their devices, so that none reports a lost sensor, wait until the store has what they sent, and count."""
    supervision, simulated = stage.supervision, stage.simulated
    names = [edge.name for edge in simulated.edges]
    supervision.stop(names)
    supervision.stop([simulated.simulator.name])
    counts = _settled(stage, 10)
    if any(edge.produced > edge.stored + edge.thinned for edge in counts):
        say("some records are still in the edges: they go on until they are acknowledged")
        supervision.start(simulated.edges)
        _settled(stage, DRAIN_SECONDS)
        supervision.stop(names)
        counts = _settled(stage, 10)
    dsn = stage.town.dsn
    lifts = audit.lifts(dsn)
    return Report(
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=time.monotonic() - began,
        first_lift_seconds=first_lift,
        edges=counts,
        lifts=lifts,
        truth=compare(simulated.folder / "truth.jsonl", lifts),
        plan=audit.running_plan(dsn) if any(program.name == "planner" for program in stage.town.programs) else None,
        refused=_count_of(dsn, "SELECT count(*) FROM telemetry.v_refused"),
        addresses={program.name: program.address for program in stage.town.programs if program.address},
    )


def _settled(stage: Stage, within: float) -> list[EdgeCount]:
    """Count until the store has everything that the edges produced, or the time is over."""
    end = time.monotonic() + within
    while True:
        outboxes = {edge.name: simulation.inspect(edge) for edge in stage.simulated.edges}
        counts = _compare(outboxes, audit.stored_by_epoch(stage.town.dsn))
        if all(edge.produced == edge.stored + edge.thinned for edge in counts) or time.monotonic() > end:
            return counts
        time.sleep(0.5)


def _compare(outboxes: dict[str, dict[str, Any]], stored: dict[str, audit.Stored]) -> list[EdgeCount]:
    nothing = audit.Stored(0, 0, 0, 0)
    counts = []
    for edge, outbox in outboxes.items():
        have = stored.get(outbox["epoch"], nothing)
        absent = max(0, outbox["head"] - have.distinct - have.thinned)
        held = min(absent, outbox["held"])
        counts.append(EdgeCount(edge, outbox["epoch"], outbox["head"], have.distinct, have.doubled, have.thinned, held))
    return counts


def _stored_lifts(dsn: str) -> int:
    return _count_of(dsn, "SELECT count(*) FROM telemetry.v_lift")


def _count_of(dsn: str, query: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _addresses(town: Town) -> list[str]:
    pins = ", ".join(f"{pin} ({name})" for name, pin in DRIVERS)
    addresses = [f"  {program.name:<10} {program.address}" for program in reversed(town.programs) if program.address]
    sign_in = f"  {'sign-in':<10} {town.web}/sign-in  {STAFF[0]}, passphrase {STAFF[1]}"
    return [*addresses, sign_in, f"  {'in-cab':<10} {town.web}/cab  PIN {pins}"]


def _json_of(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def write(report: Report, path: Path) -> None:
    """Write the report as JSON."""
    path.write_text(report.as_json() + "\n")
