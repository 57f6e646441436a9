"""Keys that citizens give to programs, and how a program shows one: `Authorization: Bearer …` (RFC 6750). No cookie counts here."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database
from asty_citizen_services.identity import sessions, tokens
from asty_citizen_services.identity.visitor import CitizenVisitor
from asty_citizen_services.interface.models import ProgramKey
from asty_citizen_services.problems import ProblemError
from asty_citizen_services.rates import Limit

DAYS = (30, 90, 365)
MOST_KEYS = 10
NOTED = timedelta(minutes=5)
"""How exactly the time of a key's last use is kept."""
_BEARER = HTTPBearer(auto_error=False, description="A key that the citizen made on the page /me/programs.")


class TooManyKeysError(Exception):
    """The citizen has MOST_KEYS that hold."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A program with a key: it acts for `citizen`."""

    citizen: CitizenVisitor
    key: uuid.UUID
    may_file: bool


def give(session: Session, citizen: CitizenVisitor, name: str, *, may_file: bool, days: int, now: datetime) -> str:
    """Make a key and return it: it is shown once. Raises TooManyKeysError."""
    if len([one for one in of(session, citizen) if one.expires_at > now]) >= MOST_KEYS:
        raise TooManyKeysError
    token, key = tokens.fresh(), uuid.uuid4()
    mandate = citizen.acts_for.mandate if citizen.acts_for else None
    session.add(
        ProgramKey(
            id=key, token_hash=tokens.hashed(token), citizen_id=citizen.id, mandate_id=mandate, name=name, may_file=may_file,
            made_at=now, expires_at=now + timedelta(days=days), used_at=None, ended_at=None,
        )
    )  # fmt: skip
    journal.write(session, f"citizen:{citizen.id}", at=now, actor=citizen.actor, act="interface.give_key", key=str(key), may_file=may_file)
    return token


def of(session: Session, citizen: CitizenVisitor) -> Sequence[ProgramKey]:
    """Return a citizen's keys that were not taken back, newest first."""
    return session.scalars(
        select(ProgramKey).where(ProgramKey.citizen_id == citizen.id, ProgramKey.ended_at.is_(None)).order_by(ProgramKey.made_at.desc())
    ).all()


def take_back(session: Session, citizen: CitizenVisitor, key: uuid.UUID, now: datetime) -> None:
    """End a key at once. Raises sqlalchemy.exc.NoResultFound when it is not the citizen's."""
    found = session.scalars(select(ProgramKey).where(ProgramKey.id == key, ProgramKey.citizen_id == citizen.id)).one()
    found.ended_at = found.ended_at or now
    journal.write(session, f"citizen:{citizen.id}", at=now, actor=citizen.actor, act="interface.take_back_key", key=str(key))


class Door:
    """Lets programs in, each key 120 times a minute. Counted in this process."""

    def __init__(self) -> None:
        self._limit = Limit(120, 60)

    def read(self, request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Caller:
        """Return who calls. Raises ProblemError, TooOftenError."""
        if shown is None:
            raise ProblemError("no-key")
        database: Database = request.app.state.database
        now = datetime.now(UTC)
        with database.begin() as session:
            key = session.scalars(select(ProgramKey).where(ProgramKey.token_hash == tokens.hashed(shown.credentials))).one_or_none()
            if key is None or key.ended_at is not None or key.expires_at <= now:
                raise ProblemError("no-key")
            citizen = sessions.citizen(session, key.citizen_id, key.mandate_id, now)
            if key.mandate_id is not None and citizen.acts_for is None:
                raise ProblemError("no-key")
            if key.used_at is None or now - key.used_at > NOTED:
                key.used_at = now
            caller = Caller(citizen, key.id, key.may_file)
        self._limit.check(str(caller.key))
        return caller

    def file(self, request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Caller:
        """Return who calls, with a key that may write. Raises ProblemError, TooOftenError."""
        caller = self.read(request, shown)
        if not caller.may_file:
            raise ProblemError("reads-only")
        return caller
