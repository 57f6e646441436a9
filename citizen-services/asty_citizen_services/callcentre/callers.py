"""Finding who calls, and how the cases of a caller stand in words that can be read out."""

import re
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from asty_citizen_services.identity.models import Citizen, ContactPoint
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.workflow.desk import Desk
from asty_citizen_services.workflow.models import CaseTask

MOST = 20
SHORTEST = 3
CLOSED = frozenset({"granted", "rejected", "forwarded", "shelved"})

type Way = Literal["number", "afm", "phone", "name", "short"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may be calling. `running` counts the cases that have not ended."""

    id: uuid.UUID
    name: str
    taxid: str
    birthyear: int | None
    running: int

    @property
    def masked(self) -> str:
        """The tax number with its last three digits alone."""
        return "•" * (len(self.taxid) - 3) + self.taxid[-3:]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a case stands. `step` is what comes next and `whose` who does it: a department's slug, `citizen`, `cosigner`, `system`."""

    case: uuid.UUID
    reference: str
    subject: str
    state: str
    filed_at: datetime
    due_at: datetime | None
    step: str
    whose: str
    until: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED


def way_of(q: str) -> Way:
    """Tell what was typed: a protocol number, a tax number, a phone number or a name. Pure."""
    text = q.strip()
    if re.fullmatch(r"\d{1,9}\s*/\s*\d{4}", text):
        return "number"
    digits = re.sub(r"[\s()+.-]", "", text)
    if digits.isdecimal():
        return "afm" if len(digits) == 9 else "phone" if len(digits) >= 10 else "short"
    return "name" if len(text) >= SHORTEST else "short"


def found(session: Session, q: str) -> list[Caller]:
    """Return who fits, by name; too short a word finds nobody."""
    way = way_of(q)
    wanted = _wanted(q.strip(), way)
    if wanted is None:
        return []
    running = (
        select(func.count())
        .select_from(Application)
        .where(Application.citizen_id == Citizen.id, Application.state.not_in(CLOSED))
        .correlate(Citizen)
        .scalar_subquery()
    )
    rows = session.execute(wanted.add_columns(running).order_by(Citizen.lastname, Citizen.firstname).limit(MOST))
    return [Caller(it.id, f"{it.firstname} {it.lastname}", it.taxid, it.birthyear, count) for it, count in rows]


def cases(session: Session, catalogue: Catalogue, desk: Desk, citizen: uuid.UUID, lang: str) -> list[Standing]:
    """Return how a citizen's cases stand, the open ones first, each newest first."""
    rows = session.execute(
        select(Application, Docket)
        .join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
        .where(Application.citizen_id == citizen)
        .order_by(Application.filed_at.desc())
    ).all()
    waiting = session.scalars(
        select(CaseTask)
        .where(CaseTask.application_id.in_([application.id for application, _ in rows]), CaseTask.done_at.is_(None))
        .order_by(CaseTask.since)
    ).all()
    known = [_standing(session, catalogue, desk, application, docket, waiting, lang) for application, docket in rows]
    return [*(one for one in known if one.is_open), *(one for one in known if not one.is_open)]


def _standing(
    session: Session, catalogue: Catalogue, desk: Desk, application: Application, docket: Docket, waiting: Sequence[CaseTask], lang: str
) -> Standing:  # fmt: skip
    task = next((one for one in waiting if one.application_id == application.id), None)
    procedure = catalogue.get(application.procedure)
    subject = procedure.manifest.title.of(lang) if procedure else docket.subject
    step = desk.model(session, application.id).steps[task.step] if task else None
    said = "" if step is None else step.english if lang == "en" else step.name
    return Standing(
        application.id, docket.reference, subject, application.state, docket.at, application.due_at, said, task.seat if task else "",
        task.due_at if task else None,
    )  # fmt: skip


def _wanted(q: str, way: Way) -> Select[Citizen] | None:
    match way:
        case "number":
            number, _, year = q.partition("/")
            of = select(Application.citizen_id).join(Docket, Docket.application_id == Application.id)
            return select(Citizen).where(Citizen.id.in_(of.where(Docket.number == int(number), Docket.year == int(year))))
        case "afm":
            return select(Citizen).where(Citizen.taxid == re.sub(r"\D", "", q))
        case "phone":
            of = select(ContactPoint.citizen_id).where(ContactPoint.kind == "phone", ContactPoint.ended_at.is_(None))
            return select(Citizen).where(Citizen.id.in_(of.where(ContactPoint.address.endswith(re.sub(r"\D", "", q)[-10:]))))
        case "name":
            begins = [
                or_(Citizen.lastname.istartswith(word, autoescape=True), Citizen.firstname.istartswith(word, autoescape=True))
                for word in plain(q).split()
            ]
            return select(Citizen).where(*begins)
    return None


def plain(text: str) -> str:
    """Write a name as the register does: capitals without accents."""
    return "".join(letter for letter in unicodedata.normalize("NFD", text.upper()) if not unicodedata.combining(letter))


def initials(citizen: Citizen) -> str:
    """Name somebody to a phone that has not proved whose it is: `Μ. Δ.`."""
    return f"{citizen.firstname[:1]}. {citizen.lastname[:1]}."
