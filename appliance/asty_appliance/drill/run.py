"""A drill from an empty home to the count: a town without pages, virtual edges, faults by seed, rest, audit."""

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from asty_appliance import civic
from asty_appliance.demo import Stop
from asty_appliance.drill.faults import Faults
from asty_appliance.drill.ledger import Count, audit, stored
from asty_appliance.drill.outboxes import Flip
from asty_appliance.drill.proxy import Proxy
from asty_appliance.drill.replay import Replayer
from asty_appliance.drill.schedule import Step, schedule
from asty_appliance.drill.truthfiles import read
from asty_appliance.home import Home, choose_ports, free_port
from asty_appliance.program import Program
from asty_appliance.servers import mqtt
from asty_appliance.supervision import Supervision
from asty_appliance.town import ORG, Progress, Town, bring_up, executable, plan

RUNNERS = 2
PATIENCE_S = 420.0
"""An edge waits up to 300 s before it connects or sends again: after that, what is not there is lost."""
QUIET_S = 3.0


@dataclass(frozen=True, slots=True)
class Orders:
    """What was asked for: seconds of faults, edges, records a second over all edges."""

    seed: int
    seconds: float
    edges: int
    rate: float


class Result(Struct, frozen=True):
    """What a drill came to; `settled_seconds` passed between the last fault and the last record."""

    seed: int
    minutes: float
    edges: int
    count: Count
    faults: dict[str, int]
    flips: list[Flip]
    connections_broken: int
    settled_seconds: float
    schedule: list[Step]

    def as_text(self) -> str:
        """Return the sums as lines for a person."""
        it = self.count
        return "\n".join(
            [
                f"produced {it.produced}, stored {it.stored}, lost {it.lost}, doubled {it.doubled}, altered {it.altered}",
                f"destroyed with a deleted outbox {it.destroyed}, reported as damaged {it.damaged}, thinned {it.thinned}, "
                f"unsure {it.unsure} (stored {it.recovered}), ledgers that disagree {it.unbalanced}, misreported {it.misreported}",
                f"{sum(self.faults.values())} faults, {self.connections_broken} connections broken, "
                f"settled {self.settled_seconds:.0f} s after the last",
                *it.examples,
            ]
        )

    def as_json(self) -> str:
        """Return the result as JSON; sums first."""
        body = msgspec.to_builtins(self.count) | {name: value for name, value in msgspec.to_builtins(self).items() if name != "count"}
        return msgspec.json.format(msgspec.json.encode(body), indent=2).decode()


def run(home: Home, orders: Orders, *, say: Progress) -> Result:
    """Drill; Ctrl-C ends the faults early, a second one the wait for what is on its way. Raises NotWellError, WorkFailedError."""
    stop = Stop()
    runners = tuple(f"edges-{number}" for number in range(1, RUNNERS + 1))
    share, rest = divmod(orders.edges, RUNNERS)
    sizes = [share + (number < rest) for number in range(RUNNERS)]
    firsts = [1 + sum(sizes[:number]) for number in range(RUNNERS)]
    names = {
        runner: [f"drill-{number:03}" for number in range(first, first + size)]
        for runner, first, size in zip(runners, firsts, sizes, strict=True)
    }
    runner_of = {edge: runner for runner, edges in names.items() for edge in edges}
    steps = schedule(orders.seed, orders.seconds, tuple(runner_of), runners)
    shares = dict(zip(runners, zip(firsts, sizes, strict=True), strict=True))
    with _stage(home, orders, shares, say) as (town, supervision, proxy, replayer, programs):
        fleet = home.data / "fleet"
        faults = Faults(supervision, (*town.programs, *programs), fleet, home.data / "mqtt", runner_of, proxy, replayer, say)
        supervision.start(programs)
        say(f"{orders.edges} virtual edges are at work; {len(steps)} faults in {orders.seconds:.0f} s")
        done = _play(steps, faults, stop, say)
        say("the last fault is over: the edges produce no more and send what they hold")
        faults.let_edges_rest()
        began = time.monotonic()
        count = _settled(town, fleet, faults, Stop(), say)
        return Result(
            orders.seed,
            round(orders.seconds / 60, 2),
            orders.edges,
            count,
            dict(sorted(Counter(step.kind for step in done).items())),
            faults.flips,
            proxy.broken,
            round(time.monotonic() - began, 1),
            done,
        )


def _play(steps: list[Step], faults: Faults, stop: Stop, say: Progress) -> list[Step]:
    """Begin and end each step at its time, late when an earlier one took long; what was begun is always ended. Returns those begun."""
    acts = sorted(
        [(step.at, 1, step) for step in steps] + [(step.at + step.lasts, 0, step) for step in steps if step.lasts], key=lambda act: act[:2]
    )
    began = time.monotonic()
    done: list[Step] = []
    for at, begins, step in acts:
        while not stop and time.monotonic() - began < at:
            time.sleep(0.05)
        if begins and not stop:
            say(str(step))
            faults.begin(step)
            done.append(step)
        elif not begins and step in done:
            faults.end(step)
    return done


def _settled(town: Town, fleet: Path, faults: Faults, stop: Stop, say: Progress) -> Count:
    """Count whenever the store has gone quiet, until nothing is lost or patience ends."""
    end = time.monotonic() + PATIENCE_S
    known, since = -1, time.monotonic()
    while True:
        have = stored(town.dsn)
        if have != known:
            known, since = have, time.monotonic()
        over = time.monotonic() > end or bool(stop)
        if have >= 0 and (over or time.monotonic() - since > QUIET_S):
            count = audit(town.dsn, read(fleet), faults.destroyed)
            if over or (not count.lost and not count.unbalanced):
                return count
            say(f"{count.stored} of {count.produced} records are stored, {count.lost} are on their way")
            since = time.monotonic() + QUIET_S
        time.sleep(0.3)


@contextmanager
def _stage(
    home: Home, orders: Orders, shares: dict[str, tuple[int, int]], say: Progress
) -> Iterator[tuple[Town, Supervision, Proxy, Replayer, list[Program]]]:
    shutil.rmtree(home.root, ignore_errors=True)
    home.make()
    town = plan(home, home.data / "none.osm.pbf", choose_ports(home, preferred=False)).without("cloud-api", *civic.PROCESSES)
    port = free_port()
    fleet = home.data / "fleet"
    fleet.mkdir()
    programs = [_runner(name, first, size, orders.rate / orders.edges, fleet, port) for name, (first, size) in shares.items()]
    proxy = Proxy(port, town.ports["mqtt"], Random(orders.seed))  # noqa: S311
    replayer = Replayer(town.ports["mqtt"], mqtt.protocol(), Random(orders.seed))  # noqa: S311
    supervision = Supervision(home)
    try:
        bring_up(town, supervision, tuple(programs), say=say)
        proxy.start()
        replayer.start()
        yield town, supervision, proxy, replayer, programs
    finally:
        if supervision.is_running():
            supervision.shut_down()
        replayer.stop()
        proxy.stop()
        say("everything is stopped")


def _runner(name: str, first: int, edges: int, rate: float, fleet: Path, port: int) -> Program:
    """One process of virtual edges; stopped by kill -9, as by a power cut."""
    options = {"folder": fleet, "edges": edges, "first": first, "rate": rate, "org": ORG, "port": port, "protocol": mqtt.protocol()}
    arguments = [part for option, value in options.items() for part in (f"--{option}", str(value))]
    command = (executable("asty-edge"), "rehearse", *arguments, "--log", "INFO")
    return Program(name=name, stage="simulation", command=command, folder=str(fleet), stop_signal="KILL")
