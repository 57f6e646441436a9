"""The protocol number: per year, without gaps, never used again."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.registry.models import Docket

Clock = Callable[[], datetime]
Direction = Literal["in", "out"]

_NEXT = text("""
    INSERT INTO protocol_year AS y (year, last) VALUES (:year, 1)
    ON CONFLICT (year) DO UPDATE SET last = y.last + 1 RETURNING last
""")
_PUT_BACK = text("UPDATE protocol_year SET last = last - 1 WHERE year = :year")


class CancelledAlreadyError(Exception):
    """The entry of the protocol was cancelled before; its reason stands."""


def utc_now() -> datetime:
    """Return the time that a number is given at."""
    return datetime.now(UTC)


def enter(
    session: Session,
    *,
    direction: Direction,
    issuer: str,
    subject: str,
    department: str,
    content_hash: bytes,
    zone: ZoneInfo,
    application: uuid.UUID | None = None,
    clock: Clock = utc_now,
) -> Docket:
    """Give the next number of the local year. It is locked until the transaction ends: commit soon, and nothing is lost by a rollback.

    The time is read after the lock is held, so that a higher number never has an earlier time.
    """
    while True:
        year = clock().astimezone(zone).year
        number = session.execute(_NEXT, {"year": year}).scalar_one()
        at = clock()
        if at.astimezone(zone).year == year:
            break
        session.execute(_PUT_BACK, {"year": year})  # the year ended while we waited
    docket = Docket(
        id=uuid.uuid4(), year=year, number=number, direction=direction, at=at, issuer=issuer, subject=subject, department=department,
        application_id=application, content_hash=content_hash, cancelled_at=None, cancelled_by=None, cancelled_why=None,
    )  # fmt: skip
    session.add(docket)
    session.flush()
    return docket


def cancel(session: Session, docket: uuid.UUID, *, actor: str, why: str, now: datetime) -> Docket:
    """Cancel an entry: it stays, with who and why, and its number is not given again. Raises CancelledAlreadyError, NoResultFound."""
    found = session.scalars(select(Docket).where(Docket.id == docket).with_for_update()).one()
    if found.cancelled_at is not None:
        raise CancelledAlreadyError(f"{found.reference} was cancelled at {found.cancelled_at.isoformat()} by {found.cancelled_by}")
    found.cancelled_at, found.cancelled_by, found.cancelled_why = now, actor, why
    journal.write(session, f"docket:{found.id}", at=now, actor=actor, act="registry.cancel", reference=found.reference, why=why)
    return found
