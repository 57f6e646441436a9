"""Who is signed in where, in the database and for a few seconds in memory: an open page asks often."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from asty_process.postgres import is_away
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Session

from asty_cloud_api.staff import secret
from asty_cloud_api.staff.models import MachineToken, StaffAccount, StaffBrowser, StaffSession
from asty_cloud_api.staff.person import Person
from asty_cloud_api.staff.roles import Role

MOST = timedelta(hours=12)
"""A working day. Whoever is signed in longer signs in again."""
REST = timedelta(hours=2)
"""A session that nobody has used for so long has ended. A page that is open uses it."""
NOTED = timedelta(minutes=5)
KNOWN_BROWSER = timedelta(days=400)
REMEMBERED_SECONDS = 10.0
"""So long an account that was ended by command may still be let in."""
AWAY_SECONDS = 900.0
"""So long who was let in before is known while the database does not answer."""


@dataclass(slots=True)
class Book:
    """The room's handle on the database."""

    engine: AsyncEngine
    _seen: dict[bytes, tuple[Person, float]] = field(default_factory=dict)

    async def ask[T](self, work: Callable[[Session], T]) -> T:
        """Do something with a session in a transaction of its own. Raises SQLAlchemyError."""
        async with self.engine.begin() as connection:

            def run(bound: object) -> T:
                with Session(bind=bound, expire_on_commit=False) as session:  # type: ignore[arg-type]
                    done = work(session)
                    session.flush()
                    return done

            return await connection.run_sync(run)

    async def by_cookie(self, token: str | None) -> Person | None:
        """Return who is signed in in the browser that holds this token."""
        return await self._remembered(b"c", token, _by_cookie)

    async def by_bearer(self, token: str | None) -> Person | None:
        """Return the program that holds this token."""
        return await self._remembered(b"t", token, _by_bearer)

    async def begin(self, account: StaffAccount, before: str | None) -> str:
        """Sign somebody in; return the token for the cookie. The session that the browser had ends."""
        now, token = datetime.now(UTC), secret.token()

        def work(session: Session) -> None:
            session.execute(delete(StaffSession).where(StaffSession.expires < now))
            session.execute(delete(StaffSession).where(StaffSession.token_hash == secret.hashed(before or "")))
            session.add(StaffSession(token_hash=secret.hashed(token), account=account.id, made=now, seen=now, expires=now + MOST))

        await self.ask(work)
        return token

    async def end(self, token: str | None) -> None:
        """Sign the browser out."""
        its = secret.hashed(token or "")
        self._seen.pop(b"c" + its, None)
        await self.ask(lambda session: session.execute(delete(StaffSession).where(StaffSession.token_hash == its)))

    async def knows(self, browser: str | None) -> bool:
        """Tell whether somebody has signed in in this browser before."""
        its, since = secret.hashed(browser or ""), datetime.now(UTC) - KNOWN_BROWSER
        found = select(StaffBrowser.seen).where(StaffBrowser.token_hash == its, StaffBrowser.seen > since)
        return browser is not None and await self.ask(lambda session: session.scalar(found)) is not None

    async def remember(self, browser: str) -> None:
        """Know this browser from now on."""
        now = datetime.now(UTC)
        row = insert(StaffBrowser).values(token_hash=secret.hashed(browser), seen=now)
        await self.ask(lambda session: session.execute(row.on_conflict_do_update(index_elements=["token_hash"], set_={"seen": now})))

    async def _remembered(self, kind: bytes, token: str | None, find: Callable[[Session, bytes, datetime], Person | None]) -> Person | None:
        if not token:
            return None
        its = secret.hashed(token)
        person, until = self._seen.get(kind + its, (None, 0.0))
        if person is not None and time.monotonic() < until:
            return person
        try:
            found = await self.ask(lambda session: find(session, its, datetime.now(UTC)))
        except (SQLAlchemyError, OSError) as error:
            if person is None or not is_away(error):
                raise
            return person  # an open page goes on following what changes, and comes back with the database
        person = found
        self._seen = {key: known for key, known in self._seen.items() if known[1] + AWAY_SECONDS > time.monotonic()}
        self._seen.pop(kind + its, None)
        if person is not None:
            self._seen[kind + its] = person, time.monotonic() + REMEMBERED_SECONDS
        return person


def _by_cookie(session: Session, its: bytes, now: datetime) -> Person | None:
    held = session.get(StaffSession, its)
    if held is None or held.expires <= now or held.seen + REST <= now:
        return None
    if now - held.seen > NOTED:
        held.seen = now
    account = session.get_one(StaffAccount, held.account)
    return Person(account.name, _roles(account.roles)) if account.active else None


def _by_bearer(session: Session, its: bytes, now: datetime) -> Person | None:
    held = session.scalars(select(MachineToken).where(MachineToken.token_hash == its)).one_or_none()
    if held is None or (held.expires is not None and held.expires <= now):
        return None
    return Person(held.name, _roles(held.roles), is_program=True)


def _roles(names: list[str]) -> frozenset[Role]:
    """A role that this version does not know gives nothing."""
    return frozenset(Role(name) for name in names if name in set(Role))
