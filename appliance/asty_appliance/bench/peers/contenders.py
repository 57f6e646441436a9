"""Who takes packs from the broker into PostgreSQL: Asty itself or a peer, seen alike by the trials."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

import psutil
import psycopg
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from asty_appliance import audit
from asty_appliance.bench.publisher import Publisher, VirtualEdge, edges, packs
from asty_appliance.program import Program
from asty_appliance.supervision import Supervision
from asty_appliance.town import ORG, Town

READY_S = 90.0
TABLE = """
DROP SCHEMA IF EXISTS peer CASCADE;
CREATE SCHEMA peer;
CREATE TABLE peer.position (
    t timestamptz NOT NULL, edge text, ep text NOT NULL, s bigint NOT NULL, tq text, rx timestamptz NOT NULL DEFAULT clock_timestamp(),
    lat float8, lon float8, v float8, course float8, sats bigint {columns}
);
CREATE INDEX ON peer.position (ep, t DESC);
"""


class NotReadyError(Exception):
    """A contender does not store what it is sent; says so."""


class Batch(NamedTuple):
    """What is published: `each` readings of every edge of `fleet`, the first at `start` (UTC ms), 200 ms apart."""

    fleet: list[VirtualEdge]
    per_pack: int
    each: int
    start: int

    @property
    def readings(self) -> int:
        return self.each * len(self.fleet)

    def messages(self) -> Iterable[tuple[str, bytes]]:
        """Yield topics and payloads."""
        return packs(self.fleet, self.readings, self.per_pack, start=self.start)


def batch(readings: int, per_pack: int, fleet: int = 20) -> Batch:
    """Return a batch of new outboxes, of at least `readings`: every edge sends whole packs, the same number."""
    each = max(1, -(-readings // (fleet * per_pack))) * per_pack
    return Batch(edges(ORG, fleet), per_pack, each, int(time.time() * 1000) - 3_600_000)


class Stored(NamedTuple):
    """How many readings of a batch the database holds, once each, and how many surplus copies."""

    distinct: int
    doubled: int


class Contender(Protocol):
    """Something that stores packs. `reader` is the program that holds the MQTT connection."""

    name: str
    reader: Program

    def start(self) -> None:
        """Start everything, and return when it stores."""
        ...

    def stop(self) -> None:
        """Stop everything and clear its session at the broker."""
        ...

    def kill(self) -> None:
        """End every process of its own as a crash does."""
        ...

    def has_all(self, wanted: Batch) -> bool:
        """Tell, cheaply, whether the last readings of all edges are stored."""
        ...

    def stored(self, wanted: Batch) -> Stored:
        """Count."""
        ...


class Asty:
    """Ingest and stream of this project, with their Kafka."""

    name = "asty"

    def __init__(self, town: Town, supervision: Supervision) -> None:
        self._dsn = town.dsn
        self._port = town.ports["mqtt"]
        self._supervision = supervision
        self._programs = [it for it in town.processes if it.name in ("ingest", "stream")]
        self.reader = next(it for it in self._programs if it.name == "ingest")

    def start(self) -> None:
        self._supervision.start(self._programs)
        _canary(self, self._port)

    def stop(self) -> None:
        self._supervision.stop([it.name for it in self._programs])
        _clear(self._port, f"asty-ingest-{ORG}-0of1")

    def kill(self) -> None:
        for program in self._programs:
            os.kill(self._supervision.pid(program.name), signal.SIGKILL)

    def has_all(self, wanted: Batch) -> bool:
        query = "SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM telemetry.ledger, unnest(stored) AS r WHERE ep = ANY(%s)"
        with psycopg.connect(self._dsn) as connection:
            row = connection.execute(query, [[it.ep for it in wanted.fleet]]).fetchone()
        return row is not None and row[0] >= wanted.readings

    def stored(self, wanted: Batch) -> Stored:
        have = audit.stored_by_epoch(self._dsn)
        mine = [have[ep] for it in wanted.fleet if (ep := str(it.ep)) in have]
        return Stored(sum(it.distinct for it in mine), sum(it.doubled for it in mine))


class PeerContender:
    """A peer, supervised like a process of our own: it is started again when it ends."""

    def __init__(self, program: Program, columns: tuple[str, ...], town: Town, supervision: Supervision) -> None:
        self.name = program.name
        self.reader = program
        self._columns = columns
        self._dsn = town.dsn
        self._port = town.ports["mqtt"]
        self._supervision = supervision

    def start(self) -> None:
        with psycopg.connect(self._dsn) as connection:
            connection.execute(TABLE.format(columns="".join(f", {it}" for it in self._columns)))
        self._supervision.start([self.reader])
        _canary(self, self._port)

    def stop(self) -> None:
        self._supervision.stop([self.reader.name])
        _clear(self._port, "peer")

    def kill(self) -> None:
        pid = self._supervision.pid(self.reader.name)
        for process in (*psutil.Process(pid).children(recursive=True), psutil.Process(pid)):
            process.kill()

    def has_all(self, wanted: Batch) -> bool:
        last = datetime.fromtimestamp((wanted.start + (wanted.each - 1) * 200) / 1000, UTC)
        query = """
            SELECT count(*) FROM unnest(%s::text[]) AS e (ep) WHERE EXISTS (SELECT FROM peer.position AS p WHERE p.ep = e.ep AND p.t = %s)
        """
        with psycopg.connect(self._dsn) as connection:
            row = connection.execute(query, [[str(it.ep) for it in wanted.fleet], last]).fetchone()
        return row is not None and row[0] == len(wanted.fleet) and self.stored(wanted).distinct >= wanted.readings

    def stored(self, wanted: Batch) -> Stored:
        query = "SELECT count(*), count(DISTINCT (ep, s)) FROM peer.position WHERE ep = ANY(%s)"
        with psycopg.connect(self._dsn) as connection:
            row = connection.execute(query, [[str(it.ep) for it in wanted.fleet]]).fetchone()
        return Stored(row[1], row[0] - row[1]) if row else Stored(0, 0)


def connected_at(pid: int, port: int, within: float = 60) -> float:
    """Return when (monotonic s) a process of this tree had a connection to the broker. Raises NotReadyError."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            for it in (process, *process.children(recursive=True)):
                if any(one.raddr and one.raddr.port == port and one.status == "ESTABLISHED" for one in it.net_connections("tcp")):
                    return time.monotonic()
        time.sleep(0.01)
    raise NotReadyError(f"did not connect to the broker in {within:.0f} s")


def data_folder(town: Town, name: str) -> Path:
    """Return the folder in which a peer keeps what it must, empty."""
    return town.home.data / f"peer-{name}"


def _canary(contender: Contender, port: int) -> None:
    """Send a reading each second until one is stored: it is subscribed and writes. Raises NotReadyError."""
    publisher = Publisher("127.0.0.1", port)
    try:
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            wanted = batch(1, 1, fleet=1)
            publisher.send(iter(wanted.messages()))
            time.sleep(1)
            with suppress(psycopg.Error):
                if contender.stored(wanted).distinct:
                    return
    finally:
        publisher.close()
    raise NotReadyError(f"stored nothing within {READY_S:.0f} s")


def _clear(port: int, client_id: str) -> None:
    """End a session that the broker keeps, with what is queued in it."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
    client.connect("127.0.0.1", port)
    client.loop_start()
    end = time.monotonic() + 10
    while not client.is_connected() and time.monotonic() < end:
        time.sleep(0.02)
    client.disconnect()
    client.loop_stop()
