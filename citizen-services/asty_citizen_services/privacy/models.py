"""The tables of legal holds and of what people ask of their data."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class LegalHold(Base):
    """A case that is kept whatever its retention says, such as for a court; until it is ended."""

    __tablename__ = "legal_hold"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.application.id"), index=True)
    why: Mapped[str]
    placed_by: Mapped[str]
    placed_at: Mapped[datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class DataRequest(Base):
    """What somebody asked of his or her data. `kind` and `way` are of `requests.KINDS` and `WAYS`; `state` is open, done or refused."""

    __tablename__ = "data_request"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    kind: Mapped[str]
    way: Mapped[str]
    words: Mapped[str]
    recorded_by: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    answer: Mapped[str]
    decided_by: Mapped[str | None]
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    extended: Mapped[bool]
