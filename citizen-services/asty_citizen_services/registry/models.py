"""The tables of the protocol."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class ProtocolYear(Base):
    """The last number given in a year. Its row is locked until the filing commits: a rolled back filing leaves no gap."""

    __tablename__ = "protocol_year"

    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class Docket(Base):
    """One entry of the protocol. `direction` is `in` or `out`; cancelled entries stay, with the reason."""

    __tablename__ = "docket"
    __table_args__ = (UniqueConstraint("year", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    year: Mapped[int]
    number: Mapped[int]
    direction: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    department: Mapped[str]
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.application.id"), index=True)
    content_hash: Mapped[bytes]
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]
    cancelled_why: Mapped[str | None]

    @property
    def reference(self) -> str:
        """The number as people write it: `1234/2026`."""
        return f"{self.number}/{self.year}"


class Application(Base):
    """A citizen's application or report: what was asked, by whom, for whom, through which channel. `state` belongs to the workflow.

    `key` is unique for a filer: the same form sent twice is filed once. `version` names the procedure's folder as it was then.
    """

    __tablename__ = "application"
    __table_args__ = (UniqueConstraint("filed_by", "key"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    procedure: Mapped[str] = mapped_column(index=True)
    version: Mapped[str]
    citizen_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    mandate_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.mandate.id"))
    department: Mapped[str]
    channel: Mapped[str]
    language: Mapped[str]
    filed_by: Mapped[str]
    filed_at: Mapped[datetime] = mapped_column(index=True)
    key: Mapped[str]
    content_hash: Mapped[bytes]
    answers: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(index=True)
    changed_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
