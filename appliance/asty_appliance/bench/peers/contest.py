"""`asty bench peers`: the same packs, broker and database for Asty and for other ways to do it, in one run."""

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
from msgspec import Struct

from asty_appliance import civic
from asty_appliance.bench.ingest import COPY_BATCH
from asty_appliance.bench.machine import describe
from asty_appliance.bench.peers import catalogue
from asty_appliance.bench.peers.catalogue import NotInstallableError, Peer
from asty_appliance.bench.peers.contenders import Asty, Contender, NotReadyError, PeerContender, data_folder
from asty_appliance.bench.peers.trials import Fault, Ground, Speed, database_gone, kill_in_a_flood, speed
from asty_appliance.home import CHECKOUT, Home, choose_ports
from asty_appliance.program import Program
from asty_appliance.supervision import NotWellError, Supervision
from asty_appliance.town import Town, bring_up, plan

SIZES = {1: 10_000, 20: 100_000, 100: 200_000}
"""Readings per pack, and how many readings one trial takes."""
FLOOD = 100_000


class Entry(Struct, frozen=True):
    """One contender: what it is, its versions, and its trials; `trouble` says why some are missing."""

    title: str
    about: str
    versions: dict[str, str]
    command: str
    speeds: list[Speed]
    faults: list[Fault]
    trouble: str


class Contest(Struct, frozen=True):
    machine: str
    began: str
    ceiling_per_second: int
    entries: list[Entry]


def run(home: Home, places: Path, names: tuple[str, ...], sizes: dict[int, int], flood: int, *, say: Callable[[str], None]) -> Contest:
    """Hold every trial with Asty and with the peers named (all, when none is). Raises NotWellError, WorkFailedError."""
    machine, began = describe(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    chosen = [it for it in catalogue.peers() if not names or it.name in names]
    shutil.rmtree(home.root, ignore_errors=True)
    home.make()
    town = plan(home, home.data / "none.osm.pbf", choose_ports(home, preferred=False)).without("cloud-api", *civic.PROCESSES)
    supervision = Supervision(home)
    programs = {it.name: _program(it, places, town) for it in chosen}
    try:
        bring_up(town, supervision, tuple(programs.values()), say=say)
        ground = Ground(supervision, town.ports["mqtt"], town.servers[0])
        ceiling = _ceiling(town.dsn)
        entries = []
        if not names or "asty" in names:
            asty = Asty(town, supervision)
            entries.append(_entry(ground, asty, "Asty", "ingest, Kafka, stream; ledger and acknowledgement", {}, sizes, flood, say))
        supervision.stop([it.name for it in town.processes] + ["kafka"])
        for peer in chosen:
            try:
                versions = catalogue.install(peer, places)
            except NotInstallableError as error:
                entries.append(Entry(peer.title, peer.about, {}, "", [], [], f"could not be installed: {error}"))
                say(f"{peer.title}: could not be installed: {error}")
                continue
            contender = PeerContender(programs[peer.name], peer.columns, town, supervision)
            entries.append(_entry(ground, contender, peer.title, peer.about, versions, sizes, flood, say))
    finally:
        if supervision.is_running():
            supervision.shut_down()
    return Contest(machine, began, round(ceiling), entries)


def _program(peer: Peer, places: Path, town: Town) -> Program:
    data = data_folder(town, peer.name)
    data.mkdir(parents=True, exist_ok=True)
    command, environment = catalogue.command(peer, places, data, town.ports["mqtt"], town.dsn)
    return Program(
        name=f"peer-{peer.name}".replace("_", "-"),
        stage="process",
        command=command,
        folder=str(data),
        environment=environment,
        stop_signal=peer.stop_signal,
    )


def _entry(
    ground: Ground,
    contender: Contender,
    title: str,
    about: str,
    versions: dict[str, str],
    sizes: dict[int, int],
    flood: int,
    say: Callable[[str], None],
) -> Entry:
    speeds: list[Speed] = []
    faults: list[Fault] = []
    troubles: list[str] = []
    able = True

    def hold[T](trial: Callable[[], T], kept: list[T], words: Callable[[T], str]) -> None:
        nonlocal able
        if not able:
            return
        try:
            outcome = trial()
        except (NotReadyError, NotWellError, psycopg.Error) as error:
            able = not isinstance(error, NotReadyError)
            troubles.append(str(error).splitlines()[0])
            say(f"{title}: {troubles[-1]}")
        else:
            kept.append(outcome)
            say(f"{title}: {words(outcome)}")

    for per_pack, readings in sizes.items():
        hold(partial(speed, ground, contender, per_pack, readings), speeds, _speed_words)
    for trial in (kill_in_a_flood, database_gone):
        hold(partial(trial, ground, contender, flood), faults, _fault_words)
    command = " ".join(contender.reader.command[:2]).replace(f"{CHECKOUT}/", "")
    return Entry(title, about, versions, command, speeds, faults, "; ".join(troubles))


def _speed_words(it: Speed) -> str:
    return f"{it.per_pack} per pack: drain {_said(it.drain)}, live {_said(it.live)} readings/s {it.note}"


def _fault_words(it: Fault) -> str:
    return f"{it.fault}: lost {it.lost:,}, doubled {it.doubled:,} of {it.sent:,}"


def _ceiling(dsn: str) -> float:
    """COPY rows of plain positions into a table like the peers', in batches, one transaction each; rows/s."""
    columns = "t, ep, s, tq, lat, lon, v, course, sats"
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT now() + n * interval '200 ms', (n % 20)::text, n::bigint, 'gnss', 39.36 + n * 1e-7, 22.94, 5.5, 90.1, 9::bigint "
            "FROM generate_series(1, 300000) AS n"
        ).fetchall()
        connection.execute("DROP SCHEMA IF EXISTS peer CASCADE")
        connection.execute("CREATE SCHEMA peer")
        connection.execute(
            "CREATE TABLE peer.position (t timestamptz NOT NULL, edge text, ep text NOT NULL, s bigint NOT NULL, tq text, "
            "rx timestamptz NOT NULL DEFAULT clock_timestamp(), lat float8, lon float8, v float8, course float8, sats bigint)"
        )
        connection.execute("CREATE INDEX ON peer.position (ep, t DESC)")
        connection.commit()
        begin = time.monotonic()
        for first in range(0, len(rows), COPY_BATCH):
            with connection.cursor() as cursor, cursor.copy(f"COPY peer.position ({columns}) FROM STDIN") as copy:
                for row in rows[first : first + COPY_BATCH]:
                    copy.write_row(row)
            connection.commit()
        return len(rows) / (time.monotonic() - begin)


def as_table(contest: Contest) -> str:
    """Return the contest as lines for a person."""
    sizes = sorted({it.per_pack for entry in contest.entries for it in entry.speeds})
    lines = [
        f"{contest.began}  {contest.machine}",
        f"ceiling: psycopg COPY into the peers' table: {contest.ceiling_per_second:,} rows/s",
        "readings/s from the broker to committed rows, in packs of " + ", ".join(map(str, sizes)),
        "",
        f"{'':<24} {'drain':>30} {'live':>30}   lost, doubled of a flood: killed with -9; PostgreSQL gone for 20 s",
    ]
    for entry in contest.entries:
        by_size = {it.per_pack: it for it in entry.speeds}
        drain = " / ".join(_said(by_size[size].drain if size in by_size else None) for size in sizes)
        live = " / ".join(_said(by_size[size].live if size in by_size else None) for size in sizes)
        faults = "; ".join(f"{it.lost:,}, {it.doubled:,} of {it.sent:,}" for it in entry.faults)
        lines.append(f"{entry.title:<24} {drain:>30} {live:>30}   {faults}")
        notes = [it.note for it in entry.speeds if it.note] + ([entry.trouble] if entry.trouble else [])
        lines += [f"{'':<24} {note}" for note in notes]
    lines += ["", *(f"{it.title}: {it.about}. {_versions(it)}" for it in contest.entries)]
    return "\n".join(lines)


def _versions(entry: Entry) -> str:
    return ", ".join(f"{name} {version}" for name, version in entry.versions.items())


def _said(rate: int | None) -> str:
    return "-" if rate is None else f"{rate:,}"
