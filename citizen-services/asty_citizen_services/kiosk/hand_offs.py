"""A draft goes from the kiosk to a phone by a link that works once, and drafts of nobody are swept out."""

import uuid
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from asty_citizen_services.drafts import desk as drafts
from asty_citizen_services.drafts.models import Draft
from asty_citizen_services.identity import tokens
from asty_citizen_services.kiosk.models import HandOff

LASTS = timedelta(minutes=15)
NOBODYS = timedelta(hours=1)
"""How long a draft that nobody has signed for is kept."""

State = Literal["waiting", "opened", "taken", "over"]


def begin(session: Session, draft: Draft, device: uuid.UUID, now: datetime) -> str:
    """Return the token of a fresh link to a draft; links that nobody has opened don't work any more."""
    session.execute(delete(HandOff).where(HandOff.draft_id == draft.id, HandOff.opened_at.is_(None)))
    token = tokens.fresh()
    row = HandOff(token_hash=tokens.hashed(token), draft_id=draft.id, device_id=device, made_at=now, expires_at=now + LASTS)
    session.add(row)
    session.flush()
    return token


def found(session: Session, token: str, browser: bytes, now: datetime) -> HandOff | None:
    """Lock what a link leads to; None when it is unknown, too old, taken, or another phone has opened it."""
    row = session.scalars(
        select(HandOff)
        .where(HandOff.token_hash == tokens.hashed(token), HandOff.expires_at > now, HandOff.taken_at.is_(None))
        .with_for_update()
    ).one_or_none()
    return row if row is not None and row.browser_hash in (None, browser) else None


def opened(row: HandOff, browser: bytes, now: datetime) -> None:
    """Bind the link to the phone that goes on with it."""
    row.browser_hash, row.opened_at = browser, row.opened_at or now


def state(session: Session, draft: uuid.UUID, now: datetime) -> State:
    """Tell the kiosk what became of the newest link to a draft."""
    row = session.scalars(select(HandOff).where(HandOff.draft_id == draft).order_by(HandOff.made_at.desc()).limit(1)).one_or_none()
    if row is None:
        return "over"
    if row.taken_at is not None:
        return "taken"
    if row.expires_at <= now:
        return "over"
    return "waiting" if row.opened_at is None else "opened"


def withdraw(session: Session, draft: uuid.UUID) -> None:
    """Make every link to a draft that was not taken invalid: it was opened on a phone that is not the citizen's."""
    session.execute(delete(HandOff).where(HandOff.draft_id == draft, HandOff.taken_at.is_(None)))


def sweep(session: Session, browser: bytes | None, now: datetime) -> None:
    """Delete drafts of nobody: this kiosk's that no phone is taking over, and all that are older than an hour."""
    underway = exists().where(HandOff.draft_id == Draft.id, HandOff.expires_at > now, HandOff.opened_at.is_not(None))
    gone = Draft.changed_at < now - NOBODYS
    if browser is not None:
        gone = gone | ((Draft.browser_hash == browser) & ~underway)
    for draft in session.scalars(select(Draft).where(Draft.citizen_id.is_(None), Draft.filed_at.is_(None), gone)):
        drafts.give_up(session, draft)
