"""Erasing: the content of old cases by their retention, and at a citizen's wish what no law keeps. Protocol and audit stay."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from asty_process.environment import OperatorError
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.callcentre.models import Call, CallNote, Handoff
from asty_citizen_services.documents.models import Document
from asty_citizen_services.drafts import desk as drafts
from asty_citizen_services.drafts.models import Draft, Upload
from asty_citizen_services.identity.models import ContactPoint, IdentityCheck, IdentityCheckCase, OneTimeCode
from asty_citizen_services.notices.models import Notice, NoticeDelivery, PushSubscription
from asty_citizen_services.office.models import CaseNote
from asty_citizen_services.privacy import retention
from asty_citizen_services.privacy.models import LegalHold
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.workflow.models import CaseTask


class NoSuchCaseError(OperatorError):
    """No application has this number of the protocol. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How much went: forms that were never filed, contact points, closed cases; `kept` are cases that the law keeps."""

    drafts: int
    contacts: int
    cases: int
    kept: int


def due(session: Session, catalogue: Catalogue, now: datetime, citizen: uuid.UUID | None = None) -> Iterator[Application]:
    """Yield the cases whose retention is over, which no hold keeps and which still have content; of one citizen if named."""
    held = exists().where(LegalHold.application_id == Application.id, LegalHold.ended_at.is_(None))
    wanted = select(Application).where(Application.state.in_(retention.CLOSED), Application.answers != {}, ~held)
    if citizen is not None:
        wanted = wanted.where(Application.citizen_id == citizen)
    for application in session.scalars(wanted.order_by(Application.changed_at).with_for_update(skip_locked=True)):
        procedure = catalogue.get(application.procedure)
        if procedure is None:
            continue  # a procedure that is gone says no retention: its cases stay until it is back
        end = retention.ends(procedure.manifest.retention, application.state, application.changed_at)
        if end is not None and end <= now:
            yield application


def erase_case(session: Session, application: Application, actor: str, now: datetime) -> None:
    """Take the content out of a case: answers, files, documents, reasons, notes, notices. Its number and its audit stay."""
    of_case = application.id
    notices = select(Notice.id).where(Notice.about == f"case:{of_case}")
    session.execute(delete(NoticeDelivery).where(NoticeDelivery.notice_id.in_(notices)))
    session.execute(delete(Notice).where(Notice.about == f"case:{of_case}"))
    forms = set(session.scalars(select(Upload.draft_id).where(Upload.application_id == of_case)))
    session.execute(delete(Upload).where(Upload.application_id == of_case))
    session.execute(delete(Draft).where((Draft.amends == of_case) | Draft.id.in_(forms)))
    session.execute(update(Document).where(Document.application_id == of_case).values(content=b""))
    session.execute(update(CaseTask).where(CaseTask.application_id == of_case).values(given={}))
    session.execute(delete(CaseNote).where(CaseNote.application_id == of_case))
    check = select(IdentityCheckCase.check_id).where(IdentityCheckCase.case_id == of_case)
    session.execute(update(IdentityCheck).where(IdentityCheck.id.in_(check)).values(document=""))
    application.answers = {}
    journal.write(
        session, f"case:{of_case}", at=now, actor=actor, act="privacy.erase",
        subject=f"citizen:{application.citizen_id}" if application.citizen_id else "", state=application.state,
    )  # fmt: skip


def retain(session: Session, catalogue: Catalogue, now: datetime) -> Mapping[str, int]:
    """Erase what is old: cases by their retention, forms that nobody touched for the manifest's days. Return how many of each."""
    cases = list(due(session, catalogue, now))
    for application in cases:
        erase_case(session, application, "system", now)
    forgotten = sum(drafts.forget(session, slug, one.manifest.retention.abandoned_draft_days, now) for slug, one in catalogue.items())
    found = {"cases": len(cases), "drafts": forgotten}
    if cases or forgotten:
        journal.write(session, "privacy", at=now, actor="system", act="privacy.retain", cases=len(cases), drafts=forgotten)
    return found


def erase_at_wish(session: Session, catalogue: Catalogue, citizen: uuid.UUID, now: datetime, by: str = "") -> Erased:
    """Erase of a citizen what no law keeps: unfiled forms, addresses, browsers, notes of calls, cases past their retention.

    `by` is who does it, when it is not the citizen.
    """
    actor = by or f"citizen:{citizen}"
    begun = drafts.mine(session, citizen)
    for draft in begun:
        drafts.give_up(session, draft)
    points = session.scalars(select(ContactPoint).where(ContactPoint.citizen_id == citizen)).all()
    session.execute(delete(CallNote).where(CallNote.call_id.in_(select(Call.id).where(Call.citizen_id == citizen))))
    for table in (OneTimeCode, PushSubscription, ContactPoint, Handoff):
        session.execute(delete(table).where(table.citizen_id == citizen))
    cases = list(due(session, catalogue, now, citizen))
    for application in cases:
        erase_case(session, application, actor, now)
    kept = len(session.scalars(select(Application.id).where(Application.citizen_id == citizen, Application.answers != {})).all())
    erased = Erased(len(begun), len(points), len(cases), kept)
    journal.write(
        session, f"citizen:{citizen}", at=now, actor=actor, act="privacy.erase_at_wish", drafts=erased.drafts,
        contacts=erased.contacts, cases=erased.cases, kept=erased.kept,
    )  # fmt: skip
    return erased


def hold(session: Session, reference: str, why: str, actor: str, now: datetime) -> None:
    """Keep the case of a protocol number, such as 12/2026, whatever its retention says. Raises NoSuchCaseError."""
    case = _case(session, reference)
    session.add(LegalHold(id=uuid.uuid4(), application_id=case, why=why, placed_by=actor, placed_at=now, ended_by=None, ended_at=None))
    journal.write(session, f"case:{case}", at=now, actor=actor, act="privacy.hold", why=why)


def end_hold(session: Session, hold: uuid.UUID, actor: str, now: datetime) -> None:
    """End one hold, if it holds."""
    found = session.get_one(LegalHold, hold)
    if found.ended_at is None:
        found.ended_by, found.ended_at = actor, now
        journal.write(session, f"case:{found.application_id}", at=now, actor=actor, act="privacy.release", holds=1)


def release(session: Session, reference: str, actor: str, now: datetime) -> int:
    """End all holds of a case; return how many there were. Raises NoSuchCaseError."""
    case = _case(session, reference)
    held = session.scalars(select(LegalHold).where(LegalHold.application_id == case, LegalHold.ended_at.is_(None))).all()
    for one in held:
        one.ended_by, one.ended_at = actor, now
    journal.write(session, f"case:{case}", at=now, actor=actor, act="privacy.release", holds=len(held))
    return len(held)


def _case(session: Session, reference: str) -> uuid.UUID:
    number, _, year = reference.partition("/")
    if number.isdecimal() and year.isdecimal():
        found = session.scalars(select(Docket.application_id).where(Docket.number == int(number), Docket.year == int(year))).one_or_none()
        if found is not None:
            return found
    raise NoSuchCaseError(f"no application has the number {reference}: expected one such as 12/2026")
