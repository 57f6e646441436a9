"""The table of the office."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class CaseNote(Base):
    """A note among officers; no citizen sees it on the case's page."""

    __tablename__ = "case_note"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.application.id"), index=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"))
    text: Mapped[str]
    made_at: Mapped[datetime]
