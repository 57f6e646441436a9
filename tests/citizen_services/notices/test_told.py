"""Whoever has to act is told: the second signer by a link, the heads when a term is over, the citizen of a shelved case."""

import asyncio
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asty_citizen_services.identity.citizens import remember
from asty_citizen_services.identity.models import ContactPoint, Department, Staff, StaffRole
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.notices import delivery, outbox
from asty_citizen_services.notices.models import Notice, NoticeDelivery
from asty_citizen_services.notices.smsc_double import Centre
from asty_citizen_services.procedures.catalogue import load_all
from asty_citizen_services.registry import filing as filings
from asty_citizen_services.registry.models import Application
from asty_citizen_services.workflow import acts
from asty_citizen_services.workflow.desk import Desk
from asty_citizen_services.workflow.models import CaseTask
from sqlalchemy import select

CATALOGUE, ATHENS = load_all(), ZoneInfo("Europe/Athens")
NOW = datetime.now(UTC)
SERVICES = dict.fromkeys(("compose", "deliver"), lambda *_: None) | {"notify": acts.notify, "forward": acts.forward}
DESK_TELLS = acts.Telling(CATALOGUE, "https://a.gr")
DESK = Desk(CATALOGUE, SERVICES, DESK_TELLS)


@pytest.fixture
def file(municipality: Any) -> Callable[..., uuid.UUID]:
    """Return a filer of a procedure; gives the case."""

    def one(slug: str, **answers: str) -> uuid.UUID:
        counter, key = filings.Desk("Δήμος", ATHENS, on_filed=(DESK.begin,)), uuid.uuid4().hex
        department = CATALOGUE[slug].manifest.department
        with municipality.database.begin() as session:
            citizen = remember(session, PERSONS[0], NOW)
            filing = filings.Filing(slug, "1", "Αίτηση", department, f"citizen:{citizen}", key, citizen=citizen, answers=answers)
            docket = counter.file_application(session, filing)
            assert docket.application_id is not None
            return docket.application_id

    return one


def told(municipality: Any, case: uuid.UUID, template: str) -> list[tuple[str, str, str]]:
    """Return the deliveries of a template about a case: channel, address, text."""
    with municipality.database.begin() as session:
        rows = session.execute(
            select(NoticeDelivery, Notice).join(Notice).where(Notice.about == f"case:{case}", Notice.template == template)
        ).all()
        return [(row.channel, row.address, delivery.text_of(it, row.language).body) for row, it in rows]


def test_the_second_signer_gets_a_link_by_sms_once(municipality: Any, file: Callable[..., uuid.UUID]) -> None:
    slug = "arrenon-allagi-onomatos"
    case = file(slug, **{CATALOGUE[slug].manifest.cosignature.mobile: "6941234567", "for_whom": "son"})  # type: ignore[union-attr]
    with municipality.database.begin() as session:
        token = session.scalars(select(CaseTask.token).where(CaseTask.application_id == case, CaseTask.seat == "cosigner")).one()
    ((channel, address, body),) = told(municipality, case, "cosign")
    assert (channel, address) == ("sms", "+306941234567")
    assert f"https://a.gr/cosign/{token}" in body


def test_heads_hear_of_an_overdue_case_and_its_citizen_of_a_completed_and_shelved_one(
    municipality: Any, file: Callable[..., uuid.UUID]
) -> None:
    case = file("vevaiosi-monimis-katoikias")
    with municipality.database.begin() as session:
        if session.get(Department, "dimotologio") is None:
            session.add_all(Department(slug=slug, name_el=slug, name_en=slug) for slug in ("dimotologio", "lixiarcheio"))
        for name, department, role in (
            ("anna", "dimotologio", "head"),
            ("petros", "dimotologio", "officer"),
            ("lia", "lixiarcheio", "head"),
        ):
            one = Staff(
                id=uuid.uuid4(), username=name, name=name, email=f"{name}@example.gr", oidc_subject=None, made_at=NOW, ended_at=None
            )
            session.add(one)
            session.flush()
            session.add(StaffRole(staff_id=one.id, department=department, role=role, given_at=NOW, given_by="test"))
        session.flush()
        for _ in range(2):
            acts.notify(session, session.get_one(Application, case), "overdue", NOW + timedelta(days=60))
        acts.completed(session, session.get_one(Application, case), NOW)
        DESK_TELLS.ended(session, session.get_one(Application, case), "shelved", NOW)
        notices = set(session.scalars(select(Notice.template).where(Notice.about == f"case:{case}", Notice.citizen_id.is_not(None))))
    assert notices == {"filed", "completed", "shelved"}
    ((channel, address, body),) = told(municipality, case, "overdue")
    assert (channel, address) == ("email", "anna@example.gr")
    assert "έληξε" in body


def test_a_worker_hands_a_notice_to_the_operators_centre(municipality: Any) -> None:
    centre, loop = Centre("asty", "hush"), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(centre.serve("127.0.0.1", 0), loop).result(10)
    environment = municipality.environment | {
        "ASTY_CITIZEN_SMS_HOST": "127.0.0.1", "ASTY_CITIZEN_SMS_PORT": str(server.sockets[0].getsockname()[1]),
        "ASTY_CITIZEN_SMS_USER": "asty", "ASTY_CITIZEN_SMS_PASSWORD": "hush", "ASTY_CITIZEN_SMS_SENDER": "DIMOS",
    }  # fmt: skip
    with municipality.database.begin() as session:
        session.connection().exec_driver_sql("DELETE FROM procrastinate_jobs")
        citizen = remember(session, PERSONS[3], NOW)
        session.add(
            ContactPoint(id=uuid.uuid4(), citizen_id=citizen, kind="phone", address="+306940000001", verified_at=NOW, ended_at=None)
        )
        outbox.put(
            session, key="worker", citizen=citizen, about="case:w", template="filed", language="el", now=NOW, urgent=True,
            reference="1/2026", subject="Αίτηση",
        )  # fmt: skip
    worker = subprocess.Popen([Path(sys.executable).parent / "asty-citizen-services", "worker"], env=environment)
    try:
        deadline = time.monotonic() + 60
        while not centre.submitted:
            assert worker.poll() is None
            assert time.monotonic() < deadline, "nothing came"
            time.sleep(0.1)
    finally:
        worker.terminate()
        worker.wait(30)
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    assert [(one.to, one.text[:14]) for one in centre.submitted][:1] == [("306940000001", 'H AITHΣH ΣAΣ "')]
    with municipality.database.begin() as session:
        state = session.scalars(select(NoticeDelivery.state).join(Notice).where(Notice.key == "worker")).one()
    assert state in ("sent", "delivered")
