"""The table of legal holds."""

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
