"""What the system does at its steps beside documents: telling the citizen, and sending a case on to another department."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.identity.models import Department
from asty_citizen_services.notices import outbox
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.workflow.models import CaseTask

STAFF_ONLY = frozenset({"overdue"})
"""What is told to the department alone: it stands on top of its inbox."""


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
    if what in STAFF_ONLY or application.citizen_id is None:
        journal.write(session, f"case:{application.id}", at=now, actor="system", act=f"workflow.{what}")
        return
    _tell(session, application, what, now, reason=str(given_last(session, application.id).get("reason", "")))


def forward(session: Session, application: Application, _what: str, now: datetime) -> None:
    """Give a case that came to the wrong department to the right one, and tell the citizen. For `Desk`."""
    given = given_last(session, application.id)
    before, application.department = application.department, str(given["department"])
    department = session.get_one(Department, application.department)
    journal.write(
        session, f"case:{application.id}", at=now, actor="system", act="workflow.forward", before=before, after=application.department
    )
    if application.citizen_id is not None:
        name = department.name_en if application.language == "en" else department.name_el
        _tell(session, application, "forwarded", now, reason=str(given.get("reason", "")), department=name)


def _tell(session: Session, application: Application, template: str, now: datetime, **values: Any) -> None:
    assert application.citizen_id is not None
    docket = session.scalars(
        select(Docket).where(Docket.application_id == application.id, Docket.direction == "in").order_by(Docket.at).limit(1)
    ).one()
    outbox.put(
        session, key=f"{template}:{application.id}:{now.isoformat()}", citizen=application.citizen_id, about=f"case:{application.id}",
        template=template, language=application.language, now=now, reference=docket.reference, subject=docket.subject, **values,
    )  # fmt: skip
