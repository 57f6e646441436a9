"""Accounts and machine tokens in the database. A name that is added again is changed."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from asty_cloud_api.staff import secret
from asty_cloud_api.staff.models import MachineToken, StaffAccount, StaffSession
from asty_cloud_api.staff.roles import Role


class AccountError(Exception):
    """An account or token that can't be kept so: says what was expected. Nothing was changed."""


def add(
    session: Session,
    username: str,
    name: str,
    roles: Iterable[Role],
    *,
    passphrase: str | None = None,
    email: str | None = None,
    least: int = secret.LEAST,
    demo: bool = False,
) -> StaffAccount:
    """Make an account, or give one of that username another name, roles and way in; it is signed out everywhere. Raises AccountError."""
    username, name, given = username.strip().lower(), " ".join(name.split()), sorted(set(roles))
    if not username or len(username) > 64 or any(c.isspace() for c in username):
        raise AccountError(f"username {username!r}: expected 1 to 64 characters without a blank")
    if not name or len(name) > 80:
        raise AccountError("a name has 1 to 80 characters: it is kept with what the person does")
    if not given:
        raise AccountError("an account has a role: " + ", ".join(Role))
    account = session.scalars(select(StaffAccount).where(StaffAccount.username == username)).one_or_none()
    if passphrase is not None:
        check(passphrase, username, least)
    elif not email and (account is None or account.passphrase_hash is None):
        raise AccountError("an account has a passphrase, or the e-mail address by which the directory knows it")
    if account is None:
        account = StaffAccount(id=uuid.uuid4(), username=username)
        session.add(account)
    account.name, account.roles, account.active, account.demo = name, [*given], True, demo
    if passphrase is not None:
        account.passphrase_hash = secret.kept(passphrase)
    if email:
        account.email, account.subject = email.strip().lower(), None
    session.flush()
    session.execute(delete(StaffSession).where(StaffSession.account == account.id))
    return account


def check(passphrase: str, username: str, least: int) -> None:
    """Raises AccountError for a passphrase that is among the first anybody tries."""
    if not least <= len(passphrase) <= secret.MOST:
        raise AccountError(f"a passphrase has {least} to {secret.MOST} characters: four words that do not belong together are good")
    if len(set(passphrase)) < 5 or username in passphrase.lower():
        raise AccountError("this passphrase is among the first that anybody tries: take another one, without the username")


def leave(session: Session, username: str) -> bool:
    """Let an account sign in no longer and sign it out; what it did keeps its name. Tell whether there was one."""
    chosen = update(StaffAccount).where(StaffAccount.username == username.strip().lower(), StaffAccount.active)
    gone = session.scalars(chosen.values(active=False, passphrase_hash=None, subject=None, email=None).returning(StaffAccount.id)).first()
    session.execute(delete(StaffSession).where(StaffSession.account == gone))
    return gone is not None


def everybody(session: Session) -> Sequence[StaffAccount]:
    return session.scalars(select(StaffAccount).where(StaffAccount.active).order_by(StaffAccount.username)).all()


def by_username(session: Session, username: str) -> StaffAccount | None:
    chosen = select(StaffAccount).where(StaffAccount.username == username.strip().lower(), StaffAccount.active)
    return session.scalars(chosen).one_or_none()


def by_directory(session: Session, subject: str, email: str) -> StaffAccount | None:
    """Return the account of somebody whom the directory knows: by its subject, or once by a verified e-mail address, which binds it."""
    chosen = select(StaffAccount).where(StaffAccount.active)
    found = session.scalars(chosen.where(StaffAccount.subject == subject)).one_or_none()
    if found is None and email:
        found = session.scalars(chosen.where(StaffAccount.email == email.lower(), StaffAccount.subject.is_(None))).one_or_none()
        if found is not None:
            found.subject = subject
    return found


def has_demo(session: Session) -> bool:
    return session.scalars(select(StaffAccount.id).where(StaffAccount.demo, StaffAccount.active)).first() is not None


def add_token(session: Session, name: str, roles: Iterable[Role], *, expires: datetime | None = None, token: str | None = None) -> str:
    """Make a machine token, or a new one of that name, which ends the older; return it: it is not kept. Raises AccountError."""
    name, given = " ".join(name.split()), sorted(set(roles))
    if not name or len(name) > 80 or not given:
        raise AccountError("a token has a name of 1 to 80 characters, and a role")
    token = token or secret.token()
    session.execute(delete(MachineToken).where(MachineToken.name == name))
    session.add(MachineToken(id=uuid.uuid4(), name=name, roles=[*given], token_hash=secret.hashed(token), expires=expires))
    session.flush()
    return token


def tokens(session: Session) -> Sequence[MachineToken]:
    return session.scalars(select(MachineToken).order_by(MachineToken.name)).all()


def end_token(session: Session, name: str) -> bool:
    """End a machine token; tell whether there was one."""
    return session.scalars(delete(MachineToken).where(MachineToken.name == name).returning(MachineToken.id)).first() is not None
