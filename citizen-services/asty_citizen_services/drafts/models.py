"""The tables of drafts."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class Draft(Base):
    """A form that is being filled in. `amends` is the application whose file it completes.

    `citizen_id` is None while nobody has signed for it: at a kiosk, before the sign-in or the hand-off to a phone.

    `browser_hash` names the browser that wrote last: what it sends after its session has ended is still kept.
    """

    __tablename__ = "draft"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    procedure: Mapped[str]
    citizen_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    mandate_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.mandate.id"))
    amends: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.application.id"), index=True)
    answers: Mapped[dict[str, Any]]
    browser_hash: Mapped[bytes]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime] = mapped_column(index=True)
    filed_at: Mapped[datetime | None]


class Upload(Base):
    """A file as we keep it: looked into, cleaned, with its hash. It belongs to a draft, and to the application once that is filed."""

    __tablename__ = "upload"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.draft.id"), index=True)
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.application.id"), index=True)
    question: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    content: Mapped[bytes]
    sha256: Mapped[bytes]
    made_at: Mapped[datetime]
