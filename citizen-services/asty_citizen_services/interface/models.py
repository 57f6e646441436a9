"""The table of keys."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class ProgramKey(Base):
    """A key that a citizen gave to a program, to act for him or for the legal person of `mandate_id`; this row holds its hash."""

    __tablename__ = "program_key"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    mandate_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.mandate.id"))
    name: Mapped[str]
    may_file: Mapped[bool]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
