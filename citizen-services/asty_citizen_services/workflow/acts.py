"""What the system does at its steps beside documents: telling the citizen, and sending a case on to another department."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.bpmn.case import Waiting
from asty_citizen_services.identity import contacts
from asty_citizen_services.identity.contacts import ContactError
from asty_citizen_services.identity.models import Department, Staff, StaffRole
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.notices import outbox
from asty_citizen_services.procedures.catalogue import COSIGNER, Catalogue
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.workflow.models import CaseTask

STAFF_ONLY = frozenset({"overdue"})
"""What is told to the department alone: it stands on top of its inbox, and its heads get an e-mail."""


def given_last(session: Session, application: uuid.UUID) -> Mapping[str, Any]:
    """Return what an officer gave with the last decision of a case."""
    last = session.scalars(
        select(CaseTask)
        .where(CaseTask.application_id == application, CaseTask.outcome.is_not(None), CaseTask.seat.not_in(("citizen", "cosigner")))
        .order_by(CaseTask.done_at.desc())
        .limit(1)
    ).one_or_none()
    return last.given if last else {}


def notify(session: Session, application: Application, what: str, now: datetime) -> None:
    """Tell the citizen what happened, with the officer's reason. For `Desk`."""
    if what == "overdue":
        waiting = select(CaseTask).where(CaseTask.application_id == application.id, CaseTask.done_at.is_(None), CaseTask.due_at <= now)
        for task in session.scalars(waiting.order_by(CaseTask.token)):
            _tell_heads(session, application, task, now)
    if what in STAFF_ONLY or application.citizen_id is None:
        journal.write(session, f"case:{application.id}", at=now, actor="system", act=f"workflow.{what}")
        return
    _tell(session, application, what, now, reason=str(given_last(session, application.id).get("reason", "")))


def completed(session: Session, application: Application, now: datetime) -> None:
    """Confirm to the citizen that what was missing has come in."""
    if application.citizen_id is not None:
        _tell(session, application, "completed", now)


def forward(session: Session, application: Application, _what: str, now: datetime, address: str = "") -> None:
    """Give a case that came to the wrong department to the right one, and tell the citizen and its people. For `Desk`.

    The desk gives its tasks to the new department. `address` is what the link to the case begins with.
    """
    given = given_last(session, application.id)
    before, application.department = application.department, str(given["department"])
    department = session.get_one(Department, application.department)
    journal.write(
        session, f"case:{application.id}", at=now, actor="system", act="workflow.forward", before=before, after=application.department
    )
    _tell_people(session, application, department, str(given.get("reason", "")), f"{address}/office/cases/{application.id}", now)
    if application.citizen_id is not None:
        name = department.name_en if application.language == "en" else department.name_el
        _tell(session, application, "forwarded", now, reason=str(given.get("reason", "")), department=name)


@dataclass(frozen=True)
class Telling:
    """Who is told when a case begins to wait, or ends by itself. `address` is what links begin with."""

    catalogue: Catalogue
    address: str

    def waits(self, session: Session, application: Application, waiting: Waiting, now: datetime) -> None:
        """Send the second signer a link to the step that waits for him, to the mobile that the form names. For `Desk`."""
        second = self.catalogue[application.procedure].manifest.cosignature
        if waiting.step.lane != COSIGNER or second is None:
            return
        docket = _docket(session, application)
        try:
            mobile = contacts.address_of("phone", str(application.answers.get(second.mobile, "")))
        except ContactError:
            journal.write(session, f"case:{application.id}", at=now, actor="system", act="workflow.cosigner_without_mobile")
            return
        outbox.write_to(
            session, channel="sms", address=mobile, key=f"cosign:{waiting.token}", about=f"case:{application.id}", template="cosign",
            language=application.language, now=now, reference=docket.reference, subject=docket.subject,
            link=f"{self.address}/cosign/{waiting.token}",
        )  # fmt: skip

    def ended(self, session: Session, application: Application, end: str, now: datetime) -> None:
        """Tell the citizen of an end that no step of the diagram tells of: a case that was not completed or paid in time. For `Desk`."""
        if end in ("shelved", "unpaid") and application.citizen_id is not None:
            _tell(session, application, end, now)


def overdue(session: Session, now: datetime) -> int:
    """Write to the heads of departments of each task whose term is over, once for each case and deadline; return how many tasks."""
    rows = session.execute(
        select(CaseTask, Application)
        .join(Application, Application.id == CaseTask.application_id)
        .where(CaseTask.done_at.is_(None), CaseTask.due_at < now, CaseTask.role.is_not(None))
        .order_by(CaseTask.due_at)
    ).all()
    for task, application in rows:
        _tell_heads(session, application, task, now)
    return len(rows)


def _tell_heads(session: Session, application: Application, task: CaseTask, now: datetime) -> None:
    if task.due_at is None or task.role is None:
        return
    docket = _docket(session, application)
    heads = session.scalars(
        select(Staff)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(StaffRole.role == Role.HEAD, StaffRole.department == task.seat, Staff.ended_at.is_(None))
        .order_by(Staff.id)
    )
    for head in heads:
        outbox.write_to(
            session, channel="email", address=head.email, key=f"overdue:{application.id}:{task.due_at.date().isoformat()}:{head.id}",
            about=f"case:{application.id}", template="overdue", language="el", now=now, reference=docket.reference, subject=docket.subject,
        )  # fmt: skip


def _tell_people(session: Session, application: Application, department: Department, reason: str, link: str, now: datetime) -> None:
    """Write to the officers and heads of a department to which a case was sent on."""
    docket = _docket(session, application)
    people = session.scalars(
        select(Staff)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(StaffRole.role.in_((Role.OFFICER, Role.HEAD)), StaffRole.department == department.slug, Staff.ended_at.is_(None))
        .distinct()
        .order_by(Staff.id)
    )
    for one in people:
        outbox.write_to(
            session, channel="email", address=one.email, key=f"handed_over:{application.id}:{now.isoformat()}:{one.id}",
            about=f"case:{application.id}", template="handed_over", language="el", now=now, reference=docket.reference,
            subject=docket.subject, department=department.name_el, reason=reason, link=link,
        )  # fmt: skip


def _docket(session: Session, application: Application) -> Docket:
    return session.scalars(
        select(Docket).where(Docket.application_id == application.id, Docket.direction == "in").order_by(Docket.at).limit(1)
    ).one()


def _tell(session: Session, application: Application, template: str, now: datetime, **values: Any) -> None:
    assert application.citizen_id is not None
    docket = _docket(session, application)
    outbox.put(
        session, key=f"{template}:{application.id}:{now.isoformat()}", citizen=application.citizen_id, about=f"case:{application.id}",
        template=template, language=application.language, now=now, reference=docket.reference, subject=docket.subject, **values,
    )  # fmt: skip
