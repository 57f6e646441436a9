"""The tables of the hand-over."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class HandoverEntry(Base):
    """An entry of the protocol on its way to the document system. `state`: waiting, sent, refused. `number` is the one it has there."""

    __tablename__ = "handover_entry"

    docket_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.docket.id"), primary_key=True)
    state: Mapped[str] = mapped_column(index=True)
    tries: Mapped[int]
    foreign_id: Mapped[str | None]
    number: Mapped[str | None]
    why: Mapped[str | None]
    made_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class HandoverEvent(Base):
    """A call of the document system by its own id, with what we answered: the same one again gets the same answer."""

    __tablename__ = "handover_event"

    id: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes]
    kind: Mapped[str]
    answer: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
