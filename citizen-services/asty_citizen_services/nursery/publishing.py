"""Publishing a ranking, objecting to it, deciding on objections, giving a place up. Each in one transaction of the caller."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from asty_citizen_services import working_days
from asty_citizen_services.audit import journal
from asty_citizen_services.forms.form import Words
from asty_citizen_services.notices import outbox
from asty_citizen_services.nursery import desk
from asty_citizen_services.nursery.desk import ACCEPTED, DENIED, FINAL, PROVISIONAL
from asty_citizen_services.nursery.models import NurseryList, NurseryObjection, NurseryWithdrawal
from asty_citizen_services.nursery.ranking import Lists, Move, Table
from asty_citizen_services.registry.models import Application, Docket

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('citizen.nursery'))")


class NotNowError(Exception):
    """This can't be done as things stand: `why` says it in words of the catalogue, `advice` what to do."""

    def __init__(self, why: str, advice: str) -> None:
        super().__init__(why)
        self.why, self.advice = why, advice


@dataclass(frozen=True, slots=True)
class Draft:
    """What is going to be published. `document` is the signed PDF's row."""

    year: int
    kind: str
    lists: Lists
    document: uuid.UUID


def next_version(session: Session, year: int, kind: str, now: datetime) -> int:
    """Return the number that a publication would have; whoever asks first holds the lists until the transaction ends.

    Raises NotNowError: after a final list nothing is published; a final one needs a provisional one whose term is over and whose
    objections are decided.
    """
    session.execute(_ONE_AT_A_TIME)
    known = desk.publications(session, year)
    if any(one.kind == FINAL for one in known):
        raise NotNowError("The final list of this year is published.", "It is not changed: withdrawals move the waiting list up.")
    if kind == FINAL:
        if not known:
            raise NotNowError("No provisional list was published yet.", "Publish it first: applicants must be able to object.")
        until = known[0].objections_until
        if until is not None and until > now:
            raise NotNowError("The term for objections still runs.", "Publish the final list when it is over.")
        if undecided(session, year):
            raise NotNowError("There are objections that nobody has decided.", "Decide on all of them first.")
    return (known[0].version if known else 0) + 1


def publish(session: Session, table: Table, draft: Draft, staff: uuid.UUID, zone: ZoneInfo, now: datetime) -> NurseryList:
    """Freeze a list and tell every applicant where he or she stands. Raises NotNowError."""
    if not any(draft.lists.values()):
        raise NotNowError("There are no applications.", "Nothing was published.")
    version = next_version(session, draft.year, draft.kind, now)
    until = working_days.end_of_term(now + timedelta(days=table.objection_days), zone)
    published = NurseryList(
        id=uuid.uuid4(), year=draft.year, version=version, kind=draft.kind, places=msgspec.to_builtins(draft.lists),
        document_id=draft.document, published_at=now, published_by=staff,
        objections_until=until if draft.kind == PROVISIONAL else None,
    )  # fmt: skip
    session.add(published)
    session.flush()
    journal.write(
        session, "nursery", at=now, actor=f"staff:{staff}", act="nursery.publish", year=draft.year, version=version, kind=draft.kind
    )
    for application in {seat.application for seats in draft.lists.values() for seat in seats}:
        _tell_standing(session, table, published, uuid.UUID(application), now)
    return published


def of_year(session: Session, year: int) -> Sequence[NurseryObjection]:
    """Return the objections of a year, those that wait for a decision first."""
    return session.scalars(
        select(NurseryObjection)
        .join(NurseryList, NurseryList.id == NurseryObjection.list_id)
        .where(NurseryList.year == year)
        .order_by(NurseryObjection.decided_at.desc().nulls_first(), NurseryObjection.at)
    ).all()


def undecided(session: Session, year: int) -> Sequence[NurseryObjection]:
    """Return the objections of a year that wait for a decision."""
    return session.scalars(
        select(NurseryObjection)
        .join(NurseryList, NurseryList.id == NurseryObjection.list_id)
        .where(NurseryList.year == year, NurseryObjection.decided_at.is_(None))
        .order_by(NurseryObjection.at)
    ).all()


def object_to(session: Session, year: int, application: uuid.UUID, words: str, actor: str, now: datetime) -> NurseryObjection:
    """Take an objection to the provisional list that was published last. Raises NotNowError."""
    session.execute(_ONE_AT_A_TIME)
    newest = next(iter(desk.publications(session, year)), None)
    if newest is None or newest.kind != PROVISIONAL or newest.objections_until is None or newest.objections_until < now:
        raise NotNowError("There is no list that can be objected to now.", "The term for objections is over, or nothing is published yet.")
    if not any(seat.application == str(application) for seats in desk.seats(newest).values() for seat in seats):
        raise NotNowError("This application is not on the list.", "Ask the nurseries' department.")
    known = session.scalars(
        select(NurseryObjection).where(NurseryObjection.list_id == newest.id, NurseryObjection.application_id == application)
    ).one_or_none()
    if known is not None:
        raise NotNowError("You have objected to this list already.", "You are told as soon as it is decided.")
    made = NurseryObjection(
        id=uuid.uuid4(), list_id=newest.id, application_id=application, text=words, at=now, decided_at=None, decided_by=None, outcome=None,
        reason=None, points=None,
    )  # fmt: skip
    session.add(made)
    session.flush()
    journal.write(session, f"case:{application}", at=now, actor=actor, act="nursery.object", version=newest.version)
    return made


def decide(session: Session, objection: uuid.UUID, points: int | None, reason: str, staff: uuid.UUID, now: datetime) -> None:
    """Accept an objection with the right points, or deny it (None), and tell the applicant. Raises NotNowError."""
    found = session.scalars(select(NurseryObjection).where(NurseryObjection.id == objection).with_for_update()).one_or_none()
    if found is None or found.decided_at is not None:
        raise NotNowError("This objection is decided.", "Nothing was changed.")
    found.decided_at, found.decided_by, found.reason, found.points = now, staff, reason, points
    found.outcome = DENIED if points is None else ACCEPTED
    journal.write(
        session, f"case:{found.application_id}", at=now, actor=f"staff:{staff}", act=f"nursery.{found.outcome}", reason=reason,
        points="" if points is None else str(points),
    )  # fmt: skip
    _tell(
        session, found.application_id, "nursery_accepted" if points is not None else "objection_denied", f"{found.id}", now, reason=reason
    )


def withdraw(session: Session, table: Table, year: int, application: uuid.UUID, actor: str, now: datetime) -> tuple[Move, ...]:
    """Give up a place or a wait for one; return who moved up by it, told already. Raises NotNowError."""
    session.execute(_ONE_AT_A_TIME)
    if session.get(NurseryWithdrawal, application) is not None:
        raise NotNowError("This application is withdrawn already.", "Nothing was changed.")
    final = next((one for one in desk.publications(session, year) if one.kind == FINAL), None)
    before = desk.moves(session, table, final) if final else ()
    session.add(NurseryWithdrawal(application_id=application, at=now, by=actor))
    session.flush()
    journal.write(session, f"case:{application}", at=now, actor=actor, act="nursery.withdraw")
    _tell(session, application, "nursery_withdrawn", str(application), now)
    new = tuple(move for move in desk.moves(session, table, final) if move not in before) if final else ()
    for move in new:
        key = f"{move.because}"
        journal.write(session, f"case:{move.application}", at=now, actor="system", act="nursery.moved_up", station=move.station)
        station = table.stations[move.station].name
        _tell(session, uuid.UUID(move.application), "nursery_moved_up", key, now, station)
    return new


def _tell_standing(session: Session, table: Table, published: NurseryList, application: uuid.UUID, now: datetime) -> None:
    found = desk.standing(session, table, published, application)
    if found is None:
        return
    seat, station, has_place = found
    template = f"nursery_{published.kind}_{'place' if has_place else 'waits'}"
    name = table.stations[station].name
    until = published.objections_until
    _tell(
        session, application, template, str(published.id), now, name, rank=seat.rank, points=seat.points,
        until=f"{until:%d/%m/%Y}" if until else "",
    )  # fmt: skip


def _tell(
    session: Session, application: uuid.UUID, template: str, key: str, now: datetime, station: Words | None = None, **more: Any
) -> None:
    one = session.get_one(Application, application)
    if one.citizen_id is None:
        return
    docket = session.scalars(
        select(Docket).where(Docket.application_id == application, Docket.direction == "in").order_by(Docket.at).limit(1)
    ).one()
    outbox.put(
        session, key=f"{template}:{application}:{key}", citizen=one.citizen_id, about=f"case:{application}", template=template,
        language=one.language, now=now, reference=docket.reference, subject=docket.subject,
        station=(station.of(one.language) if station else ""), **more,
    )  # fmt: skip
