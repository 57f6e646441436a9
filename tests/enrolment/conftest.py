"""A town that enrols: its authorities, its database, and mosquitto with the configuration that the appliance generates."""

import os
import queue
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import paho.mqtt.client as mqtt
import pytest
import uvicorn
from asty_appliance.security.mosquitto import Tls, access, configuration
from asty_cloud_api import database
from asty_cloud_api.enrolment import keys
from asty_cloud_api.enrolment.authority import Authority
from asty_cloud_api.enrolment.broker import Broker
from asty_cloud_api.enrolment.folder import Folder
from asty_cloud_api.enrolment.office import Office
from asty_cloud_api.main import create_app
from asty_cloud_api.migrate import migrate
from asty_cloud_api.settings import EnrolmentSettings, Settings
from asty_cloud_api.staff import accounts
from asty_cloud_api.staff.roles import Role
from asty_contracts.enrolment import EnrolmentAnswer
from asty_edge.enrolment.request import Signer, body, read_claim
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy.orm import Session

ORG = "demo"
OFFICER, OFFICERS_TOKEN = "Μαρία Παππά", "the-token-of-an-officer"


@dataclass(frozen=True)
class Credentials:
    """A client certificate with its key."""

    cert: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return keys.pem(self.cert) + keys.key_pem(self.key)

    @property
    def signer(self) -> Signer:
        """As an edge signs a renewal; the authority is not looked at."""
        return Signer(keys.pem(self.cert).decode(), self.key, "")


class Client:
    """An MQTT 5 client: `reason` is how the broker answered the connection, "closed" when it did not answer."""

    def __init__(self, port: int, ca: Path | None, credentials: Credentials | None, client_id: str, *, clean: bool = True) -> None:
        self.messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._answers: queue.Queue[str] = queue.Queue()
        self._acks: queue.Queue[tuple[int, str]] = queue.Queue()
        self._subscribed: queue.Queue[int] = queue.Queue()
        self.gone: queue.Queue[str] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
        self.client.on_connect = lambda _c, _d, _f, reason, _p: self._answers.put(str(reason))
        self.client.on_disconnect = lambda _c, _d, _f, reason, _p: (self.gone.put(str(reason)), self._answers.put("closed"))
        self.client.on_message = lambda _c, _d, message: self.messages.put((message.topic, message.payload))
        self.client.on_publish = lambda _c, _d, mid, reason, _p: self._acks.put((mid, str(reason)))
        self.client.on_subscribe = lambda _c, _d, mid, _reasons, _p: self._subscribed.put(mid)
        if ca is not None:
            self.client.tls_set_context(_context(ca, credentials))
        try:
            self.client.connect("127.0.0.1", port, 30, clean_start=clean)
        except (ssl.SSLError, ConnectionError) as error:
            self.reason = f"closed: {error}"
            return
        self.client.loop_start()
        self.reason = self._answers.get(timeout=20)

    @property
    def is_in(self) -> bool:
        return self.reason == "Success"

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> str:
        """Publish and return how the broker acknowledged it."""
        self.client.publish(topic, payload, qos=1, retain=retain)
        return self._acks.get(timeout=20)[1]

    def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, qos=1)
        self._subscribed.get(timeout=20)

    def hears(self) -> tuple[str, bytes]:
        return self.messages.get(timeout=20)

    def close(self) -> None:
        with suppress(ValueError, OSError):
            self.client.disconnect()
        self.client.loop_stop()


def _context(ca: Path, credentials: Credentials | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca))
    if credentials is not None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(credentials.pem)
            file.flush()
            context.load_cert_chain(file.name)
    return context


@dataclass
class Town:
    """`office` acts; `ask(...)` is what an edge posts; `connect(...)` is a client of the broker."""

    folder: Folder
    office: Office
    port: int
    dsn: str
    clients: list[Client] = field(default_factory=list)

    @property
    def authority(self) -> Authority:
        return self.folder.town()

    def claim(self, edge: str) -> Signer:
        return read_claim(self.office.claim(edge, "officer").decode(), edge)

    def ask(self, edge: str, signer: Signer, key: ec.EllipticCurvePrivateKey, org: str = ORG) -> EnrolmentAnswer:
        return self.office.take(body(key, edge, org, signer), "192.0.2.7")

    def enrolled(self, edge: str) -> Credentials:
        """Take an edge through claim, request and approval."""
        signer, key = self.claim(edge), keys.new_key()
        assert self.ask(edge, signer, key).state == "waiting"
        self.approve(edge)
        answer = self.ask(edge, signer, key)
        assert answer.cert is not None
        return Credentials(x509.load_pem_x509_certificate(answer.cert.encode()), key)

    def approve(self, edge: str) -> None:
        from asty_cloud_api.enrolment import desk
        from sqlalchemy.orm import Session

        with Session(self.office.engine) as session:
            request = desk.waiting_of(session, edge).id
        self.office.approve(request, "officer")

    def service(self, name: str) -> Credentials:
        stem = self.folder.services / name
        return Credentials(x509.load_pem_x509_certificate(stem.with_suffix(".pem").read_bytes()), keys.load_key(stem.with_suffix(".key")))

    def signed(self, edge: str, now: datetime | None = None, by: Authority | None = None) -> Credentials:
        """A certificate signed outside of the office."""
        key = keys.new_key()
        return Credentials((by or self.authority).edge(edge, key.public_key(), now or datetime.now(UTC)), key)

    def connect(self, credentials: Credentials | None, client_id: str = "any", *, tls: bool = True, clean: bool = True) -> Client:
        ca = self.folder.broker / "ca.pem" if tls else None
        self.clients.append(Client(self.port, ca, credentials, client_id, clean=clean))
        return self.clients[-1]


@pytest.fixture(scope="module")
def town(postgres: Any, server_folder: Callable[[str], Path], free_port: Callable[[], int]) -> Iterator[Town]:
    """A town with authorities, a database and a running broker; a test uses edges of its own."""
    binary = shutil.which("mosquitto", path=f"{os.defpath}:/usr/sbin:/usr/local/sbin")
    if binary is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    engine = database.writing(postgres.dsn)
    migrate(engine)
    home, port = server_folder("enrolment"), free_port()
    folder = Folder(home / "ca")
    folder.prepare(ORG, ["127.0.0.1", "localhost"], ["asty-ingest", "asty-stream"], datetime.now(UTC))
    (home / "acl").write_text(access(ORG))
    listener = Tls(port, folder.broker, home / "acl", home / "pid", bind="127.0.0.1")
    config = configuration(listener, home, production=True) + ("user root\n" if os.geteuid() == 0 else "")
    (home / "mosquitto.conf").write_text(config)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([binary, "-c", home / "mosquitto.conf"], stdout=log, stderr=log)
    town = Town(folder, Office(folder, engine, Broker("127.0.0.1", port, home / "pid")), port, postgres.dsn)
    try:
        deadline = time.monotonic() + 20
        while not (home / "pid").exists() or not town.connect(town.service("asty-stream")).is_in:
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
        yield town
    finally:
        for client in town.clients:
            client.close()
        process.terminate()
        process.wait(10)
        engine.dispose()


@pytest.fixture(scope="module")
def serve(free_port: Callable[[], int]) -> Iterator[Callable[..., httpx.Client]]:
    """Return `serve(settings, tls=stem)`: an officer's client of asty-cloud-api's application, which runs in a thread of its own."""
    with ExitStack() as stack:

        def run(settings: Settings, tls: Path | None = None) -> httpx.Client:
            files = {"ssl_certfile": f"{tls}.pem", "ssl_keyfile": f"{tls}.key"} if tls else {}
            config = uvicorn.Config(create_app(settings), "127.0.0.1", free_port(), log_config=None, ws="none", **files)
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run)
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            deadline = time.monotonic() + 20
            while not server.started:
                assert time.monotonic() < deadline, "the application did not start"
                time.sleep(0.01)
            address = f"{'https' if tls else 'http'}://127.0.0.1:{config.port}"
            engine = database.writing(settings.dsn)
            with Session(engine) as session, session.begin():
                accounts.add_token(session, OFFICER, [Role.ADMINISTRATOR], token=OFFICERS_TOKEN)
            engine.dispose()
            headers = {"Authorization": f"Bearer {OFFICERS_TOKEN}"}
            return stack.enter_context(httpx.Client(base_url=address, trust_env=False, timeout=30, headers=headers))

        yield run


@pytest.fixture(scope="module")
def http(town: Town, serve: Callable[..., httpx.Client]) -> httpx.Client:
    """The application of the town, without an officers' code and without a broker to tell."""
    return serve(Settings(org=ORG, dsn=town.dsn, enrolment=EnrolmentSettings(town.folder.path)))


@pytest.fixture
def change() -> Callable[..., bytes]:
    """Return `change(body, field=…)`: a request with a field replaced on its way."""

    def changed(request: bytes, **fields: object) -> bytes:
        return msgspec.json.encode({**msgspec.json.decode(request), **fields})

    return changed
