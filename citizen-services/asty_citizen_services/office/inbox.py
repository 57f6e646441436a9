"""What waits for an officer: read, searched, filtered, sorted, exported."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.bpmn.model import Model
from asty_citizen_services.identity import accounts
from asty_citizen_services.identity.models import Citizen, Staff
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.municipal.registers import folded
from asty_citizen_services.office import rights
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.workflow.models import CaseState, CaseTask

SORTS: Mapping[str, str] = {"due": "Deadline first", "since": "Waiting longest", "-filed": "Newest first", "procedure": "By procedure"}
WHOSE: Mapping[str, str] = {"": "Everybody's", "mine": "Mine", "free": "Nobody's yet"}
MOST = 200

type Lookup = Callable[[Session, uuid.UUID], Model]
"""Finds the diagram that a case runs on."""


@dataclass(frozen=True, slots=True)
class Line:
    """One task that waits. `due_at` is the department's term; `lent_by` who lent the officer the role that it needs.

    `state` is the application's; `holder_away` that whoever has the task is absent, so that it may be taken over; `came_from` is the
    department that sent the case on.
    """

    token: uuid.UUID
    case: uuid.UUID
    reference: str
    procedure: str
    subject: str
    applicant: str
    department: str
    step: str
    filed_at: datetime
    since: datetime
    due_at: datetime | None
    holder: str | None
    is_mine: bool
    lent_by: str | None
    state: str = ""
    holder_away: bool = False
    came_from: str | None = None

    def is_overdue(self, now: datetime) -> bool:
        return self.due_at is not None and self.due_at < now


def lines(session: Session, officer: StaffVisitor, model: Lookup, lang: str, now: datetime) -> list[Line]:
    """Read the tasks that wait for an officer's roles, own and lent."""
    rows = session.execute(
        select(CaseTask, Application, Docket, Citizen, Staff.name, CaseState.moved)
        .join(Application, Application.id == CaseTask.application_id)
        .join(CaseState, CaseState.application_id == Application.id)
        .join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
        .outerjoin(Citizen, Citizen.id == Application.citizen_id)
        .outerjoin(Staff, Staff.id == CaseTask.claimed_by)
        .where(CaseTask.done_at.is_(None), CaseTask.seat.in_(rights.desks(officer)))
    )
    away = accounts.absent(session, now)
    found = []
    for task, application, docket, citizen, holder, moved in rows:
        if not rights.may_do(officer, task.seat, task.role):
            continue
        step = model(session, application.id).steps[task.step]
        found.append(
            Line(
                task.token, application.id, docket.reference, application.procedure, docket.subject,
                f"{citizen.firstname} {citizen.lastname}" if citizen else "", task.seat, step.english if lang == "en" else step.name,
                docket.at, task.since, task.due_at, holder, task.claimed_by == officer.id, _lent(officer, task),
                application.state, task.claimed_by in away,
                next((whose for whose, by in moved.items() if by == task.seat != whose), None),
            )
        )  # fmt: skip
    return found


def chosen(
    found: Sequence[Line], q: str, procedure: str, department: str, whose: str, sort: str, state: str = "", now: datetime | None = None
) -> list[Line]:
    """Return the lines in which every word of `q` occurs and that fit the filters, sorted as SORTS says.

    `state` is an application's, or `overdue`, which needs `now`.
    """
    words = folded(q).split()
    kept = [
        one
        for one in found
        if all(any(word in said for said in folded(f"{one.reference} {one.subject} {one.applicant}").split()) for word in words)
        and procedure in ("", one.procedure)
        and department in ("", one.department)
        and (state in ("", one.state) or (state == "overdue" and now is not None and one.is_overdue(now)))
        and (whose == "" or (whose == "mine" and one.is_mine) or (whose == "free" and one.holder is None))
    ]
    match sort:
        case "since":
            return sorted(kept, key=lambda one: one.since)
        case "-filed":
            return sorted(kept, key=lambda one: one.filed_at, reverse=True)
        case "procedure":
            return sorted(kept, key=lambda one: (folded(one.subject), one.since))
    return sorted(kept, key=lambda one: (one.due_at is None, one.due_at or one.since, one.since))


def rows(found: Sequence[Line], zone: ZoneInfo) -> list[tuple[object, ...]]:
    """Return lines for a spreadsheet; times local with their offset."""
    return [
        (
            one.reference, one.subject, one.applicant, one.step,
            *(moment.astimezone(zone).isoformat(timespec="seconds") for moment in (one.filed_at, one.since)),
            one.due_at.astimezone(zone).date().isoformat() if one.due_at else "", one.holder or "",
        )
        for one in found
    ]  # fmt: skip


def _lent(officer: StaffVisitor, task: CaseTask) -> str | None:
    mine = [one for one in officer.granted if one.department == task.seat and one.role in (task.role, "head")]
    return None if any(one.lent_by is None for one in mine) else next((one.lent_by for one in mine), None)
