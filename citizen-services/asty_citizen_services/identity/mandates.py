"""Citizens who act for legal persons: an officer records the deed, the citizen then chooses for whom he or she files."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from stdnum.gr import vat

from asty_citizen_services.audit import journal
from asty_citizen_services.identity.models import Citizen, Mandate, MandateScan, Staff

NOBODY = "000000000"
SORTS: Mapping[str, str] = {"name": "By legal person", "until": "Ending first", "-at": "Recorded last first"}
STATES: Mapping[str, str] = {"valid": "Valid", "coming": "Coming", "over": "Expired", "revoked": "Revoked"}


class MandateError(Exception):
    """A mandate can't be recorded: says why. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A mandate as the register lists it, with who acts and who recorded it."""

    id: uuid.UUID
    afm: str
    legal_name: str
    person: str
    taxid: str
    basis: str
    valid_from: datetime
    valid_until: datetime | None
    revoked_at: datetime | None
    recorded_at: datetime
    recorded_by: str
    has_scan: bool = False

    def state(self, now: datetime) -> str:
        """Return one of STATES."""
        if self.revoked_at is not None:
            return "revoked"
        if self.valid_until is not None and self.valid_until <= now:
            return "over"
        return "coming" if now < self.valid_from else "valid"


def register(session: Session) -> list[Recorded]:
    """Read all mandates, by the name of the legal person."""
    rows = session.execute(
        select(Mandate, Citizen, Staff.name, MandateScan.mandate_id)
        .join(Citizen, Citizen.id == Mandate.citizen_id)
        .join(Staff, Staff.id == Mandate.recorded_by)
        .outerjoin(MandateScan, MandateScan.mandate_id == Mandate.id)
        .order_by(Mandate.legal_name, Mandate.recorded_at)
    )
    return [
        Recorded(
            it.id, it.afm, it.legal_name, f"{who.firstname} {who.lastname}", who.taxid, it.basis, it.valid_from, it.valid_until,
            it.revoked_at, it.recorded_at, name, scan is not None,
        )
        for it, who, name, scan in rows
    ]  # fmt: skip


def chosen(found: Sequence[Recorded], q: str, state: str, sort: str, now: datetime) -> list[Recorded]:
    """Return the mandates in which every word of `q` occurs and that are in a state, sorted as SORTS says. Pure."""
    words = q.casefold().split()
    kept = [
        one
        for one in found
        if all(word in f"{one.legal_name} {one.afm} {one.person} {one.taxid} {one.basis}".casefold() for word in words)
        and (not state or one.state(now) == state)
    ]
    match sort:
        case "until":
            return sorted(kept, key=lambda one: (one.valid_until is None, one.valid_until or one.valid_from))
        case "-at":
            return sorted(kept, key=lambda one: one.recorded_at, reverse=True)
    return kept


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


def keep_scan(session: Session, mandate: uuid.UUID, name: str, media_type: str, content: bytes, *, staff: uuid.UUID, now: datetime) -> None:
    """Keep the scan of a deed, which was looked into before."""
    found = session.get_one(Mandate, mandate)
    digest = hashlib.sha256(content).digest()
    session.add(MandateScan(mandate_id=mandate, name=name, media_type=media_type, content=content, sha256=digest, made_at=now))
    journal.write(
        session, f"citizen:{found.citizen_id}", at=now, actor=f"staff:{staff}", act="identity.keep_mandate_scan", mandate=str(mandate),
        sha256=digest.hex(),
    )  # fmt: skip


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
