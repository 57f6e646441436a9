"""The tables of accounts, sessions and machine tokens. Of a secret only its hash is kept."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from asty_cloud_api.fleet.models import Base


class StaffAccount(Base):
    """Who may sign in: by passphrase (Argon2), by the directory (`subject`, or `email` until it is known), or both.

    `demo` accounts have a passphrase that everybody knows: production does not start with one.
    """

    __tablename__ = "staff_account"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    passphrase_hash: Mapped[str | None]
    subject: Mapped[str | None] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    demo: Mapped[bool] = mapped_column(server_default=text("false"))
    made: Mapped[datetime] = mapped_column(server_default=text("now()"))


class StaffSession(Base):
    """A browser in which somebody is signed in."""

    __tablename__ = "staff_session"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account: Mapped[uuid.UUID] = mapped_column(ForeignKey("fleet.staff_account.id", ondelete="CASCADE"))
    made: Mapped[datetime]
    seen: Mapped[datetime]
    expires: Mapped[datetime]


class StaffBrowser(Base):
    """A browser in which somebody has signed in before: it has a budget of wrong tries of its own."""

    __tablename__ = "staff_browser"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    seen: Mapped[datetime]


class MachineToken(Base):
    """A program that reads or writes: Grafana, a third party's client."""

    __tablename__ = "machine_token"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    roles: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires: Mapped[datetime | None]
