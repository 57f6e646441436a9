"""The tables of the audit. The database itself refuses to change or delete an entry."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import Base


class AuditEntry(Base):
    """One act or read. `hash` covers all other columns and `before`, the hash of the entry before it in the stream."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_subject_at", "subject", "at"), Index("ix_audit_entry_actor_at", "actor", "at"))

    stream: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    act: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]]
    before: Mapped[bytes]
    hash: Mapped[bytes]


class AuditHead(Base):
    """The end of each stream. Its row is locked while an entry is added, so that a stream is one chain."""

    __tablename__ = "audit_head"

    stream: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    hash: Mapped[bytes]
