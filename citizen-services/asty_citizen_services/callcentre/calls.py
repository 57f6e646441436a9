"""Taking calls: who was called by whom, how the caller was recognised, what was noted, which forms were filled in."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.callcentre.callers import plain
from asty_citizen_services.callcentre.models import Call, CallDraft, CallNote
from asty_citizen_services.drafts.models import Draft
from asty_citizen_services.identity import checks
from asty_citizen_services.identity.models import Citizen

SORTS: Mapping[str, str] = {"-at": "Newest first", "at": "Oldest first", "name": "By name"}
STATES: Mapping[str, str] = {"open": "Open", "ended": "Ended"}
MOST = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """One call of an agent, with its caller's name and how many notes it has."""

    id: uuid.UUID
    name: str
    began_at: datetime
    ended_at: datetime | None
    is_checked: bool
    notes: int


def begin(session: Session, citizen: uuid.UUID, staff: uuid.UUID, now: datetime) -> uuid.UUID:
    """Take a call; the agent's open call of the same citizen is taken up again."""
    known = session.scalars(select(Call.id).where(Call.citizen_id == citizen, Call.staff_id == staff, Call.ended_at.is_(None))).first()
    if known is not None:
        return known
    made = uuid.uuid4()
    session.add(Call(id=made, citizen_id=citizen, staff_id=staff, check_id=None, began_at=now, ended_at=None))
    session.flush()
    journal.write(session, f"citizen:{citizen}", at=now, actor=f"staff:{staff}", act="callcentre.call", call=str(made))
    return made


def of(session: Session, call: uuid.UUID, staff: uuid.UUID) -> Call | None:
    """Return a call of an agent, locked; None when it is nobody's or another's."""
    return session.scalars(select(Call).where(Call.id == call, Call.staff_id == staff).with_for_update()).one_or_none()


def recognise(session: Session, call: Call, asked: Sequence[str], document: str, now: datetime) -> None:
    """Keep how the caller was recognised. Raises CheckError."""
    call.check_id = checks.record(session, citizen=call.citizen_id, staff=call.staff_id, asked=asked, document=document, now=now)


def note(session: Session, call: Call, text: str, now: datetime) -> None:
    session.add(CallNote(id=uuid.uuid4(), call_id=call.id, text=text.strip(), made_at=now))
    journal.write(session, f"citizen:{call.citizen_id}", at=now, actor=f"staff:{call.staff_id}", act="callcentre.note", call=str(call.id))


def notes(session: Session, citizen: uuid.UUID) -> Sequence[CallNote]:
    """Return what was noted in all calls of a citizen, the newest first."""
    of_citizen = select(CallNote).join(Call, Call.id == CallNote.call_id).where(Call.citizen_id == citizen)
    return session.scalars(of_citizen.order_by(CallNote.made_at.desc()).limit(MOST)).all()


def fill_in(session: Session, call: Call, draft: Draft) -> None:
    """Note that a form is filled in during a call."""
    session.merge(CallDraft(draft_id=draft.id, call_id=call.id))
    session.flush()


def draft_of(session: Session, call: Call, draft: uuid.UUID) -> Draft | None:
    """Return a form of the call that is not filed, locked."""
    return session.scalars(
        select(Draft)
        .join(CallDraft, CallDraft.draft_id == Draft.id)
        .where(Draft.id == draft, CallDraft.call_id == call.id, Draft.citizen_id == call.citizen_id, Draft.filed_at.is_(None))
        .with_for_update(of=Draft)
    ).one_or_none()


def open_drafts(session: Session, call: Call) -> Sequence[Draft]:
    """Return the forms of a call that are not filed."""
    return session.scalars(
        select(Draft)
        .join(CallDraft, CallDraft.draft_id == Draft.id)
        .where(CallDraft.call_id == call.id, Draft.filed_at.is_(None))
        .order_by(Draft.made_at)
    ).all()


def end(session: Session, call: Call, now: datetime) -> None:
    """End a call: it is read from then on, and nothing is filed in it."""
    if call.ended_at is None:
        call.ended_at = now
        journal.write(
            session, f"citizen:{call.citizen_id}", at=now, actor=f"staff:{call.staff_id}", act="callcentre.end", call=str(call.id)
        )


def taken(session: Session, staff: uuid.UUID) -> list[Taken]:
    """Return an agent's calls, the newest first."""
    rows = session.execute(
        select(Call, Citizen)
        .join(Citizen, Citizen.id == Call.citizen_id)
        .where(Call.staff_id == staff)
        .order_by(Call.began_at.desc())
        .limit(1000)
    )
    counted: dict[uuid.UUID, int] = {}
    for call in session.scalars(select(CallNote.call_id).join(Call, Call.id == CallNote.call_id).where(Call.staff_id == staff)):
        counted[call] = counted.get(call, 0) + 1
    return [
        Taken(it.id, f"{who.firstname} {who.lastname}", it.began_at, it.ended_at, it.check_id is not None, counted.get(it.id, 0))
        for it, who in rows
    ]


def chosen(found: Sequence[Taken], q: str, state: str, sort: str) -> list[Taken]:
    """Return the calls whose caller has every word of `q`, in a state, sorted as SORTS says. Pure."""
    words = plain(q).split()
    kept = [
        one
        for one in found
        if all(word in one.name for word in words)
        and (state not in STATES or (state == "open") == (one.ended_at is None))
    ]  # fmt: skip
    if sort == "name":
        return sorted(kept, key=lambda one: one.name)
    return sorted(kept, key=lambda one: one.began_at, reverse=sort != "at")


def rows(found: Sequence[Taken], zone: ZoneInfo) -> list[tuple[object, ...]]:
    """Return calls for a spreadsheet; times local with their offset."""

    def at(moment: datetime | None) -> str:
        return moment.astimezone(zone).isoformat(timespec="seconds") if moment else ""

    return [(one.name, at(one.began_at), at(one.ended_at), one.notes) for one in found]
