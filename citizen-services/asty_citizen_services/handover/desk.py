"""What is to be handed over, and what the document system's calls change."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Text, cast, exists, select, text
from sqlalchemy.orm import Session

from asty_citizen_services import jobs
from asty_citizen_services.audit import journal
from asty_citizen_services.documents.models import Document
from asty_citizen_services.drafts.models import Upload
from asty_citizen_services.handover.contract import Entry, Event, File
from asty_citizen_services.handover.models import HandoverEntry, HandoverEvent
from asty_citizen_services.identity.models import Department
from asty_citizen_services.notices import outbox
from asty_citizen_services.registry import protocol
from asty_citizen_services.registry.models import Application, Docket

AT_ONCE = 200
_ONE_AFTER_THE_OTHER = text("SELECT pg_advisory_xact_lock(hashtext('handover:' || :id))")


type Route = Callable[[Session, uuid.UUID, str, datetime], object]
"""Gives a case, by its id, to a department, by its slug."""


class EventRefusedError(Exception):
    """A call that can't be followed: `status` for HTTP, and why. Nothing was changed."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def announce(session: Session, now: datetime) -> int:
    """Defer a job for entries of the protocol that are not on their way: papers that came in, documents that were delivered."""
    known = exists().where(HandoverEntry.docket_id == Docket.id)
    delivered = exists().where(Document.docket_id == Docket.id, Document.state == "delivered")
    came_from_there = exists().where(HandoverEvent.answer["docket"].astext == cast(Docket.id, Text))
    wanted = select(Docket.id).where(~known, Docket.cancelled_at.is_(None), (Docket.direction == "in") | delivered, ~came_from_there)
    found = session.scalars(wanted.order_by(Docket.at).limit(AT_ONCE)).all()
    for docket in found:
        session.add(
            HandoverEntry(
                docket_id=docket, state="waiting", tries=0, foreign_id=None, number=None, why=None, made_at=now, sent_at=None
            )
        )  # fmt: skip
        session.flush()
        jobs.defer(session, "handover:send", queue="handover", docket=str(docket))
    return len(found)


def entry_of(session: Session, docket: uuid.UUID) -> tuple[Entry, Mapping[str, bytes]]:
    """Return an entry as it goes out, with its files by their id. Raises NoResultFound."""
    it = session.get_one(Docket, docket)
    application = session.get(Application, it.application_id) if it.application_id else None
    rows: list[tuple[str, str, str, bytes]] = []
    if it.direction == "out":
        papers = session.scalars(select(Document).where(Document.docket_id == docket, Document.state == "delivered"))
        rows = [(str(one.id), f"{one.kind}.pdf", "application/pdf", one.content) for one in papers]
    elif application is not None:
        uploads = session.scalars(select(Upload).where(Upload.application_id == application.id).order_by(Upload.made_at))
        rows = [(str(one.id), one.name, one.media_type, one.content) for one in uploads]
    entry = Entry(
        id=str(it.id), reference=it.reference, direction="in" if it.direction == "in" else "out", at=it.at, issuer=it.issuer,
        subject=it.subject, department=it.department, case=str(application.id) if application else "",
        procedure=application.procedure if application else "",
        answers=application.answers if application and it.direction == "in" else {},
        files=tuple(File(one, name, kind, hashlib.sha256(content).hexdigest()) for one, name, kind, content in rows),
    )  # fmt: skip
    return entry, {row[0]: row[3] for row in rows}


@dataclass(frozen=True)
class Events:
    """Where the document system's calls are followed. `issuer` and `zone` are the protocol's; `route` gives a case to a department."""

    issuer: str
    zone: ZoneInfo
    route: Route

    def follow(self, session: Session, event: Event, body: bytes, now: datetime) -> dict[str, Any]:
        """Do what a call says, once; return the answer. Raises EventRefusedError."""
        digest = hashlib.sha256(body).digest()
        session.execute(_ONE_AFTER_THE_OTHER, {"id": event.id})
        known = session.get(HandoverEvent, event.id)
        if known is not None:
            if known.body_hash != digest:
                raise EventRefusedError(409, f"event {event.id} came before with other content")
            return known.answer
        answer = {"registered": self._registered, "routed": self._routed, "filed": self._filed}[event.kind](session, event, now)
        session.add(HandoverEvent(id=event.id, body_hash=digest, kind=event.kind, answer=answer, received_at=now))
        return answer

    def _registered(self, session: Session, event: Event, now: datetime) -> dict[str, Any]:
        entry = session.get(HandoverEntry, _docket(session, event).id)
        if entry is None:
            raise EventRefusedError(404, "this entry was not handed over")
        entry.number = event.number
        journal.write(session, f"docket:{entry.docket_id}", at=now, actor="document-system", act="handover.registered", number=event.number)
        return {}

    def _routed(self, session: Session, event: Event, now: datetime) -> dict[str, Any]:
        docket = _docket(session, event)
        application = session.get(Application, docket.application_id) if docket.application_id else None
        department = session.get(Department, event.department)
        if application is None or department is None:
            raise EventRefusedError(422, f"no case, or no department {event.department!r}")
        before = application.department
        self.route(session, application.id, department.slug, now)
        journal.write(
            session, f"case:{application.id}", at=now, actor="document-system", act="handover.routed", before=before,
            after=department.slug, reason=event.reason,
        )  # fmt: skip
        if application.citizen_id is not None and before != department.slug:
            outbox.put(
                session, key=f"routed:{event.id}", citizen=application.citizen_id, about=f"case:{application.id}", template="forwarded",
                language=application.language, now=now, reference=docket.reference, subject=docket.subject, reason=event.reason,
                department=department.name_en if application.language == "en" else department.name_el,
            )  # fmt: skip
        return {}

    def _filed(self, session: Session, event: Event, now: datetime) -> dict[str, Any]:
        if len(event.sha256) != 64 or not event.subject or session.get(Department, event.department) is None:
            raise EventRefusedError(422, "a paper has a subject, a department of ours and the SHA-256 of its content")
        try:
            content = bytes.fromhex(event.sha256)
        except ValueError as error:
            raise EventRefusedError(422, "the SHA-256 is not written in hex") from error
        docket = protocol.enter(
            session, direction="in", issuer=self.issuer, subject=event.subject, department=event.department,
            content_hash=content, zone=self.zone,
        )  # fmt: skip
        journal.write(session, f"docket:{docket.id}", at=now, actor="document-system", act="handover.filed", reference=docket.reference)
        return {"docket": str(docket.id), "reference": docket.reference}


def _docket(session: Session, event: Event) -> Docket:
    try:
        found = session.get(Docket, uuid.UUID(event.docket))
    except ValueError:
        found = None
    if found is None:
        raise EventRefusedError(404, f"no entry of our protocol has the id {event.docket!r}")
    return found
