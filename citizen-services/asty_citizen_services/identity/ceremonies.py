"""A sign-in or a passkey's registration between its first page and its last: bound to one browser, taken out once."""

from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete
from sqlalchemy.orm import Session

from asty_citizen_services.identity import tokens
from asty_citizen_services.identity.models import Ceremony

Kind = Literal["taxisnet", "oidc", "passkey"]
LASTS = timedelta(minutes=10)


def begin(session: Session, kind: Kind, now: datetime, **data: Any) -> str:
    """Store what the last page needs and return the token for the browser's cookie. What has expired is swept out."""
    session.execute(delete(Ceremony).where(Ceremony.expires_at < now))
    token = tokens.fresh()
    session.add(Ceremony(token_hash=tokens.hashed(token), kind=kind, data=data, expires_at=now + LASTS))
    session.flush()
    return token


def take(session: Session, kind: Kind, token: str, now: datetime) -> dict[str, Any] | None:
    """Return what was stored, once; None when it is unknown, used or too old."""
    found = session.execute(
        delete(Ceremony)
        .where(Ceremony.token_hash == tokens.hashed(token), Ceremony.kind == kind, Ceremony.expires_at >= now)
        .returning(Ceremony.data)
    ).one_or_none()  # fmt: skip
    return found[0] if found else None
