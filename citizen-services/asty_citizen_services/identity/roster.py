"""The municipality's accounts as a list: who has which roles, which ways in, who is away and who stands in."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from asty_citizen_services.identity.models import Absence, Delegation, Passkey, Staff, StaffRole

SORTS: Mapping[str, str] = {"name": "By name", "-made": "Newest first", "-used": "Last signed in first"}
STATES: Mapping[str, str] = {"open": "In use", "shut": "Shut", "away": "Away now", "no_key": "No passkey yet"}

type State = Literal["open", "shut", "away", "no_key"]


@dataclass(frozen=True, slots=True)
class Account:
    """`roles` are (department, role), `used_at` when a passkey last let its holder in; `is_away` now."""

    id: uuid.UUID
    username: str
    name: str
    email: str
    roles: tuple[tuple[str, str], ...]
    passkeys: int
    used_at: datetime | None
    made_at: datetime
    ended_at: datetime | None
    is_away: bool

    @property
    def state(self) -> State:
        if self.ended_at is not None:
            return "shut"
        return "away" if self.is_away else "open" if self.passkeys else "no_key"


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody's absence; `substitutes` are the names of those who have his or her roles meanwhile."""

    id: uuid.UUID
    staff: uuid.UUID
    name: str
    begins_at: datetime
    ends_at: datetime
    reason: str
    substitutes: tuple[str, ...]

    def state(self, now: datetime) -> Literal["coming", "now", "over"]:
        return "coming" if now < self.begins_at else "now" if now < self.ends_at else "over"


def accounts(session: Session, now: datetime) -> list[Account]:
    """Read all accounts, by name."""
    roles: dict[uuid.UUID, list[tuple[str, str]]] = {}
    for one in session.scalars(select(StaffRole).order_by(StaffRole.department, StaffRole.role)):
        roles.setdefault(one.staff_id, []).append((one.department, one.role))
    keys = {
        who: (count, used)
        for who, count, used in session.execute(
            select(Passkey.staff_id, func.count(), func.max(Passkey.used_at)).group_by(Passkey.staff_id)
        )
    }
    away = set(session.scalars(select(Absence.staff_id).where(Absence.begins_at <= now, Absence.ends_at > now)))
    return [
        Account(
            it.id, it.username, it.name, it.email, tuple(roles.get(it.id, ())), *keys.get(it.id, (0, None)), it.made_at, it.ended_at,
            it.id in away,
        )
        for it in session.scalars(select(Staff).order_by(Staff.name))
    ]  # fmt: skip


def chosen(found: Sequence[Account], q: str, department: str, role: str, state: str, sort: str) -> list[Account]:
    """Return the accounts in which every word of `q` occurs and that fit the filters, sorted as SORTS says. Pure."""
    words = q.casefold().split()
    kept = [
        one
        for one in found
        if all(word in f"{one.name} {one.username} {one.email}".casefold() for word in words)
        and (not department or department in {place for place, _ in one.roles})
        and (not role or role in {what for _, what in one.roles})
        and (not state or state == one.state)
    ]
    match sort:
        case "-made":
            return sorted(kept, key=lambda one: one.made_at, reverse=True)
        case "-used":
            return sorted(kept, key=lambda one: (one.used_at is None, -(one.used_at.timestamp() if one.used_at else 0.0)))
    return sorted(kept, key=lambda one: one.name)


def absences(session: Session, people: Sequence[uuid.UUID] | None, now: datetime) -> list[Away]:
    """Read the absences of some people, or of all, that are not over for more than 90 days; the latest first."""
    taker = aliased(Staff)
    lent = session.execute(
        select(Delegation.from_id, Delegation.begins_at, Delegation.ends_at, taker.name)
        .join(taker, taker.id == Delegation.to_id)
        .where(Delegation.ended_at.is_(None))
        .distinct()
    ).all()
    wanted = (
        select(Absence, Staff.name)
        .join(Staff, Staff.id == Absence.staff_id)
        .where(Absence.ends_at > now - timedelta(days=90))
        .order_by(Absence.begins_at.desc())
    )
    if people is not None:
        wanted = wanted.where(Absence.staff_id.in_(people))
    return [
        Away(
            it.id, it.staff_id, name, it.begins_at, it.ends_at, it.reason,
            tuple(sorted(who for giver, begins, ends, who in lent if (giver, begins, ends) == (it.staff_id, it.begins_at, it.ends_at))),
        )
        for it, name in session.execute(wanted)
    ]  # fmt: skip


def days(first: str, last: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the moments from the beginning of the first local day to the end of the last; both as `2026-11-24`. Raises ValueError."""
    begins = datetime.combine(date.fromisoformat(first), time(), zone)
    return begins, datetime.combine(date.fromisoformat(last) + timedelta(days=1), time(), zone)
