"""The accounts of staff: made and shut by an administrator, opened by their holder with a passkey."""

import uuid
from datetime import datetime, timedelta

from asty_process.environment import OperatorError
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.identity import sessions, tokens
from asty_citizen_services.identity.models import Absence, Delegation, Department, Invitation, Passkey, Staff, StaffRole
from asty_citizen_services.identity.roles import Role

INVITED_FOR = timedelta(days=7)


class AccountError(OperatorError):
    """What was asked of an account can't be done: says what and why. Nothing was changed."""


def add(session: Session, *, username: str, name: str, email: str, by: str, now: datetime) -> uuid.UUID:
    """Make an account without roles and without a way in. Raises AccountError."""
    if session.scalar(select(Staff.id).where(Staff.username == username)) is not None:
        raise AccountError(f"there is an account {username} already")
    staff = uuid.uuid4()
    session.add(Staff(id=staff, username=username, name=name, email=email, oidc_subject=None, made_at=now, ended_at=None))
    session.flush()
    journal.write(session, f"staff:{staff}", at=now, actor=by, act="identity.add_account", username=username)
    return staff


def named(session: Session, username: str) -> uuid.UUID:
    """Return the account with this name. Raises AccountError."""
    found = session.scalar(select(Staff.id).where(Staff.username == username))
    if found is None:
        raise AccountError(f"there is no account {username}")
    return found


def grant(session: Session, staff: uuid.UUID, department: str, role: Role, *, by: str, now: datetime) -> None:
    """Give a role in a department. Raises AccountError."""
    if session.get(Department, department) is None:
        raise AccountError(f"there is no department {department}: asty-citizen-services departments import brings them")
    row = insert(StaffRole).values(staff_id=staff, department=department, role=role, given_at=now, given_by=by)
    session.execute(row.on_conflict_do_nothing())
    journal.write(session, f"staff:{staff}", at=now, actor=by, act="identity.grant", department=department, role=role)


def withdraw(session: Session, staff: uuid.UUID, department: str, role: Role, *, by: str, now: datetime) -> None:
    """Take a role away; what the officer has lent of it ends with it."""
    session.execute(delete(StaffRole).where(StaffRole.staff_id == staff, StaffRole.department == department, StaffRole.role == role))
    journal.write(session, f"staff:{staff}", at=now, actor=by, act="identity.withdraw", department=department, role=role)


def invite(session: Session, staff: uuid.UUID, *, by: str, now: datetime) -> str:
    """Return the token of a link by which the holder registers a passkey; an older link of the account ends."""
    session.execute(delete(Invitation).where(Invitation.staff_id == staff, Invitation.used_at.is_(None)))
    token = tokens.fresh()
    session.add(
        Invitation(token_hash=tokens.hashed(token), staff_id=staff, made_at=now, made_by=by, expires_at=now + INVITED_FOR, used_at=None)
    )
    session.flush()
    journal.write(session, f"staff:{staff}", at=now, actor=by, act="identity.invite")
    return token


def invited(session: Session, token: str, now: datetime) -> Invitation | None:
    """Return the invitation behind a link, locked; None when it is unknown, used or too old, or its account is shut."""
    return session.scalars(
        select(Invitation)
        .join(Staff, Staff.id == Invitation.staff_id)
        .where(
            Invitation.token_hash == tokens.hashed(token), Invitation.used_at.is_(None), Invitation.expires_at > now,
            Staff.ended_at.is_(None),
        )
        .with_for_update(of=Invitation)
    ).one_or_none()  # fmt: skip


def shut(session: Session, staff: uuid.UUID, *, by: str, now: datetime) -> None:
    """Shut an account at once: it is signed out everywhere and its passkeys open nothing; its past acts keep its name."""
    session.get_one(Staff, staff).ended_at = now
    sessions.end_all_of_staff(session, staff)
    journal.write(session, f"staff:{staff}", at=now, actor=by, act="identity.shut_account")


def reopen(session: Session, staff: uuid.UUID, *, by: str, now: datetime) -> None:
    """Open a shut account again, with the roles that it had."""
    session.get_one(Staff, staff).ended_at = None
    journal.write(session, f"staff:{staff}", at=now, actor=by, act="identity.reopen_account")


def reset(session: Session, staff: uuid.UUID, *, by: str, now: datetime) -> str:
    """Take all passkeys of an account away, sign it out everywhere, and return the token of a link that registers a new one."""
    session.execute(delete(Passkey).where(Passkey.staff_id == staff))
    sessions.end_all_of_staff(session, staff)
    journal.write(session, f"staff:{staff}", at=now, actor=by, act="identity.reset_passkeys")
    return invite(session, staff, by=by, now=now)


def delegate(
    session: Session,
    giver: uuid.UUID,
    taker: uuid.UUID,
    department: str,
    role: Role,
    begins: datetime,
    ends: datetime,
    *,
    by: str,
    now: datetime,
) -> uuid.UUID:
    """Lend a role for a time. Only a role of one's own can be lent, and never one's administration of accounts. Raises AccountError."""
    if session.get(StaffRole, (giver, department, role)) is None:
        raise AccountError(f"the role {role} in {department} is not this account's own: what is lent can't be lent on")
    if role is Role.ADMINISTRATOR:
        raise AccountError("the administration of accounts can't be lent: give the role to the other account")
    if giver == taker or ends <= begins or ends <= now:
        raise AccountError("a delegation goes to somebody else and ends after it begins, in the future")
    made = uuid.uuid4()
    session.add(
        Delegation(
            id=made, from_id=giver, to_id=taker, department=department, role=role, begins_at=begins, ends_at=ends, made_by=by, made_at=now,
            ended_at=None,
        )
    )  # fmt: skip
    session.flush()
    journal.write(session, f"staff:{giver}", at=now, actor=by, act="identity.delegate", to=str(taker), department=department, role=role)
    return made


def be_absent(session: Session, staff: uuid.UUID, begins: datetime, ends: datetime, reason: str, *, by: str, now: datetime) -> uuid.UUID:
    """Note days on which somebody is away. Raises AccountError."""
    if ends <= begins:
        raise AccountError("an absence ends after it begins")
    made = uuid.uuid4()
    session.add(Absence(id=made, staff_id=staff, begins_at=begins, ends_at=ends, reason=reason, made_at=now))
    session.flush()
    journal.write(session, f"staff:{staff}", at=now, actor=by, act="identity.be_absent")
    return made


def stand_in(
    session: Session, away: uuid.UUID, substitute: uuid.UUID | None, begins: datetime, ends: datetime, reason: str, *, by: str,
    now: datetime,
) -> uuid.UUID:  # fmt: skip
    """Note an absence and lend every role of whoever is away, but the administration of accounts, to a substitute. Raises AccountError."""
    if ends <= now:
        raise AccountError("these days are over")
    if substitute is not None and session.scalar(select(Staff.id).where(Staff.id == substitute, Staff.ended_at.is_(None))) is None:
        raise AccountError("the substitute has no open account")
    made = be_absent(session, away, begins, ends, reason, by=by, now=now)
    if substitute is not None:
        for one in session.scalars(select(StaffRole).where(StaffRole.staff_id == away, StaffRole.role != Role.ADMINISTRATOR)).all():
            delegate(session, away, substitute, one.department, Role(one.role), begins, ends, by=by, now=now)
    return made


def come_back(session: Session, absence: uuid.UUID, *, by: str, now: datetime) -> None:
    """End an absence at once, or take one back that has not begun; what was lent for its days ends with it."""
    found = session.get_one(Absence, absence)
    session.execute(
        update(Delegation)
        .where(
            Delegation.from_id == found.staff_id, Delegation.begins_at == found.begins_at, Delegation.ends_at == found.ends_at,
            Delegation.ended_at.is_(None),
        )
        .values(ended_at=now)
    )  # fmt: skip
    if found.begins_at >= now:
        session.delete(found)
    else:
        found.ends_at = min(found.ends_at, now)
    journal.write(session, f"staff:{found.staff_id}", at=now, actor=by, act="identity.come_back")


def absent(session: Session, now: datetime) -> set[uuid.UUID]:
    """Return who is away now."""
    return set(session.scalars(select(Absence.staff_id).where(Absence.begins_at <= now, Absence.ends_at > now)))


def is_absent(session: Session, staff: uuid.UUID, now: datetime) -> bool:
    """Tell whether somebody is away now."""
    found = select(Absence.id).where(Absence.staff_id == staff, Absence.begins_at <= now, Absence.ends_at > now).limit(1)
    return session.scalar(found) is not None
