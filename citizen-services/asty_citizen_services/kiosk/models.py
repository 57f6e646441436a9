"""The tables of kiosks."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class KioskDevice(Base):
    """A screen that the municipality has put up. Its cookie holds a token, this row the hash; the invitation registers it once."""

    __tablename__ = "kiosk_device"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    invitation_hash: Mapped[bytes | None] = mapped_column(unique=True)
    invited_until: Mapped[datetime | None]
    token_hash: Mapped[bytes | None] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    registered_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class HandOff(Base):
    """A draft on its way from a kiosk to a phone. The phone that opens the link first (`browser_hash`) is the one that may take it."""

    __tablename__ = "kiosk_hand_off"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    draft_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.draft.id", ondelete="CASCADE"), index=True)
    device_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.kiosk_device.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    browser_hash: Mapped[bytes | None]
    opened_at: Mapped[datetime | None]
    taken_at: Mapped[datetime | None]
