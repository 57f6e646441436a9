"""The tables of the workflow."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class CaseModel(Base):
    """A version of a procedure's diagram, kept as long as a case runs on it."""

    __tablename__ = "case_model"

    digest: Mapped[str] = mapped_column(primary_key=True)
    procedure: Mapped[str]
    xml: Mapped[str]
    seats: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]


class CaseState(Base):
    """Where a case is. `state` is the engine's; `tokens` and `passed` are ids of the diagram's boxes; `next_term` when time moves it.

    `moved` names the departments that do the work of others since the case was sent on: whose, then by whom.
    """

    __tablename__ = "case_state"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.application.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(ForeignKey(f"{SCHEMA}.case_model.digest"))
    state: Mapped[str]
    tokens: Mapped[list[Any]]
    passed: Mapped[list[Any]]
    moved: Mapped[dict[str, Any]]
    ended: Mapped[str | None]
    next_term: Mapped[datetime | None] = mapped_column(index=True)
    changed_at: Mapped[datetime]


class CaseTask(Base):
    """A step that waits, or waited, for somebody: `seat` is citizen, cosigner, system or a department, there with a `role`."""

    __tablename__ = "case_task"

    token: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.application.id"), index=True)
    step: Mapped[str]
    seat: Mapped[str] = mapped_column(index=True)
    role: Mapped[str | None]
    since: Mapped[datetime]
    due_at: Mapped[datetime | None]
    claimed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.staff.id"), index=True)
    claimed_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None] = mapped_column(index=True)
    done_by: Mapped[str | None]
    outcome: Mapped[str | None]
    given: Mapped[dict[str, Any]]
    """What was given with the outcome: reason, department, questions."""
