"""What people ask of their data (GDPR, articles 15 to 21): recorded with the month that the law gives, answered or refused."""

import calendar
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.notices import outbox
from asty_citizen_services.privacy.models import DataRequest, LegalHold
from asty_citizen_services.registry.models import Docket

KINDS: Mapping[str, str] = {
    "access": "Access: a copy of what is held",
    "erasure": "Erasure",
    "rectification": "Correction",
    "restriction": "Restriction of processing",
    "objection": "Objection to processing",
}
WAYS: Mapping[str, str] = {"portal": "Portal", "letter": "Letter", "email": "E-mail", "telephone": "Telephone", "counter": "Counter"}
STATES: Mapping[str, str] = {"open": "Open request", "late": "Late", "done": "Done", "refused": "Refused"}
SORTS: Mapping[str, str] = {"due": "Deadline first", "-asked": "Newest first", "name": "By name"}
HELD: Mapping[str, str] = {"held": "Kept", "ended": "Ended"}


class DecidedError(Exception):
    """The request was answered already. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its officer lists it."""

    id: uuid.UUID
    citizen: uuid.UUID
    name: str
    taxid: str
    kind: str
    way: str
    words: str
    state: str
    asked_at: datetime
    due_at: datetime
    decided_at: datetime | None
    answer: str
    extended: bool

    def is_late(self, now: datetime) -> bool:
        return self.state == "open" and self.due_at < now


@dataclass(frozen=True, slots=True)
class Held:
    """A legal hold with the number of its case."""

    id: uuid.UUID
    reference: str
    subject: str
    why: str
    placed_at: datetime
    ended_at: datetime | None

    @property
    def state(self) -> str:
        return "held" if self.ended_at is None else "ended"


def later(moment: datetime, months: int) -> datetime:
    """Return the same day so many months later, the month's last where it has no such day. Pure."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))


def ask(session: Session, citizen: uuid.UUID, kind: str, way: str, words: str, *, by: str, now: datetime) -> uuid.UUID:
    """Record a request; the law gives one month (article 12, paragraph 3)."""
    made = uuid.uuid4()
    session.add(
        DataRequest(
            id=made, citizen_id=citizen, kind=kind, way=way, words=words, recorded_by=by, state="open", answer="", decided_by=None,
            asked_at=now, due_at=later(now, 1), decided_at=None, extended=False,
        )
    )  # fmt: skip
    session.flush()
    journal.write(session, f"citizen:{citizen}", at=now, actor=by, act="privacy.ask", kind=kind, way=way, request=str(made))
    return made


def extend(session: Session, request: uuid.UUID, why: str, *, by: str, now: datetime) -> None:
    """Take the two months more that a complex request may need, once, and tell the citizen why. Raises DecidedError."""
    found = _open(session, request)
    if found.extended:
        raise DecidedError(f"request {request} was extended already")
    found.extended, found.due_at = True, later(found.asked_at, 3)
    journal.write(session, f"citizen:{found.citizen_id}", at=now, actor=by, act="privacy.extend", request=str(request), why=why)
    _tell(session, found, "extended", why, now)


def decide(session: Session, request: uuid.UUID, state: str, answer: str, *, by: str, now: datetime) -> None:
    """Close a request as `done` or `refused`, and tell the citizen. Raises DecidedError."""
    found = _open(session, request)
    found.state, found.answer, found.decided_by, found.decided_at = state, answer, by, now
    journal.write(session, f"citizen:{found.citizen_id}", at=now, actor=by, act=f"privacy.{state}", request=str(request), kind=found.kind)
    _tell(session, found, state, answer, now)


def all_of(session: Session, citizen: uuid.UUID | None = None) -> list[Asked]:
    """Read the requests, of one citizen if named, the newest first."""
    wanted = select(DataRequest, Citizen).join(Citizen, Citizen.id == DataRequest.citizen_id).order_by(DataRequest.asked_at.desc())
    if citizen is not None:
        wanted = wanted.where(DataRequest.citizen_id == citizen)
    return [
        Asked(
            it.id, who.id, f"{who.firstname} {who.lastname}", who.taxid, it.kind, it.way, it.words, it.state, it.asked_at, it.due_at,
            it.decided_at, it.answer, it.extended,
        )
        for it, who in session.execute(wanted)
    ]  # fmt: skip


def chosen(found: Sequence[Asked], q: str, kind: str, state: str, sort: str, now: datetime) -> list[Asked]:
    """Return the requests in which every word of `q` occurs and that fit the filters, sorted as SORTS says. Pure."""
    words = q.casefold().split()
    kept = [
        one
        for one in found
        if all(word in f"{one.name} {one.taxid} {one.words}".casefold() for word in words)
        and kind in ("", one.kind)
        and (state in ("", one.state) or (state == "late" and one.is_late(now)))
    ]
    match sort:
        case "-asked":
            return sorted(kept, key=lambda one: one.asked_at, reverse=True)
        case "name":
            return sorted(kept, key=lambda one: one.name)
    return sorted(kept, key=lambda one: (one.state != "open", one.due_at))


def holds(session: Session) -> list[Held]:
    """Read all legal holds, the newest first."""
    rows = session.execute(
        select(LegalHold, Docket)
        .join(Docket, (Docket.application_id == LegalHold.application_id) & (Docket.direction == "in"))
        .order_by(LegalHold.placed_at.desc())
    )
    return [Held(it.id, docket.reference, docket.subject, it.why, it.placed_at, it.ended_at) for it, docket in rows]


def chosen_holds(found: Sequence[Held], q: str, state: str, sort: str) -> list[Held]:
    """Return the holds in which every word of `q` occurs and that are in a state. Pure."""
    words = q.casefold().split()
    kept = [
        one
        for one in found
        if all(word in f"{one.reference} {one.subject} {one.why}".casefold() for word in words) and state in ("", one.state)
    ]
    return sorted(kept, key=lambda one: one.placed_at, reverse=sort != "at")


def _open(session: Session, request: uuid.UUID) -> DataRequest:
    found = session.scalars(select(DataRequest).where(DataRequest.id == request).with_for_update()).one()
    if found.state != "open":
        raise DecidedError(f"request {request} was answered already")
    return found


def _tell(session: Session, request: DataRequest, what: str, words: str, now: datetime) -> None:
    outbox.put(
        session, key=f"data_request:{request.id}:{what}", citizen=request.citizen_id, about=f"citizen:{request.citizen_id}",
        template="data_longer" if what == "extended" else "data_answer", language="el", now=now, reason=words,
    )  # fmt: skip
