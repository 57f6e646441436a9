"""From a notice to what goes out on each channel, and what is written down of it."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_citizen_services import jobs
from asty_citizen_services.identity.models import ContactPoint
from asty_citizen_services.notices import gsm7, quiet
from asty_citizen_services.notices.carrier import Channel, Parcel, Receipt
from asty_citizen_services.notices.models import Notice, NoticeDelivery, NoticeWish, PushSubscription
from asty_citizen_services.notices.texts import TEXTS, Text

MOST_TRIES = 8
type Unsent = Literal["waiting", "failed", "unclear"]
_KINDS: Mapping[str, Channel] = {"phone": "sms", "email": "email"}


@dataclass(frozen=True, slots=True)
class Task:
    """What a job has to do with a delivery: `send` it, let it `wait` until a time, or nothing (`done`)."""

    do: Literal["send", "wait", "done"]
    parcel: Parcel | None = None
    channel: str = ""
    at: datetime | None = None


def fan_out(session: Session, notice: uuid.UUID, zone: ZoneInfo, now: datetime) -> int:
    """Make a delivery with a job of its own for each channel that the citizen has and has not refused; return how many are new."""
    it = session.get_one(Notice, notice)
    if it.citizen_id is None:
        return 0
    wishes = {wish.channel: wish for wish in session.scalars(select(NoticeWish).where(NoticeWish.citizen_id == it.citizen_id))}
    made = 0
    for channel, address in _addresses(session, it.citizen_id):
        wish = wishes.get(channel)
        if wish is not None and not wish.wanted:
            continue
        language = wish.language if wish is not None else it.language
        at = quiet.not_before(now, zone, urgent=it.urgent) if channel == "sms" else now
        segments = gsm7.plan(text_of(it, language).body).segments if channel == "sms" else 1
        row = insert(NoticeDelivery).values(
            id=uuid.uuid4(), notice_id=it.id, channel=channel, address=address, language=language, state="waiting", segments=segments,
            tries=0, carrier_ids={}, made_at=now, not_before=at,
        )  # fmt: skip
        delivery = session.scalars(row.on_conflict_do_nothing().returning(NoticeDelivery.id)).one_or_none()
        if delivery is not None:
            jobs.defer(session, "notices:send", queue="notices", at=at if at > now else None, delivery=str(delivery))
            made += 1
    return made


def take(session: Session, delivery: uuid.UUID, zone: ZoneInfo, now: datetime, link: str, *, repeatable: Mapping[str, bool]) -> Task:
    """Mark a delivery as being sent, to be committed before the carrier is called, and say what to do.

    One that was being sent when a worker died is sent again only where the carrier would know it again, else it is `unclear`.
    """
    row = session.scalars(select(NoticeDelivery).where(NoticeDelivery.id == delivery).with_for_update()).one()
    if row.state == "sending" and not repeatable.get(row.channel, False):
        row.state, row.settled_at, row.why = "unclear", now, "a worker ended while it was being sent; it is not sent twice"
    if row.state not in ("waiting", "sending"):
        return Task("done")
    it = session.get_one(Notice, row.notice_id)
    if row.channel == "sms" and (at := quiet.not_before(now, zone, urgent=it.urgent)) > now:
        row.not_before = at
        return Task("wait", at=at)
    row.state, row.tries = "sending", row.tries + 1
    said = text_of(it, row.language)
    row.segments = gsm7.plan(said.body).segments if row.channel == "sms" else 1
    return Task("send", Parcel(str(row.id), row.address, said.subject, said.body, _page(it, link)), row.channel)


def sent(session: Session, delivery: uuid.UUID, carrier_ids: Sequence[str], now: datetime) -> None:
    """Write down that the carrier has it."""
    row = _locked(session, delivery)
    row.state, row.sent_at, row.why = "sent", now, None
    row.carrier_ids = dict.fromkeys(carrier_ids, "sent")


def not_sent(session: Session, delivery: uuid.UUID, why: str, now: datetime, *, state: Unsent) -> None:
    """Write down why it did not go out, and whether it is tried again (`waiting`)."""
    row = _locked(session, delivery)
    row.state, row.why = state, why[:500]
    row.settled_at = None if state == "waiting" else now
    if state == "failed" and row.channel == "push":
        endpoint = json.loads(row.address)["endpoint"]
        for gone in session.scalars(select(PushSubscription).where(PushSubscription.endpoint == endpoint)):
            gone.ended_at = gone.ended_at or now


def receive(session: Session, receipt: Receipt) -> bool:
    """Store a receipt: a message is delivered when all its parts are, failed when one is. Tell whether the message is ours."""
    sent = select(NoticeDelivery).where(NoticeDelivery.carrier_ids.has_key(receipt.carrier_id))
    # operators give an id again after weeks: the newest message with it is meant
    row = session.scalars(sent.order_by(NoticeDelivery.sent_at.desc()).limit(1).with_for_update()).one_or_none()
    if row is None:
        return False
    row.carrier_ids = {**row.carrier_ids, receipt.carrier_id: receipt.state}
    states = set(row.carrier_ids.values())
    if "failed" in states:
        row.state, row.settled_at, row.why = "failed", receipt.at, receipt.why or row.why
    elif states == {"delivered"}:
        row.state, row.settled_at = "delivered", receipt.at
    return True


def text_of(notice: Notice, language: str) -> Text:
    """Return a notice's words in a language. Raises KeyError when a value is missing."""
    said = TEXTS[notice.template]
    return said.get(language, said["el"]).fill(notice.values)


def _addresses(session: Session, citizen: uuid.UUID) -> Sequence[tuple[Channel, str]]:
    points = session.scalars(select(ContactPoint).where(ContactPoint.citizen_id == citizen, ContactPoint.ended_at.is_(None)))
    found: list[tuple[Channel, str]] = [(_KINDS[point.kind], point.address) for point in points]
    browsers = session.scalars(select(PushSubscription).where(PushSubscription.citizen_id == citizen, PushSubscription.ended_at.is_(None)))
    found += [
        ("push", json.dumps({"endpoint": one.endpoint, "keys": {"p256dh": one.p256dh, "auth": one.auth}}, sort_keys=True))
        for one in browsers
    ]
    return found


def _locked(session: Session, delivery: uuid.UUID) -> NoticeDelivery:
    return session.scalars(select(NoticeDelivery).where(NoticeDelivery.id == delivery).with_for_update()).one()


def _page(it: Notice, address: str) -> str:
    """Return where a citizen reads on: the case, else the list of notices; nothing for somebody who is no citizen of the portal."""
    if it.citizen_id is None:
        return ""
    kind, _, case = it.about.partition(":")
    return f"{address}/cases/{case}" if kind == "case" else f"{address}/notices#{it.id}"
