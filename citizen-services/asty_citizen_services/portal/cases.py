"""The citizen's own cases, as lists and one by one."""

import csv
import io
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from asty_citizen_services.identity.visitor import CitizenVisitor
from asty_citizen_services.procedures.search import folded
from asty_citizen_services.registry.filing import FILED
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.workflow.route import STATES

__all__ = ["SORTS", "STATES", "Case", "as_csv", "chosen", "of", "one"]

SORTS: Mapping[str, str] = {"-at": "Newest first", "at": "Oldest first", "subject": "By subject"}


@dataclass(frozen=True, slots=True)
class Case:
    """One case as its citizen sees it. `state` is the workflow's word; `due_at` the legal deadline."""

    id: uuid.UUID
    procedure: str
    reference: str
    subject: str
    state: str
    at: datetime
    due_at: datetime | None
    docket: Docket

    @property
    def has_begun(self) -> bool:
        """Whether the workflow has it."""
        return self.state != FILED


def of(session: Session, citizen: CitizenVisitor) -> Sequence[Case]:
    """Read the cases of whom the citizen acts for now: the legal person's alone, or his own alone; newest first."""
    mandate = citizen.acts_for.mandate if citizen.acts_for else None
    return [_case(*row) for row in session.execute(_mine(citizen).where(Application.mandate_id == mandate))]


def one(session: Session, citizen: CitizenVisitor, case: uuid.UUID) -> Case | None:
    """Read one case of the citizen, None when it is not his."""
    row = session.execute(_mine(citizen).where(Application.id == case)).one_or_none()
    return _case(*row) if row else None


def chosen(cases: Sequence[Case], q: str, state: str, sort: str) -> Sequence[Case]:
    """Return the cases in which every word of `q` occurs and which are in `state`, sorted as SORTS says."""
    words = folded(q).split()
    kept = [c for c in cases if all(word in folded(f"{c.reference} {c.subject}") for word in words) and state in ("", c.state)]
    if sort == "subject":
        return sorted(kept, key=lambda c: folded(c.subject))
    return sorted(kept, key=lambda c: c.at, reverse=sort != "at")


def as_csv(cases: Sequence[Case], zone: ZoneInfo, lang: str, heads: Sequence[str], words: Mapping[str, str]) -> str:
    """Write cases for a spreadsheet: `;` in Greek, `,` in English; times local with their offset."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if lang == "el" else ",")
    writer.writerow(heads)
    for c in cases:
        due = c.due_at.astimezone(zone).date().isoformat() if c.due_at else ""
        writer.writerow([c.reference, c.subject, words.get(c.state, c.state), c.at.astimezone(zone).isoformat(timespec="seconds"), due])
    return "\ufeff" + out.getvalue()


def _mine(citizen: CitizenVisitor) -> Select[Application, Docket]:
    return (
        select(Application, Docket)
        .join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
        .where(Application.citizen_id == citizen.id)
        .order_by(Application.filed_at.desc())
    )  # fmt: skip


def _case(application: Application, docket: Docket) -> Case:
    return Case(
        application.id, application.procedure, docket.reference, docket.subject, application.state, docket.at, application.due_at, docket
    )
