"""A case as its officers see it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.bpmn.model import Model, Step
from asty_citizen_services.drafts.models import Upload
from asty_citizen_services.identity import accounts
from asty_citizen_services.identity.models import Citizen, Mandate, MandateScan, Staff
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.office import rights
from asty_citizen_services.office.models import CaseNote
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.workflow.models import CaseState, CaseTask

WHO = {"bank": "Bank", "citizen": "Citizen", "system": "System", "time": "Deadline passed"}


@dataclass(frozen=True, slots=True)
class Work:
    """A task of the case that the officer who asks may do. `is_mine`: claimed; `holder` who has it else, and whether he or she is away."""

    task: CaseTask
    step: Step
    holder: str | None
    is_mine: bool
    heads: bool
    holder_away: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A step that is behind: what was done, by whom, how it ended and why."""

    at: datetime
    step: str
    who: str
    outcome: str
    reason: str
    english: tuple[str, str]


@dataclass(frozen=True, slots=True)
class View:
    """All of one case. `mandate` is by what it was filed for a legal person; `has_deed` whether its scan was kept."""

    application: Application
    docket: Docket
    citizen: Citizen | None
    state: CaseState
    model: Model
    work: Sequence[Work]
    events: Sequence[Event]
    files: Sequence[Upload]
    notes: Sequence[tuple[CaseNote, str]]
    mandate: Mandate | None = None
    has_deed: bool = False


def read(session: Session, case: uuid.UUID, officer: StaffVisitor, model: Model, now: datetime) -> View | None:
    """Read a case; None when there is none, or when none of its departments is the officer's."""
    row = session.execute(
        select(Application, Docket, Citizen, CaseState)
        .join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
        .join(CaseState, CaseState.application_id == Application.id)
        .outerjoin(Citizen, Citizen.id == Application.citizen_id)
        .where(Application.id == case)
        .order_by(Docket.at)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    application, docket, citizen, state = row
    tasks = session.scalars(select(CaseTask).where(CaseTask.application_id == case).order_by(CaseTask.since)).all()
    if not rights.may_read(officer, {application.department, *(task.seat for task in tasks)}):
        return None
    names = {one.id: one.name for one in session.scalars(select(Staff))}
    away = accounts.absent(session, now)
    waiting = [task for task in tasks if task.done_at is None and rights.may_do(officer, task.seat, task.role)]
    work = [
        Work(
            task, model.steps[task.step], names.get(task.claimed_by) if task.claimed_by else None, task.claimed_by == officer.id,
            rights.heads(officer, task.seat), task.claimed_by in away,
        )
        for task in waiting
    ]  # fmt: skip
    events = [_event(task, model, names) for task in tasks if task.done_at is not None]
    files = session.scalars(select(Upload).where(Upload.application_id == case).order_by(Upload.made_at)).all()
    notes = session.execute(
        select(CaseNote, Staff.name)
        .join(Staff, Staff.id == CaseNote.staff_id)
        .where(CaseNote.application_id == case)
        .order_by(CaseNote.made_at)
    )
    mandate = session.get(Mandate, application.mandate_id) if application.mandate_id else None
    return View(
        application, docket, citizen, state, model, work, sorted(events, key=lambda one: one.at), files, notes.all(), mandate,
        mandate is not None and session.scalar(select(MandateScan.mandate_id).where(MandateScan.mandate_id == mandate.id)) is not None,
    )  # fmt: skip


def _event(task: CaseTask, model: Model, names: dict[uuid.UUID, str]) -> Event:
    step = model.steps[task.step]
    outcome = step.outcome(task.outcome) if task.outcome else None
    kind, _, who = (task.done_by or "").partition(":")
    name = names.get(uuid.UUID(who), "") if kind == "staff" else WHO.get(kind, kind)
    assert task.done_at is not None
    return Event(
        task.done_at, step.name, name, outcome.name if outcome else "", str(task.given.get("reason") or task.given.get("objection") or ""),
        (step.english, outcome.english if outcome else ""),
    )  # fmt: skip
