"""What enters the protocol reaches the document system whole and once, and its calls are followed once, if they are its own."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from asty_citizen_services.drafts import desk as drafts
from asty_citizen_services.drafts.models import Upload
from asty_citizen_services.handover import api, contract, desk
from asty_citizen_services.handover.contract import Entry
from asty_citizen_services.handover.models import HandoverEntry
from asty_citizen_services.handover.system import AwayError, Console, DocumentSystem, RefusedBySystemError, Rest
from asty_citizen_services.handover.tasks import hand_over
from asty_citizen_services.identity.citizens import remember
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.notices.models import Notice
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.settings import DocumentSystemSettings
from sqlalchemy import select

NOW = datetime.now(UTC)
SECRET = "the vendor's secret"
ENTRY = Entry(str(uuid.uuid4()), "1/2026", "in", NOW, "Δήμος", "Βεβαίωση", "dimotologio", "", "", {}, ())


@pytest.fixture(scope="module")
def system(municipality: Any, start: Any) -> DocumentSystemSettings:
    """The stand-in for the document system, as a process."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = DocumentSystemSettings(f"http://localhost:{port}", SECRET)
    municipality.environment |= {"ASTY_CITIZEN_DOCUMENTS_ADDRESS": settings.address, "ASTY_CITIZEN_DOCUMENTS_SECRET": SECRET}
    start("double", "documents", "--port", str(port), port=port, environment=municipality.environment).wait(200)
    return settings


@pytest.fixture
def docket(municipality: Any, file_for: Callable[..., str]) -> Docket:
    """An application that was filed with a file; announced."""
    with municipality.database.begin() as session:
        citizen = remember(session, PERSONS[1], NOW)
        session.connection().exec_driver_sql(
            "INSERT INTO department (slug, name_el, name_en) VALUES ('dimotologio', 'Δημοτολόγιο', 'Register'),"
            " ('lixiarcheio', 'Ληξιαρχείο', 'Registry office') ON CONFLICT DO NOTHING"
        )
    number, year = map(int, file_for(f"Βεβαίωση {uuid.uuid4()}", PERSONS[1].taxid).split("/"))
    with municipality.database.begin() as session:
        found: Docket = session.scalars(select(Docket).where(Docket.number == number, Docket.year == year)).one()
        draft = drafts.begin(session, "x", citizen, None, {}, b"b", NOW)
        session.add(
            Upload(
                id=uuid.uuid4(), draft_id=draft.id, application_id=found.application_id, question="proofs", name="λογαριασμός.pdf",
                media_type="application/pdf", content=b"%PDF-1", sha256=b"x", made_at=NOW,
            )
        )  # fmt: skip
        assert desk.announce(session, NOW) >= 1
        assert desk.announce(session, NOW) == 0
    return found


def row_of(municipality: Any, docket: Docket) -> HandoverEntry:
    with municipality.database.begin() as session:
        found: HandoverEntry = session.get_one(HandoverEntry, docket.id)
        return found


def test_the_stand_in_keeps_the_contract_that_vendors_are_tested_by(municipality: Any, system: DocumentSystemSettings) -> None:
    told = municipality.run("handover", "check")
    assert (told.returncode, told.stdout) == (0, "the document system keeps the contract\n")
    municipality.environment["ASTY_CITIZEN_DOCUMENTS_SECRET"] = "another secret"
    broken = municipality.run("handover", "check")
    municipality.environment["ASTY_CITIZEN_DOCUMENTS_SECRET"] = SECRET
    assert broken.returncode == 1
    assert "an entry is taken: expected 200 or 201, got 403" in broken.stdout


def test_an_entry_reaches_the_document_system_with_its_files_and_once(
    municipality: Any, system: DocumentSystemSettings, docket: Docket
) -> None:
    before = httpx.get(f"{system.address}/health").json()
    hand_over(municipality.database, Rest(system), docket.id, NOW)
    hand_over(municipality.database, Rest(system), docket.id, NOW)
    after = httpx.get(f"{system.address}/health").json()
    assert (after["entries"] - before["entries"], after["files"] - before["files"]) == (1, 1)
    row = row_of(municipality, docket)
    assert (row.state, row.tries, str(row.foreign_id)[:4]) == ("sent", 1, "DMS-")


def test_a_system_that_is_away_is_tried_again_and_one_that_refuses_is_not(municipality: Any, docket: Docket) -> None:
    class Refuses(Console):
        def register(self, entry: Entry, files: Any) -> str:
            raise RefusedBySystemError(f"422 no department {entry.department}, {len(files)} files")

    with pytest.raises(AwayError):
        hand_over(municipality.database, Rest(DocumentSystemSettings("http://127.0.0.1:1", SECRET)), docket.id, NOW)
    assert row_of(municipality, docket).state == "waiting"
    hand_over(municipality.database, Refuses(), docket.id, NOW)
    row = row_of(municipality, docket)
    assert (row.state, row.tries, row.why) == ("refused", 2, "422 no department dimotologio, 1 files")


@pytest.mark.parametrize("kind", ["rest", "console"])
def test_every_adapter_gives_the_same_entry_the_same_id(system: DocumentSystemSettings, kind: str) -> None:
    it: DocumentSystem = Rest(system) if kind == "rest" else Console()
    entry = replace_id(ENTRY)
    assert it.register(entry, {}) == it.register(entry, {})


def replace_id(entry: Entry) -> Entry:
    return Entry(str(uuid.uuid4()), *(getattr(entry, name) for name in entry.__struct_fields__[1:]))


def test_an_old_or_foreign_signature_is_none() -> None:
    signed = contract.sign(SECRET, b"{}", 1000)
    assert contract.is_signed(SECRET, b"{}", signed, 1000 + contract.TOLERANCE)
    for secret, body, given, at in (
        (SECRET, b"{}", signed, 1001 + contract.TOLERANCE), ("x", b"{}", signed, 1000), (SECRET, b"{ }", signed, 1000),
        (SECRET, b"{}", signed.replace("t=1000", "t=1001"), 1000), (SECRET, b"{}", "", 1000), (SECRET, b"{}", "t=x,v1=y", 1000),
    ):  # fmt: skip
        assert not contract.is_signed(secret, body, given, at)


def test_the_document_systems_calls_are_followed_once(municipality: Any, system: DocumentSystemSettings, docket: Docket, web: Any) -> None:
    with httpx.Client(base_url=web.url, trust_env=False) as client:

        def call(secret: str = SECRET, **event: Any) -> httpx.Response:
            body = json.dumps(event).encode()
            return client.post(api.ADDRESS, content=body, headers={contract.SIGNATURE: contract.sign(secret, body, int(time.time()))})

        it = str(docket.id)
        assert call("guess", id="1", kind="registered", docket=it, number="77").status_code == 403
        assert call(id="1", kind="registered", docket=it, number="77").status_code == 200
        assert row_of(municipality, docket).number == "77"
        assert call(id="1", kind="registered", docket=it, number="78").status_code == 409
        assert call(id="2", kind="routed", docket=it, department="nowhere").status_code == 422
        assert call(id="2", kind="burnt", docket=it).status_code == 422
        assert call(id="2", kind="routed", docket="x", department="lixiarcheio").status_code == 404
        for _ in range(2):
            assert call(id="2", kind="routed", docket=it, department="lixiarcheio", reason="Αρμόδιο το Ληξιαρχείο.").status_code == 200
        paper = {"kind": "filed", "subject": "Έγγραφο Περιφέρειας", "department": "dimotologio", "sha256": hashlib.sha256(b"x").hexdigest()}
        first, again = call(id="3", **paper), call(id="3", **paper)
        assert first.json() == again.json()
        assert call(id="4", **(paper | {"sha256": "z" * 64})).status_code == 422
    with municipality.database.begin() as session:
        application = session.get_one(Application, docket.application_id)
        assert application.department == "lixiarcheio"
        told = session.scalars(select(Notice).where(Notice.key == "routed:2")).one()
        assert told.values["department"] == "Ληξιαρχείο"
        assert session.get_one(Docket, uuid.UUID(first.json()["docket"])).reference == first.json()["reference"]
        assert desk.announce(session, NOW) == 0
