"""Who is signed in where. A session ends after a time of rest, and after a working day at most."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from asty_citizen_services.identity import tokens
from asty_citizen_services.identity.models import Citizen, Delegation, Mandate, SignedIn, Staff, StaffRole
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import ActsFor, CitizenVisitor, Granted, StaffVisitor, Visitor

REST = {"citizen": timedelta(minutes=30), "staff": timedelta(minutes=60)}
MOST = {"citizen": timedelta(hours=8), "staff": timedelta(hours=12)}
NOTED = timedelta(seconds=60)  # how exactly the time of the last request is kept


def begin(session: Session, now: datetime, *, citizen: uuid.UUID | None = None, staff: uuid.UUID | None = None) -> str:
    """Sign somebody in and return the token for the cookie. Ended sessions are swept out on the way."""
    session.execute(delete(SignedIn).where(SignedIn.expires_at < now))
    token = tokens.fresh()
    kind = "citizen" if citizen else "staff"
    session.add(
        SignedIn(
            token_hash=tokens.hashed(token), citizen_id=citizen, staff_id=staff, mandate_id=None,
            made_at=now, seen_at=now, expires_at=now + MOST[kind],
        )
    )  # fmt: skip
    session.flush()
    return token


def end(session: Session, token: str) -> None:
    """Sign out the browser that holds the token."""
    session.execute(delete(SignedIn).where(SignedIn.token_hash == tokens.hashed(token)))


def end_all_of_staff(session: Session, staff: uuid.UUID) -> None:
    """Sign an account out everywhere."""
    session.execute(delete(SignedIn).where(SignedIn.staff_id == staff))


def visitor(session: Session, token: str, now: datetime) -> Visitor | None:
    """Return who holds the token, None when nobody does or the session has ended."""
    with_citizen = select(SignedIn, Citizen).outerjoin(Citizen, Citizen.id == SignedIn.citizen_id)
    row = session.execute(with_citizen.where(SignedIn.token_hash == tokens.hashed(token))).one_or_none()
    if row is None:
        return None
    held = row[0]  # the citizen beside it is in the session now, and not asked for again
    kind = "citizen" if held.citizen_id else "staff"
    if held.expires_at <= now or held.seen_at + REST[kind] <= now:
        session.delete(held)
        return None
    if now - held.seen_at > NOTED:
        held.seen_at = now
    return citizen(session, held.citizen_id, held.mandate_id, now) if held.citizen_id else _staff(session, held, now)


def act_for(session: Session, token: str, mandate: uuid.UUID | None) -> None:
    """Let the session act for a legal person, or for the citizen alone again. Whether the mandate holds, `visitor` asks each time."""
    held = session.get_one(SignedIn, tokens.hashed(token))
    held.mandate_id = mandate


def granted(session: Session, staff: uuid.UUID, now: datetime) -> tuple[Granted, ...]:
    """Return the roles that count now: own, and those that others have lent."""
    own = session.scalars(select(StaffRole).where(StaffRole.staff_id == staff).order_by(StaffRole.department, StaffRole.role))
    lent: Sequence[tuple[Delegation, str]] = session.execute(
        select(Delegation, Staff.name)
        .join(Staff, Staff.id == Delegation.from_id)
        .join(
            StaffRole,
            (StaffRole.staff_id == Delegation.from_id)
            & (StaffRole.department == Delegation.department)
            & (StaffRole.role == Delegation.role),
        )
        .where(Delegation.to_id == staff, Delegation.begins_at <= now, Delegation.ends_at > now, Delegation.ended_at.is_(None))
        .order_by(Delegation.department, Delegation.role)
    ).all()  # fmt: skip
    return (
        *(Granted(one.department, Role(one.role)) for one in own),
        *(Granted(one.department, Role(one.role), name, one.ends_at) for one, name in lent),
    )


def citizen(session: Session, who: uuid.UUID, for_whom: uuid.UUID | None, now: datetime) -> CitizenVisitor:
    """Return a citizen as a visitor, who acts for a legal person while that mandate holds."""
    it = session.get_one(Citizen, who)
    acts_for = None
    if for_whom is not None:
        mandate = session.scalars(
            select(Mandate).where(
                Mandate.id == for_whom, Mandate.citizen_id == it.id, Mandate.revoked_at.is_(None), Mandate.valid_from <= now,
                or_(Mandate.valid_until.is_(None), Mandate.valid_until > now),
            )
        ).one_or_none()  # fmt: skip
        acts_for = ActsFor(mandate.id, mandate.afm, mandate.legal_name) if mandate else None
    return CitizenVisitor(it.id, it.taxid, it.lastname, it.firstname, it.fathername, it.mothername, it.birthyear, acts_for)


def _staff(session: Session, held: SignedIn, now: datetime) -> StaffVisitor | None:
    it = session.get_one(Staff, held.staff_id)
    if it.ended_at is not None and it.ended_at <= now:
        session.delete(held)
        return None
    return StaffVisitor(it.id, it.username, it.name, granted(session, it.id, now))
