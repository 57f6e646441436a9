"""How an officer makes sure who somebody is that did not sign in: by what only that person knows, or by a document that was seen."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.identity.models import Citizen, IdentityCheck, IdentityCheckCase, Staff

QUESTIONS: Mapping[str, str] = {
    "name": "First and last name",
    "taxid": "Tax number (AFM)",
    "fathername": "Father's name",
    "mothername": "Mother's name",
    "birthyear": "Year of birth",
    "reference": "Protocol number of an own case",
    "phone": "Calls from the verified mobile",
}
"""What can be asked: terms of the catalogue."""
LEAST = 3
"""Right answers without which nobody is recognised, unless a document was seen."""


class CheckError(Exception):
    """Too little was asked to know who somebody is: a term to translate. Nothing was changed."""


def record(session: Session, *, citizen: uuid.UUID, staff: uuid.UUID, asked: Sequence[str], document: str, now: datetime) -> uuid.UUID:
    """Keep which questions were answered right and which document was seen. Raises CheckError.

    Answers prove nothing of somebody whom an officer entered as he or she was told: a document has to be seen.
    """
    right = [one for one in QUESTIONS if one in asked]
    document = document.strip()
    if not document and session.get_one(Citizen, citizen).entered_by is not None:
        raise CheckError("This person has never signed in: only a document that you saw shows who it is.")
    if len(right) < LEAST and not document:
        raise CheckError("Three right answers are needed, or a document that you saw.")
    made = uuid.uuid4()
    session.add(IdentityCheck(id=made, citizen_id=citizen, staff_id=staff, asked=right, document=document, made_at=now))
    session.flush()
    journal.write(
        session, f"citizen:{citizen}", at=now, actor=f"staff:{staff}", act="identity.check", check=str(made), asked=" ".join(right),
        document="yes" if document else "no",
    )  # fmt: skip
    return made


def use(session: Session, check: uuid.UUID, case: uuid.UUID, *, by: str, now: datetime) -> None:
    """Note that a case was filed for somebody who was recognised so; the case's own journal says how."""
    found = session.get_one(IdentityCheck, check)
    session.merge(IdentityCheckCase(case_id=case, check_id=check))
    journal.write(
        session, f"case:{case}", at=now, actor=by, act="identity.filed_for", subject=f"citizen:{found.citizen_id}", check=str(check),
        asked=" ".join(found.asked), document="yes" if found.document else "no",
    )  # fmt: skip


def of_case(session: Session, case: uuid.UUID) -> tuple[IdentityCheck, str] | None:
    """Return how the applicant of a case was recognised and by whom; None when he or she signed in."""
    row = session.execute(
        select(IdentityCheck, Staff.name)
        .join(IdentityCheckCase, IdentityCheckCase.check_id == IdentityCheck.id)
        .join(Staff, Staff.id == IdentityCheck.staff_id)
        .where(IdentityCheckCase.case_id == case)
    ).one_or_none()
    return (row[0], row[1]) if row else None
