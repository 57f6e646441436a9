"""Tickets: what a person has to look at on a bin."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from asty_cloud_api.fleet.models import Base


class Ticket(Base):
    """`kind` and `detail` (other, tag, metres) are a finding of board.tickets; at most one is open for a bin."""

    __tablename__ = "ticket"
    __table_args__ = (Index("one_open_ticket", "bin", unique=True, postgresql_where=text("state = 'open'")),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    bin: Mapped[str] = mapped_column(ForeignKey("fleet.bin.id", ondelete="CASCADE"))
    first: Mapped[datetime]
    last: Mapped[datetime]
    times: Mapped[int]
    detail: Mapped[Any] = mapped_column(JSONB)
    state: Mapped[str]
    note: Mapped[str | None]
    opened: Mapped[datetime] = mapped_column(server_default=text("now()"))
    closed: Mapped[datetime | None]
    closed_by: Mapped[str | None]
