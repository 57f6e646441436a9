"""A municipality for the rooms: its database at the newest version, and the server as a process of its own."""

import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asty_citizen_services import migrate as migrating
from asty_citizen_services.database import Database, for_migrations
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.registry.filing import Desk, Filing
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import select

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
BIN = Path(sys.executable).parent
SECRET = "a secret of the tests, long enough"
AXE = Path(__file__).parents[2] / "look/node_modules/axe-core/axe.min.js"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Municipality:
    """`database` is migrated and empty; `environment` are the settings that a program of it reads."""

    dsn: str
    database: Database
    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run asty-citizen-services to its end."""
        return subprocess.run(
            [BIN / "asty-citizen-services", *arguments], env=self.environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="session")
def template(prepared: Callable[[str, Callable[[str], None]], str]) -> str:
    """The schema at its newest version, nothing in it."""

    def migrate(dsn: str) -> None:
        engine = for_migrations(dsn)
        migrating.migrate(engine)
        engine.dispose()

    return prepared("citizen_template", migrate)


@pytest.fixture(scope="module")
def municipality(postgres: Any) -> Iterator[Municipality]:
    """A municipality without citizens and cases."""
    environment = {
        "ASTY_ORG": "demo",
        "ASTY_DATABASE_DSN": postgres.dsn,
        "ASTY_CITIZEN_SECRET": SECRET,
        "ASTY_CITIZEN_MUNICIPALITY": "Δήμος Δοκιμής",
    }
    database = Database(postgres.dsn)
    yield Municipality(postgres.dsn, database, environment)
    database.close()


@dataclass(frozen=True)
class Web:
    """A running server; `url` names localhost, since passkeys are bound to a name."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

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
            assert self.process.poll() is None, f"the server has ended:\n{self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"/health is not {status}:\n{self.log.read_text()[-2000:]}"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Web]]:
    """Return a starter of programs of the municipality: `start("serve", port, environment)`; they end with the module."""
    with ExitStack() as stack:

        def starter(*arguments: str, port: int, environment: dict[str, str]) -> Web:
            log = tmp_path_factory.mktemp(arguments[0]) / "log"
            out = stack.enter_context(log.open("wb"))
            process = subprocess.Popen(
                [BIN / "asty-citizen-services", *arguments], env=environment, stdout=out, stderr=subprocess.STDOUT
            )  # fmt: skip
            stack.callback(_end, process)
            return Web(f"http://localhost:{port}", process, log)

        yield starter


@pytest.fixture(scope="module")
def web(municipality: Municipality, start: Callable[..., Web]) -> Web:
    """The server over the municipality."""
    port = a_port()
    web = start("serve", port=port, environment={**municipality.environment, "ASTY_CITIZEN_PORT": str(port)})
    web.wait(200)
    return web


def a_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def portal(municipality: Municipality, start: Callable[..., Web]) -> Web:
    """The server with the stand-in for TaxisNet beside it."""
    port, national = a_port(), a_port()
    environment = {
        **municipality.environment,
        "ASTY_CITIZEN_PORT": str(port),
        "ASTY_CITIZEN_TAXISNET_ADDRESS": f"http://localhost:{national}",
        "ASTY_CITIZEN_TAXISNET_CLIENT": "demo",
        "ASTY_CITIZEN_TAXISNET_SECRET": "hush",
    }
    start("double", "taxisnet", "--port", str(national), port=national, environment=environment).wait(200)
    web = start("serve", port=port, environment=environment)
    web.wait(200)
    return web


@pytest.fixture(scope="session")
def clamd() -> Iterator[int]:
    """A strict stand-in for clamd that knows one virus; returns its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1]


def _serve(server: socket.socket) -> None:
    while True:
        try:
            link, _ = server.accept()
        except OSError:
            return
        with link, link.makefile("rb") as stream:
            if stream.read(10) != b"zINSTREAM\0":
                link.sendall(b"UNKNOWN COMMAND\0")
                continue
            content = b""
            while size := struct.unpack(">I", stream.read(4))[0]:
                content += stream.read(size)
            link.sendall(b"stream: Eicar-Signature FOUND\0" if EICAR in content else b"stream: OK\0")


@pytest.fixture(scope="module")
def file_for(municipality: Municipality) -> Callable[..., str]:
    """Return `file_for(subject, taxid)`: files an application of a citizen who has signed in before, and returns its number."""

    def file(subject: str, taxid: str = PERSONS[0].taxid) -> str:
        with municipality.database.begin() as session:
            citizen = session.scalars(select(Citizen).where(Citizen.taxid == taxid)).one()
            filing = Filing(
                procedure="vevaiosi-monimis-katoikias", version="1", subject=subject, department="dimotologio",
                filed_by=f"citizen:{citizen.id}", key=subject, citizen=citizen.id, days=50,
            )  # fmt: skip
            return Desk("Δήμος Δοκιμής", ZoneInfo("Europe/Athens")).file_application(session, filing).reference

    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, portal: Any) -> Iterator[Page]:
    """A page of the portal in a fresh browser on a phone; at the end it has not complained in its console."""
    complaints: list[str] = []
    context = browser.new_context(viewport=PHONE, base_url=portal.url)  # type: ignore[arg-type]
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [said for said in complaints if "status of 4" not in said] == []


@pytest.fixture
def check() -> Callable[[Page], None]:
    """Return a check of a page at both sizes."""
    return _check


def _check(page: Page) -> None:
    """Assert that a page fits a phone and a desk, and that axe-core finds nothing wrong."""
    for size in (DESK, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], page.url
        page.evaluate(AXE.read_text())
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        assert [f"{v['id']}: {n['html'][:160]}" for v in found["violations"] for n in v["nodes"]] == [], page.url


@pytest.fixture
def sign_in() -> Callable[[Page, str], None]:
    """Return a way in: from a page that asks for the sign-in, as one of the stand-in's persons."""
    return _sign_in


def _sign_in(page: Page, name: str) -> None:
    page.get_by_role("link", name="Συνέχεια στο TaxisNet").click()
    expect(page.get_by_role("heading")).to_contain_text("ΔΕΝ είναι το TaxisNet")
    page.get_by_role("link", name=name).click()
