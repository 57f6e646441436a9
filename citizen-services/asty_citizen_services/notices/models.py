"""The outbox of notices."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class Notice(Base):
    """A notice to a citizen: `template` names the text, `values` fill it. `key` is unique: nothing is told twice."""

    __tablename__ = "notice"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    about: Mapped[str] = mapped_column(index=True)
    template: Mapped[str]
    language: Mapped[str]
    values: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
