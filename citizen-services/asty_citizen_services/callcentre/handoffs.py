"""A form that began on the telephone goes on on the caller's phone: a link by SMS, a code to the same number, one browser."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.callcentre.models import Call, Handoff
from asty_citizen_services.drafts.models import Draft
from asty_citizen_services.identity import contacts, tokens
from asty_citizen_services.notices import outbox
from asty_citizen_services.notices.models import Notice, NoticeDelivery
from asty_citizen_services.registry.models import Application, Docket

LASTS = timedelta(hours=24)
OPEN_FOR = timedelta(hours=2)
STATES: Mapping[str, str] = {
    "waiting": "Will be sent",
    "sent": "Sent",
    "delivered": "Delivered",
    "failed": "Could not be sent",
    "opened": "Opened on the phone",
    "filed": "Filed",
    "over": "Expired",
    "ended": "Withdrawn",
}
"""What has become of a link: terms of the catalogue."""


class NotItsPhoneError(Exception):
    """The link may go to the verified number of the citizen alone: a term to translate. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A link as its agent follows it; `reference` is the protocol number once it was filed."""

    id: uuid.UUID
    procedure: str
    phone: str
    made_at: datetime
    opened_at: datetime | None
    expires_at: datetime
    state: str
    reference: str


def send(session: Session, call: Call, draft: Draft, typed: str, subject: str, address: str, now: datetime) -> Handoff:
    """Write the caller an SMS with a link to a form; earlier links to it end.

    A citizen with a verified number gets it there and nowhere else.

    Raises ContactError, NotItsPhoneError.
    """
    phone = contacts.address_of("phone", typed)
    known = contacts.verified(session, call.citizen_id).get("phone")
    if known is not None and phone != known:
        raise NotItsPhoneError("The link goes to the verified mobile alone. To change it, the citizen signs in with TaxisNet.")
    token, made = tokens.fresh(), uuid.uuid4()
    handoff = Handoff(
        id=made, call_id=call.id, citizen_id=call.citizen_id, draft_id=draft.id, procedure=draft.procedure, phone=phone,
        token_hash=tokens.hashed(token), browser_hash=None, made_at=now, expires_at=now + LASTS, opened_at=None, ended_at=None,
    )  # fmt: skip
    session.execute(
        update(Handoff)
        .where(Handoff.draft_id == draft.id, Handoff.ended_at.is_(None))
        .values(ended_at=now, expires_at=now)
    )  # fmt: skip
    session.add(handoff)
    session.flush()
    journal.write(
        session, f"citizen:{call.citizen_id}", at=now, actor=f"staff:{call.staff_id}", act="callcentre.hand_off", call=str(call.id),
        procedure=draft.procedure,
    )  # fmt: skip
    outbox.write_to(
        session, channel="sms", address=phone, key=_key(made), about=f"citizen:{call.citizen_id}", template="handoff", language="el",
        now=now, urgent=True, subject=subject, link=f"{address}/h/{token}",
    )  # fmt: skip
    return handoff


def linked(session: Session, token: str, now: datetime) -> Handoff | None:
    """Return what a link leads to, locked; None when it is unknown, used, withdrawn or too old."""
    return session.scalars(
        select(Handoff)
        .where(
            Handoff.token_hash == tokens.hashed(token), Handoff.opened_at.is_(None), Handoff.ended_at.is_(None), Handoff.expires_at > now
        )
        .with_for_update()
    ).one_or_none()


def open_with(session: Session, handoff: Handoff, code: str, secret: str, now: datetime) -> str | None:
    """Return the token of the browser that goes on, when the code that went to the phone is right; the link then opens no other.

    The caller commits either way, or a wrong code would cost nothing.
    """
    right = contacts.finish(session, handoff.citizen_id, "phone", code, secret=secret, now=now)
    if not right or contacts.verified(session, handoff.citizen_id).get("phone") != handoff.phone:
        return None
    token = tokens.fresh()
    handoff.opened_at, handoff.expires_at, handoff.browser_hash = now, now + OPEN_FOR, tokens.hashed(token)
    notice = session.scalars(select(Notice).where(Notice.key == _key(handoff.id))).one_or_none()
    if notice is not None:
        notice.values = notice.values | {"link": "—"}
    journal.write(
        session,
        f"citizen:{handoff.citizen_id}",
        at=now,
        actor=f"citizen:{handoff.citizen_id}",
        act="callcentre.open",
        handoff=str(handoff.id),
    )
    return token


def of_browser(session: Session, token: str, now: datetime) -> Handoff | None:
    """Return the form that a browser goes on with, None when its time is over."""
    return session.scalars(
        select(Handoff).where(Handoff.browser_hash == tokens.hashed(token), Handoff.expires_at > now).with_for_update()
    ).one_or_none()


def followed(session: Session, call: uuid.UUID, now: datetime) -> Sequence[Followed]:
    """Return what became of the links of a call, the newest first."""
    found = session.scalars(select(Handoff).where(Handoff.call_id == call).order_by(Handoff.made_at.desc())).all()
    sent = {
        row.key: row.state
        for row in session.execute(
            select(Notice.key, NoticeDelivery.state)
            .join(NoticeDelivery, NoticeDelivery.notice_id == Notice.id)
            .where(Notice.key.in_([_key(one.id) for one in found]))
        )
    }
    filed = {
        application.key: docket.reference
        for application, docket in session.execute(
            select(Application, Docket)
            .join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
            .where(Application.key.in_([str(one.draft_id) for one in found]))
        )
    }
    return [_followed(one, sent.get(_key(one.id), "waiting"), filed.get(str(one.draft_id), ""), now) for one in found]


def state_of(handoff: Handoff, delivery: str, *, is_filed: bool, now: datetime) -> str:
    """Tell what has become of a link: one of STATES. Pure."""
    if is_filed:
        return "filed"
    if handoff.ended_at is not None:
        return "ended"
    if handoff.expires_at <= now:
        return "over"
    if handoff.opened_at is not None:
        return "opened"
    return {"sent": "sent", "delivered": "delivered", "failed": "failed"}.get(delivery, "waiting")


def _followed(one: Handoff, delivery: str, reference: str, now: datetime) -> Followed:
    state = state_of(one, delivery, is_filed=bool(reference), now=now)
    return Followed(one.id, one.procedure, one.phone, one.made_at, one.opened_at, one.expires_at, state, reference)


def _key(handoff: uuid.UUID) -> str:
    return f"handoff:{handoff}"
