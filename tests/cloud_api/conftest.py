"""A small town for the screens: its register, its telemetry as the stream stores it, and the server as a process of its own."""

import asyncio
import json
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import asty_town
import httpx
import msgspec
import psycopg
import pytest
from asty_appliance.home import Home
from asty_appliance.servers import valhalla
from asty_cloud_api import database
from asty_cloud_api.migrate import migrate as migrate_fleet
from asty_cloud_api.staff import accounts
from asty_cloud_api.staff.roles import Role
from asty_contracts.envelope import encode_data
from asty_contracts.records import Alarm, DeviceHealth, Health, Lift, Position, RecordData
from asty_stream.incoming import read
from asty_stream.migrate import migrate as migrate_telemetry
from asty_stream.store.transaction import store
from sqlalchemy.orm import Session

BIN = Path(sys.executable).parent
TAGS = {"Κ-001": "0123456789ABCDEF", "Κ-002": "00000000000000AA", "Κ-003": "00000000000000BB"}
HOUR = 3_600_000


def now_ms() -> int:
    return int(time.time() * 1000)


@dataclass
class Fleet:
    """`put(edge, (t, data), …)` stores records as the stream does, and so notifies the pages; `say(edge, …)` is the edge's life."""

    dsn: str
    environment: dict[str, str]
    sequences: dict[str, int] = field(default_factory=dict)

    def put(self, edge: str, *records: tuple[int, RecordData], skip: int = 0) -> None:
        """Store records; `skip` leaves out that many sequences before them, as if they were still on their way."""
        self.sequences[edge] = self.sequences.get(edge, 0) + skip
        pack = []
        for t, data in records:
            self.sequences[edge] = self.sequences.get(edge, 0) + 1
            kind, raw = encode_data(data)
            pack.append({"s": self.sequences[edge], "t": t, "tq": "gnss", "k": kind, "d": msgspec.Raw(raw)})
        epoch = UUID(int=sum(edge.encode()))
        message = msgspec.json.encode(
            {"org": "demo", "edge": edge, "rx": now_ms(), "pack": {"v": 1, "ep": epoch, "h": False, "recs": pack}}
        )
        # in a thread: Playwright keeps a loop running in this one
        with ThreadPoolExecutor(1) as other:
            other.submit(lambda: asyncio.run(self._store(message))).result()

    async def _store(self, message: bytes) -> None:
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            await store(connection, read(message), org="demo", now=now_ms())

    def up(self, edge: str, up: bool, kind: str = "truck") -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(
                "UPDATE telemetry.edge SET up = %s, kind = %s, software = 'asty-edge 0.1.0', state_at = now() WHERE edge = %s",
                [up, kind, edge],
            )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run asty-cloud-api with this town's settings."""
        return subprocess.run([BIN / "asty-cloud-api", *arguments], env=self.environment, capture_output=True, text=True, check=False)


def a_lift(tag: str | None, t: int, net: float | None = 118.0, flags: tuple[str, ...] = ()) -> Lift:
    """Return a lift as fusion makes it; without a net weight it has no stable weighings."""
    weighed = net is not None
    return Lift(
        cycle=7, started=t - 20_000, ended=t, tag=tag, std="fdxb" if tag else None, gross=530.0 if weighed else None,
        tare=530.0 - net if net is not None else None, net=net, stable=weighed, lat=39.36, lon=22.95, fix="gps", flags=flags,
        hash="ab" * 32,
    )  # fmt: skip


@pytest.fixture(scope="session")
def lift_of() -> Any:
    """Return a maker of lifts: (tag, t, net, flags)."""
    return a_lift


@pytest.fixture(scope="session")
def town_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated town as an OpenStreetMap file."""
    path = tmp_path_factory.mktemp("town") / "town.osm.pbf"
    asty_town.generate(path, seed=1)
    return path


@pytest.fixture(scope="session")
def register_file(town_file: Path) -> Path:
    """A register of two trucks, a gateway and forty bins along the streets."""
    chance = random.Random(1)
    streets = [street for street in asty_town.read(town_file).streets if street.drivable and street.name]
    bins = []
    for number in range(1, 41):
        street = chance.choice(streets)
        lon, lat = chance.choice(street.line)
        name = f"Κ-{number:03d}"
        bins.append(
            {"id": name, "tag": TAGS.get(name, f"{chance.getrandbits(64):016X}"),
             "stream": "ανακύκλωση" if number % 4 == 0 else "σύμμεικτα",
             "volume": 1100, "lat": lat, "lon": lon, "street": "Οδός Ερμού" if number == 1 else street.name}
        )  # fmt: skip
    vehicles = [
        {"edge": "truck-01", "name": "Απορριμματοφόρο 1", "plate": "ΚΗΙ 1234", "kind": "truck", "capacity_kg": 9000},
        {"edge": "truck-02", "name": "Απορριμματοφόρο 2", "plate": "ΚΗΙ 5678", "kind": "truck", "capacity_kg": 9000},
        {"edge": "gateway-01", "name": "Πύλη αμαξοστασίου", "kind": "gateway"},
    ]
    path = town_file.parent / "register.json"
    path.write_text(json.dumps({"vehicles": vehicles, "bins": bins, "depot": {"lat": 39.36, "lon": 22.95}, "town": str(town_file)}))
    return path


@pytest.fixture(scope="session")
def template(prepared: Callable[[str, Callable[[str], None]], str]) -> str:
    """Both schemas at their newest version, nothing in them."""

    def migrate(dsn: str) -> None:
        migrate_telemetry(dsn)
        engine = database.writing(dsn)
        migrate_fleet(engine)
        engine.dispose()

    return prepared("fleet_template", migrate)


@pytest.fixture(scope="module")
def fleet(postgres: Any, town_file: Path) -> Fleet:
    """The fleet's database with nothing in it."""
    return Fleet(postgres.dsn, {"ASTY_ORG": "demo", "ASTY_DATABASE_DSN": postgres.dsn, "ASTY_TOWN_FILE": str(town_file)})


@pytest.fixture(scope="module")
def roads_url(server_folder: Callable[[str], Path], town_file: Path, free_port: Callable[[], int]) -> Iterator[str]:
    """The appliance's own Valhalla on tiles of the town."""
    home = Home(server_folder("valhalla"))
    home.make()
    program = valhalla.program(home, free_port())
    valhalla.build(home, town_file, lambda _: None)
    process = subprocess.Popen(program.command, cwd=program.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while True:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{program.address}/status", trust_env=False).status_code == 200:
                break
        assert time.monotonic() < deadline, "Valhalla did not start in 30 s"
        time.sleep(0.05)
    yield program.address
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def busy(fleet: Fleet, register_file: Path) -> Fleet:
    """A registered town at work: two trucks and a gateway, lifts with and without evidence, a lost device, a missing record."""
    done = fleet.run("register", "import", str(register_file))
    assert done.returncode == 0, done.stderr
    t = now_ms()
    well = {"rfid": DeviceHealth(state="up"), "scale": DeviceHealth(state="up")}
    fleet.put(
        "truck-01",
        (t - 50 * 24 * HOUR, a_lift(TAGS["Κ-002"], t - 50 * 24 * HOUR)),
        (t - 3000, a_lift(TAGS["Κ-001"], t - 3000, 118.0)),
        (t - 2000, a_lift(None, t - 2000, 97.5, ("no_tag",))),
        (t - 1000, a_lift(TAGS["Κ-003"], t - 1000, None, ("unstable",))),
        (t, Position(lat=39.3605, lon=22.95, v=7.0, course=90.0)),
        (t, Health(up=60, head=6, acked=0, held=6, devices=well)),
    )
    fleet.put(
        "truck-02",
        (t, Health(up=60, head=4, acked=0, held=4, devices=well | {"vests": DeviceHealth(state="lost", why="unplugged")})),
        (t, Alarm(code="device_lost", on=True, device="vests", severity="critical", info="unplugged")),
    )
    fleet.put("truck-02", (t, Position(lat=39.361, lon=22.951, v=0.0, course=10.0)), skip=2)
    fleet.put("gateway-01", (t, Health(up=60, head=1, acked=0, held=0, devices=well)))
    fleet.up("truck-01", True)
    fleet.up("truck-02", False)
    fleet.up("gateway-01", True, "gateway")
    return fleet


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PERSON, PASSPHRASE = "Άννα Γεωργίου", "τέσσερις λέξεις που δεν ταιριάζουν"


@dataclass
class Web:
    """The running server. `bearer` are the headers of a program with every role; `signed_in` is Άννα's browser, as Playwright keeps it."""

    url: str
    process: subprocess.Popen[bytes]
    bearer: dict[str, str]

    @cached_property
    def signed_in(self) -> dict[str, Any]:
        form = {"username": "anna", "passphrase": PASSPHRASE, "next": "/board"}
        answer = httpx.post(f"{self.url}/sign-in", data=form, trust_env=False, timeout=30)
        assert (answer.status_code, answer.headers["location"]) == (303, "/board"), answer.text[:300]
        cookie = {"name": "staff", "value": answer.cookies["staff"], "domain": "127.0.0.1", "path": "/", "expires": -1}
        return {"cookies": [cookie | {"httpOnly": True, "secure": False, "sameSite": "Lax"}], "origins": []}

    def health(self) -> int:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def wait(self, status: int) -> None:
        deadline = time.monotonic() + 40
        while self.health() != status:
            assert self.process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, f"/health is not {status}"
            time.sleep(0.05)


def _staff(dsn: str) -> str:
    """Make Άννα's account and a program's token; return the token."""
    engine = database.writing(dsn)
    with Session(engine) as session, session.begin():
        accounts.add(session, "anna", PERSON, [Role.ADMINISTRATOR], passphrase=PASSPHRASE)
        token = accounts.add_token(session, PERSON, [Role.ADMINISTRATOR])
    engine.dispose()
    return token


@pytest.fixture(scope="module")
def web(busy: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The server over the busy town, as `asty-cloud-api serve`."""
    port = _free_port()
    log = tmp_path_factory.mktemp("cloud-api") / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [BIN / "asty-cloud-api", "serve"],
            env={**busy.environment, "ASTY_CLOUD_API_PORT": str(port)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        web = Web(f"http://127.0.0.1:{port}", process, {"Authorization": f"Bearer {_staff(busy.dsn)}"})
        try:
            web.wait(200)
            yield web
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
