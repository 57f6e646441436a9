"""`asty bench ingest`: from packs in the broker to stored rows, beside plain COPY of the same rows into the same table."""

import shutil
import time
from collections.abc import Callable

import psutil
import psycopg
from msgspec import Struct

from asty_appliance import civic
from asty_appliance.bench.machine import describe
from asty_appliance.bench.publisher import Publisher, VirtualEdge, edges, packs
from asty_appliance.home import Home, choose_ports
from asty_appliance.supervision import Supervision
from asty_appliance.town import ORG, Town, bring_up, plan

SIZES = {1: 40_000, 20: 1_000_000, 100: 1_000_000}
"""Readings per pack, and how many readings one measurement takes: enough for a steady state."""
OURS = ("ingest", "stream")
EDGES = 20
COPY_BATCH = 10_000
READY_S = 3.0
"""After which a process has begun and has joined its group."""
_COLUMNS = "t, edge, epoch, s, tq, rx, lat, lon, v, course, sats"


class Measured(Struct, frozen=True):
    """One mode at one pack size: readings, seconds and rate; CPU seconds of each process per million readings, without its start."""

    mode: str
    per_pack: int
    readings: int
    seconds: float
    per_second: float
    ratio: float
    cpu_per_million: dict[str, float]

    @property
    def ours(self) -> float:
        """CPU seconds per million readings of our own processes."""
        return sum(self.cpu_per_million[name] for name in OURS)

    @property
    def all(self) -> float:
        """The same with the servers: PostgreSQL, the MQTT broker, Kafka."""
        return sum(self.cpu_per_million.values())


class Result(Struct, frozen=True):
    """`start_cpu` is what each of our processes costs until it is ready, CPU seconds."""

    machine: str
    began: str
    ceiling_per_second: float
    start_cpu: dict[str, float]
    runs: list[Measured]


def run(home: Home, sizes: dict[int, int], *, say: Callable[[str], None]) -> Result:
    """Measure every size, first drained from the broker with the publisher off, then live, then the ceiling in the same database."""
    shutil.rmtree(home.root, ignore_errors=True)
    home.make()
    town = plan(home, home.data / "none.osm.pbf", choose_ports(home, preferred=False)).without("cloud-api", *civic.PROCESSES)
    supervision = Supervision(home)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        bring_up(town, supervision, say=say)
        start_cpu = _start_cpu(town, supervision)
        rough: list[Measured] = []
        for per_pack, readings in sizes.items():
            rough.append(_drain(town, supervision, per_pack, readings, start_cpu["ingest"]))
            say(f"drain, {per_pack:>3} per pack: {rough[-1].per_second:>9,.0f} readings/s")
            rough.append(_live(town, supervision, per_pack, readings))
            say(f"live,  {per_pack:>3} per pack: {rough[-1].per_second:>9,.0f} readings/s")
        supervision.stop(["ingest", "stream"])
        ceiling = _ceiling(town.dsn)
        say(f"ceiling, psycopg COPY into the same table: {ceiling:>9,.0f} rows/s")
    finally:
        if supervision.is_running():
            supervision.shut_down()
    runs = [
        Measured(it.mode, it.per_pack, it.readings, it.seconds, it.per_second, round(it.per_second / ceiling, 3), it.cpu_per_million)
        for it in rough
    ]
    return Result(describe(), began, round(ceiling), start_cpu, runs)


def as_table(result: Result) -> str:
    """Return the result as lines for a person."""
    lines = [
        f"{result.began}  {result.machine}",
        f"ceiling: psycopg COPY, same rows, same table: {result.ceiling_per_second:,.0f} rows/s",
        "CPU seconds until ready: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in result.start_cpu.items()),
        "",
    ]
    lines.append(f"{'mode':<6} {'per pack':>8} {'readings/s':>11} {'of ceiling':>10}   CPU seconds per million readings, started")
    for it in result.runs:
        cpu = ", ".join(f"{name} {seconds:.1f}" for name, seconds in it.cpu_per_million.items())
        lines.append(
            f"{it.mode:<6} {it.per_pack:>8} {it.per_second:>11,.0f} {it.ratio:>10.2f}   ours {it.ours:.1f}, all {it.all:.1f}: {cpu}"
        )
    return "\n".join(lines)


def _start_cpu(town: Town, supervision: Supervision) -> dict[str, float]:
    """Start our processes anew, with nothing to do, and return the CPU seconds that each has used when it is ready."""
    supervision.stop(OURS)
    supervision.start([program for program in town.processes if program.name in OURS])
    time.sleep(READY_S)
    used = _cpu(supervision)
    return {name: round(used[name], 2) for name in OURS}


def _drain(town: Town, supervision: Supervision, per_pack: int, readings: int, start_cpu: float) -> Measured:
    fleet = edges(ORG, EDGES)
    supervision.stop(["ingest"])
    publisher = Publisher("127.0.0.1", town.ports["mqtt"])
    publisher.send(packs(fleet, readings, per_pack))
    publisher.close()
    before = _cpu(supervision)
    supervision.start([program for program in town.processes if program.name == "ingest"])
    end = _wait_for(town.dsn, fleet, readings)
    before["ingest"] = start_cpu
    return _measured("drain", per_pack, readings, end - _first_received(town.dsn, fleet), before, _cpu(supervision))


def _live(town: Town, supervision: Supervision, per_pack: int, readings: int) -> Measured:
    fleet = edges(ORG, EDGES)
    publisher = Publisher("127.0.0.1", town.ports["mqtt"])
    before = _cpu(supervision)
    start = time.time()
    publisher.send(packs(fleet, readings, per_pack))
    publisher.close()
    return _measured("live", per_pack, readings, _wait_for(town.dsn, fleet, readings) - start, before, _cpu(supervision))


def _measured(mode: str, per_pack: int, readings: int, seconds: float, before: dict[str, float], after: dict[str, float]) -> Measured:
    cpu = {name: round((after[name] - before.get(name, 0.0)) / readings * 1e6, 1) for name in after}
    return Measured(mode, per_pack, readings, round(seconds, 2), round(readings / seconds), 0.0, cpu)


def _wait_for(dsn: str, fleet: list[VirtualEdge], readings: int, within: float = 600) -> float:
    """Return the time (UTC s) at which the ledger accounts for all readings of the fleet."""
    query = """SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM telemetry.ledger, unnest(stored) AS r WHERE ep = ANY(%s)"""
    names = [edge.ep for edge in fleet]
    end = time.monotonic() + within
    with psycopg.connect(dsn, autocommit=True) as connection:
        while time.monotonic() < end:
            row = connection.execute(query, [names]).fetchone()
            if row and row[0] >= readings:
                return time.time()
            time.sleep(0.05)
    raise TimeoutError(f"after {within:.0f} s the store does not hold all {readings} readings")


def _first_received(dsn: str, fleet: list[VirtualEdge]) -> float:
    """Return when ingest received the fleet's first pack (UTC s)."""
    query = "SELECT extract(epoch FROM min(rx)) FROM telemetry.position JOIN telemetry.ledger USING (epoch) WHERE ep = ANY(%s)"
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query, [[edge.ep for edge in fleet]]).fetchone()
    assert row is not None
    return float(row[0])


def _ceiling(dsn: str) -> float:
    """Take rows out of the position table, empty it, and COPY the same rows into it again, in batches, one transaction each; rows/s."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(f"SELECT {_COLUMNS} FROM telemetry.position ORDER BY t LIMIT 300000").fetchall()  # noqa: S608
        connection.execute("TRUNCATE telemetry.position")
        connection.commit()
        start = time.monotonic()
        for first in range(0, len(rows), COPY_BATCH):
            with connection.cursor() as cursor, cursor.copy(f"COPY telemetry.position ({_COLUMNS}) FROM STDIN") as copy:
                for row in rows[first : first + COPY_BATCH]:
                    copy.write_row(row)
            connection.commit()
        return len(rows) / (time.monotonic() - start)


def _cpu(supervision: Supervision) -> dict[str, float]:
    """Return the CPU seconds that each program and its children have used."""
    used = {}
    for condition in supervision.conditions():
        if not condition.pid:
            used[condition.name] = 0.0
            continue
        process = psutil.Process(condition.pid)
        used[condition.name] = sum(map(_cpu_of, (process, *process.children(recursive=True))))
    return used


def _cpu_of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # a database's helper comes and goes
        return 0.0
    return float(times.user + times.system)
