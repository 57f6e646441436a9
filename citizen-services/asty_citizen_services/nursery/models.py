"""The tables of the nurseries' lists."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class NurseryList(Base):
    """A published ranking, frozen: `kind` is provisional or final, `places` the lists by station as they were, without names.

    `document_id` is its signed PDF; until `objections_until` whoever stands on a provisional one may object.
    """

    __tablename__ = "nursery_list"
    __table_args__ = (UniqueConstraint("year", "version", name="uq_nursery_list_year_version"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    year: Mapped[int]
    version: Mapped[int]
    kind: Mapped[str]
    places: Mapped[dict[str, Any]]
    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.document.id"))
    published_at: Mapped[datetime]
    published_by: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"))
    objections_until: Mapped[datetime | None]


class NurseryObjection(Base):
    """One applicant's objection to a list. `outcome`: accepted or denied; `points` what they are to be, when accepted."""

    __tablename__ = "nursery_objection"
    __table_args__ = (UniqueConstraint("list_id", "application_id", name="uq_nursery_objection_list_id_application_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    list_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.nursery_list.id"))
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.application.id"), index=True)
    text: Mapped[str]
    at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"))
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    points: Mapped[int | None]


class NurseryWithdrawal(Base):
    """A child whose place, or wait for one, was given up. `by` is the citizen or the officer who wrote it down."""

    __tablename__ = "nursery_withdrawal"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.application.id"), primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
