"""The tables of the call centre."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class Call(Base):
    """A call that an agent has taken; `check_id` is how the caller was recognised, empty until then."""

    __tablename__ = "call"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"), index=True)
    check_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.identity_check.id"))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class CallNote(Base):
    """What the agent noted of a call."""

    __tablename__ = "call_note"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    call_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.call.id"), index=True)
    text: Mapped[str]
    made_at: Mapped[datetime]


class CallDraft(Base):
    """A form that is filled in during a call; the draft itself may be given up and gone."""

    __tablename__ = "call_draft"

    draft_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    call_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.call.id"), primary_key=True, index=True)


class Handoff(Base):
    """A link by which a caller goes on with a form: once, until `expires_at`, with a code that goes to `phone` alone.

    `browser_hash` is of the cookie of the browser that opened it; `ended_at` when it was filed there or withdrawn.
    """

    __tablename__ = "handoff"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    call_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.call.id"), index=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    draft_id: Mapped[uuid.UUID]
    procedure: Mapped[str]
    phone: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    browser_hash: Mapped[bytes | None] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
