"""A municipality with officers: a desk at work, its demo keys, and an application that has been filed."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import uvicorn
from asty_citizen_services import casework
from asty_citizen_services.casework import Casework
from asty_citizen_services.documents import profiles
from asty_citizen_services.documents.demo_ca import DemoAuthority
from asty_citizen_services.documents.signing import Mark
from asty_citizen_services.identity import accounts, departments, sessions
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.main import create_app
from asty_citizen_services.municipal.seed import seed
from asty_citizen_services.procedures.catalogue import load_all
from asty_citizen_services.registry.filing import Desk as Counter
from asty_citizen_services.registry.filing import Filing
from asty_citizen_services.settings import Settings

PASSPHRASE = "μυστικό"
DEPARTMENT = "dimotologio"
ANSWERS: dict[str, Any] = {
    "afm": PERSONS[0].taxid, "lastname": PERSONS[0].lastname, "firstname": PERSONS[0].firstname, "fathername": PERSONS[0].fathername,
    "identity_card": "ΑΒ 123456", "mobile": "+306900000000", "for_whom": "self", "born_on": "1984-05-17",
    "mothername": PERSONS[0].mothername, "purpose": "personal", "copies": 1, "truth": True,
}  # fmt: skip
BIRTH = "pistopoiitiko-gennisis"


@dataclass
class Town:
    """`work(case)` does the system's steps as the worker does; `officer`, `head` and `citizen` are who is signed in."""

    municipality: Any
    settings: Settings
    casework: Casework
    people: dict[str, uuid.UUID] = field(default_factory=dict)
    url: str = ""

    def file(
        self, procedure: str = BIRTH, answers: dict[str, Any] | None = None, department: str = DEPARTMENT, citizen: str = "citizen"
    ) -> uuid.UUID:
        counter = Counter(self.settings.municipality, self.settings.zone, on_filed=(self.casework.desk.begin,))
        who = self.people[citizen]
        title = load_all()[procedure].manifest.title.el
        filing = Filing(
            procedure, "1", title, department, f"citizen:{who}", uuid.uuid4().hex, citizen=who, answers=ANSWERS | (answers or {}), days=10
        )
        with self.municipality.database.begin() as session:
            docket = counter.file_application(session, filing)
            assert docket.application_id is not None
            return docket.application_id

    def work(self, case: uuid.UUID) -> None:
        more = True
        while more:
            with self.municipality.database.begin() as session:
                more = self.casework.desk.work(session, case, datetime.now(UTC))

    def token_of(self, who: str) -> str:
        with self.municipality.database.begin() as session:
            kind = "citizen" if who.startswith("citizen") else "staff"
            return sessions.begin(session, datetime.now(UTC), **{kind: self.people[who]})

    @contextmanager
    def browser(self, who: str = "") -> Iterator["Browser"]:
        with httpx.Client(base_url=self.url, follow_redirects=True, trust_env=False, timeout=60) as client:
            client.cookies.set("asty-csrf", "t" * 32)
            if who:
                client.cookies.set("asty-session", self.token_of(who))
            yield Browser(client)


@dataclass
class Browser:
    """Posts forms with their token."""

    client: httpx.Client

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text[-2000:]
        return answer

    def post(self, path: str, status: int = 200, files: Any = None, **fields: Any) -> Any:
        answer = self.client.post(path, data={"csrf": "t" * 32, **fields}, files=files)
        assert answer.status_code == status, answer.text[-2000:]
        return answer


@pytest.fixture(scope="module")
def town(
    municipality: Any, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int], clamd: int, eventually: Callable[..., object]
) -> Iterator[Town]:
    ca = tmp_path_factory.mktemp("ca")
    now = datetime.now(UTC)
    authority = DemoAuthority(ca, production=False)
    authority.prepare(now)
    settings = Settings(
        org="demo",
        dsn=municipality.dsn,
        secret="x" * 24,
        municipality="Δήμος Δοκιμής",
        address="http://localhost:8420",
        trust=ca,
        scanner=("127.0.0.1", clamd),
    )
    wired = casework.wire(settings, municipality.database, load_all())
    port = free_port()
    town = Town(municipality, settings, wired, url=f"http://localhost:{port}")
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    with municipality.database.begin() as session:
        departments.store(session, departments.read(departments.OWN))
        seed(session, now)
        for n, who in ((0, "citizen"), (3, "citizen-2")):
            person = PERSONS[n]
            town.people[who] = uuid.uuid4()
            session.add(Citizen(id=town.people[who], taxid=person.taxid, lastname=person.lastname, firstname=person.firstname,
                                fathername=person.fathername, mothername=person.mothername, birthyear=person.birthyear,
                                first_seen_at=now, last_seen_at=now))  # fmt: skip
        for who, name, roles in (
            ("officer", "Άννα Υπάλληλος", [(DEPARTMENT, Role.OFFICER), ("paidikoi", Role.OFFICER), ("esoda", Role.OFFICER)]),
            ("head", "Πέτρος Προϊστάμενος", [(DEPARTMENT, Role.HEAD), ("paidikoi", Role.HEAD), ("esoda", Role.HEAD)]),
            ("stranger", "Ξένη Υπάλληλος", [("kathariotita", Role.OFFICER)]),
        ):
            town.people[who] = accounts.add(session, username=who, name=name, email=f"{who}@example.gr", by="test", now=now)
            for department, role in roles:
                accounts.grant(session, town.people[who], department, role, by="test", now=now)
        mark = Mark("Πέτρος Προϊστάμενος", "Προϊστάμενος Δημοτολογίου", "")
        key = authority.issue(mark.name, mark.office, PASSPHRASE, now)
        profiles.add(session, town.people["head"], "pkcs12", mark, {}, key, by="test", now=now)
    yield town
    server.should_exit = True
    thread.join()


Waiting = Callable[[uuid.UUID], dict[str, Any]]


@pytest.fixture
def waiting(town: Town) -> Waiting:
    """Return the waiting tasks of a case by their step."""
    from asty_citizen_services.workflow.models import CaseTask
    from sqlalchemy import select

    def read(case: uuid.UUID) -> dict[str, Any]:
        with town.municipality.database.begin() as session:
            return {
                one.step: one
                for one in session.scalars(select(CaseTask).where(CaseTask.application_id == case, CaseTask.done_at.is_(None)))
            }

    return read
