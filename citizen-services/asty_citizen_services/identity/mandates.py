"""Citizens who act for legal persons: an officer records the deed, the citizen then chooses for whom he or she files."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from stdnum.gr import vat

from asty_citizen_services.audit import journal
from asty_citizen_services.identity.models import Mandate

NOBODY = "000000000"


class MandateError(Exception):
    """A mandate can't be recorded: says why. Nothing was changed."""


def record(
    session: Session, *, citizen: uuid.UUID, afm: str, legal_name: str, basis: str, valid_from: datetime, valid_until: datetime | None,
    staff: uuid.UUID, now: datetime,
) -> uuid.UUID:  # fmt: skip
    """Record that a citizen acts for a legal person; `basis` names the deed that the officer saw. Raises MandateError."""
    if afm == NOBODY or not vat.is_valid(afm) or vat.compact(afm) != afm:
        raise MandateError(f"{afm} is no valid tax number")
    if not basis.strip() or not legal_name.strip():
        raise MandateError("the deed and the name of the legal person are needed")
    if valid_until is not None and valid_until <= valid_from:
        raise MandateError("a mandate ends after it begins")
    made = uuid.uuid4()
    session.add(
        Mandate(
            id=made, citizen_id=citizen, afm=afm, legal_name=legal_name.strip(), basis=basis.strip(), valid_from=valid_from,
            valid_until=valid_until, recorded_by=staff, recorded_at=now, revoked_at=None, revoked_by=None,
        )
    )  # fmt: skip
    session.flush()
    journal.write(session, f"citizen:{citizen}", at=now, actor=f"staff:{staff}", act="identity.record_mandate", afm=afm, mandate=str(made))
    return made


def revoke(session: Session, mandate: uuid.UUID, *, staff: uuid.UUID, now: datetime) -> None:
    """End a mandate at once, also in sessions that use it now."""
    found = session.get_one(Mandate, mandate)
    found.revoked_at, found.revoked_by = now, staff
    journal.write(
        session, f"citizen:{found.citizen_id}", at=now, actor=f"staff:{staff}", act="identity.revoke_mandate", mandate=str(mandate)
    )


def of(session: Session, citizen: uuid.UUID, now: datetime) -> Sequence[Mandate]:
    """Return the mandates of a citizen that hold now."""
    return session.scalars(
        select(Mandate)
        .where(
            Mandate.citizen_id == citizen, Mandate.revoked_at.is_(None), Mandate.valid_from <= now,
            or_(Mandate.valid_until.is_(None), Mandate.valid_until > now),
        )
        .order_by(Mandate.legal_name)
    ).all()  # fmt: skip
