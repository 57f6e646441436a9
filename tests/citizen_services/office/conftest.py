"""A municipality with officers: a desk at work, its demo keys, and an application that has been filed."""

import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from asty_citizen_services import casework
from asty_citizen_services.casework import Casework
from asty_citizen_services.documents import profiles
from asty_citizen_services.documents.demo_ca import DemoAuthority
from asty_citizen_services.documents.signing import Mark
from asty_citizen_services.drafts.models import Draft
from asty_citizen_services.identity import accounts, departments, sessions
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.main import create_app
from asty_citizen_services.municipal.seed import seed
from asty_citizen_services.procedures.catalogue import OWN, load_all
from asty_citizen_services.registry.filing import Desk as Counter
from asty_citizen_services.registry.filing import Filing
from asty_citizen_services.settings import Settings
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page
from sqlalchemy import select

PASSPHRASE = "μυστικό"
DEPARTMENT = "dimotologio"
ANSWERS: dict[str, Any] = {
    "afm": PERSONS[0].taxid, "lastname": PERSONS[0].lastname, "firstname": PERSONS[0].firstname, "fathername": PERSONS[0].fathername,
    "identity_card": "ΑΒ 123456", "mobile": "+306900000000", "for_whom": "self", "born_on": "1984-05-17",
    "mothername": PERSONS[0].mothername, "purpose": "personal", "copies": 1, "truth": True,
}  # fmt: skip
BIRTH = "pistopoiitiko-gennisis"
TWO = "dyo-ypografes"


@dataclass
class Town:
    """`work(case)` does the system's steps as the worker does; `officer`, `head` and `citizen` are who is signed in.

    `keys` are PKCS#12 files by who holds them, opened by PASSPHRASE.
    """

    municipality: Any
    settings: Settings
    casework: Casework
    people: dict[str, uuid.UUID] = field(default_factory=dict)
    url: str = ""
    keys: dict[str, bytes] = field(default_factory=dict)

    def file(
        self, procedure: str = BIRTH, answers: dict[str, Any] | None = None, department: str = DEPARTMENT, citizen: str = "citizen"
    ) -> uuid.UUID:
        counter = Counter(self.settings.municipality, self.settings.zone, on_filed=(self.casework.desk.begin,))
        who = self.people[citizen]
        title = load_all(self.settings.procedures)[procedure].manifest.title.el
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

    def answer(self, citizen: str = "citizen") -> None:
        """Put all answers into the form that was begun for a citizen."""
        with self.municipality.database.begin() as session:
            draft = session.scalars(select(Draft).where(Draft.citizen_id == self.people[citizen], Draft.filed_at.is_(None))).one()
            draft.answers = ANSWERS

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


def with_two_signatures(folder: Path) -> Path:
    """Copy all procedures, and beside them the certificate of birth with its officer's signature before the head's."""
    shutil.copytree(OWN, folder)
    shutil.copytree(folder / BIRTH, folder / TWO)
    manifest = folder / TWO / "manifest.toml"
    manifest.write_text(manifest.read_text().replace("Πιστοποιητικό Γέννησης", "Πιστοποιητικό με δύο υπογραφές", 1))
    process = folder / TWO / "process.bpmn"
    text = process.read_text()
    for before, after in (
        ("<bpmn:flowNodeRef>check</bpmn:flowNodeRef>", "<bpmn:flowNodeRef>check</bpmn:flowNodeRef>" + "".join(
            f"<bpmn:flowNodeRef>{one}</bpmn:flowNodeRef>" for one in ("first", "first_done"))),
        ("<bpmn:incoming>f_signed_check</bpmn:incoming>",
         "<bpmn:incoming>f_signed_check</bpmn:incoming><bpmn:incoming>f_first_back</bpmn:incoming>"),
        ('<bpmn:userTask id="sign" ',
         '<bpmn:userTask id="first" name="Υπογραφή εισηγητή" asty:en="Officer signs" asty:asks="signature">'
         "<bpmn:incoming>f_compose_sign</bpmn:incoming><bpmn:outgoing>f_first</bpmn:outgoing></bpmn:userTask>"
         '<bpmn:exclusiveGateway id="first_done" name="Υπέγραψε;"><bpmn:incoming>f_first</bpmn:incoming>'
         "<bpmn:outgoing>f_first_on</bpmn:outgoing><bpmn:outgoing>f_first_back</bpmn:outgoing></bpmn:exclusiveGateway>"
         '<bpmn:userTask id="sign" '),
        ('asks="signature">\n      <bpmn:incoming>f_compose_sign', 'asks="signature">\n      <bpmn:incoming>f_first_on'),
        ('sourceRef="compose" targetRef="sign" />',
         'sourceRef="compose" targetRef="first" /><bpmn:sequenceFlow id="f_first" sourceRef="first" targetRef="first_done" />'
         '<bpmn:sequenceFlow id="f_first_on" name="Υπογράφηκε" sourceRef="first_done" targetRef="sign" asty:en="Signed">'
         '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">outcome == "signed"</bpmn:conditionExpression></bpmn:sequenceFlow>'
         '<bpmn:sequenceFlow id="f_first_back" name="Επιστροφή" sourceRef="first_done" targetRef="check" asty:en="Send back"'
         ' asty:asks="reason"><bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">outcome == "returned"'
         "</bpmn:conditionExpression></bpmn:sequenceFlow>"),
        ('<bpmndi:BPMNEdge id="f_sign_signed_di"', "".join(
            f'<bpmndi:BPMNShape id="{one}_di" bpmnElement="{one}"><dc:Bounds x="{x}" y="20" width="100" height="60" /></bpmndi:BPMNShape>'
            for one, x in (("first", 900), ("first_done", 1040))) + "".join(
            f'<bpmndi:BPMNEdge id="{one}_di" bpmnElement="{one}"><di:waypoint x="1000" y="50" /><di:waypoint x="1040" y="50" />'
            "</bpmndi:BPMNEdge>" for one in ("f_first", "f_first_on", "f_first_back")) + '<bpmndi:BPMNEdge id="f_sign_signed_di"'),
    ):  # fmt: skip
        assert before in text, before
        text = text.replace(before, after, 1)
    process.write_text(text)
    return folder


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
        procedures=with_two_signatures(tmp_path_factory.mktemp("procedures") / "all"),
    )
    wired = casework.wire(settings, municipality.database, load_all(settings.procedures))
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
            ("agent", "Ελένη Τηλεφωνήτρια", [("exypiretisi", Role.CALL_CENTRE)]),
            ("admin", "Νίκος Διαχειριστής", [("pliroforiki", Role.ADMINISTRATOR)]),
            ("dpo", "Ζωή Υπεύθυνη", [("pliroforiki", Role.DATA_PROTECTION)]),
            ("registrar", "Ρένα Ληξίαρχος", [("lixiarcheio", Role.OFFICER)]),
            ("stranger", "Ξένη Υπάλληλος", [("kathariotita", Role.OFFICER)]),
        ):
            town.people[who] = accounts.add(session, username=who, name=name, email=f"{who}@example.gr", by="test", now=now)
            for department, role in roles:
                accounts.grant(session, town.people[who], department, role, by="test", now=now)
        mark = Mark("Πέτρος Προϊστάμενος", "Προϊστάμενος Δημοτολογίου", "")
        town.keys["officer"] = authority.issue("Άννα Υπάλληλος", "Δημοτολόγιο", PASSPHRASE, now)
        key = authority.issue(mark.name, mark.office, PASSPHRASE, now)
        profiles.add(session, town.people["head"], "pkcs12", mark, {}, key, by="test", now=now)
    yield town
    server.should_exit = True
    thread.join()


Open = Callable[[str], Any]
PHONE = {"width": 390, "height": 844}
Waiting = Callable[[uuid.UUID], dict[str, Any]]


@pytest.fixture
def waiting(town: Town) -> Waiting:
    """Return the waiting tasks of a case by their step."""
    from asty_citizen_services.workflow.models import CaseTask

    def read(case: uuid.UUID) -> dict[str, Any]:
        with town.municipality.database.begin() as session:
            return {
                one.step: one
                for one in session.scalars(select(CaseTask).where(CaseTask.application_id == case, CaseTask.done_at.is_(None)))
            }

    return read


@pytest.fixture
def opened(browser: Chromium, town: Any) -> Open:
    """Return `opened(who)`: a page on which somebody is signed in, which must not complain in its console."""

    @contextmanager
    def open_as(who: str) -> Iterator[Page]:
        complaints: list[str] = []
        context = browser.new_context(viewport=PHONE, base_url=town.url, accept_downloads=True)  # type: ignore[arg-type]
        if who:
            context.add_cookies([{"name": "asty-session", "value": town.token_of(who), "url": town.url}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        context.close()
        assert [said for said in complaints if "status of 4" not in said] == []

    return open_as
