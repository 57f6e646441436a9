"""The citizen's notices as a list, and what he wishes for each channel."""

import base64
import csv
import io
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from asty_look import preferences
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from py_vapid import Vapid02
from pydantic import BaseModel, Field, HttpUrl
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity import contacts
from asty_citizen_services.identity.door import ACitizen, anybody
from asty_citizen_services.notices.carrier import CHANNELS, Channel
from asty_citizen_services.notices.delivery import text_of
from asty_citizen_services.notices.models import Notice, NoticeDelivery, NoticeWish, PushSubscription
from asty_citizen_services.rates import Limit
from asty_citizen_services.screens import Screens
from asty_citizen_services.settings import NoticeSettings

Words = Annotated[str, Query(max_length=100)]
CHANNEL_TERMS: Mapping[str, str] = {"sms": "Short message", "email": "E-mail", "push": "This browser"}
STATE_TERMS: Mapping[str, str] = {
    "waiting": "Waits to be sent",
    "sending": "Being sent",
    "sent": "Sent",
    "delivered": "Delivered",
    "failed": "Not delivered",
    "unclear": "Perhaps delivered",
}
READ: Mapping[str, str] = {"unread": "Unread", "read": "Read"}
SORTS: Mapping[str, str] = {"-at": "Newest first", "at": "Oldest first"}
MOST_SHOWN = 500


class Keys(BaseModel):
    """The keys of a browser's subscription, base64url."""

    p256dh: str = Field(min_length=80, max_length=100)
    auth: str = Field(min_length=20, max_length=40)


class Subscription(BaseModel):
    """What `PushSubscription.toJSON()` gives in a browser."""

    endpoint: HttpUrl
    keys: Keys


class Ended(BaseModel):
    """A subscription that its browser gives up."""

    endpoint: HttpUrl


@dataclass(frozen=True, slots=True)
class Line:
    """One notice as its citizen sees it; `channels` says where it went and what became of it."""

    id: uuid.UUID
    at: datetime
    subject: str
    body: str
    case: str | None
    read: bool
    channels: Sequence[tuple[str, str]]


class Pages:
    """The pages /notices and /me/notices."""

    def __init__(self, database: Database, screens: Screens, zone: ZoneInfo, settings: NoticeSettings) -> None:
        self._database, self._screens, self._zone = database, screens, zone
        self._push_key = _public(settings.push_key) if settings.push_key else None

    def routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/notices", self.show)
        router.add_api_route("/notices.csv", self.export)
        router.add_api_route("/notices/read", self.read_all, methods=["POST"])
        router.add_api_route("/notices/{notice}/read", self.read, methods=["POST"])
        router.add_api_route("/me/notices", self.wishes)
        router.add_api_route("/me/notices", self.wish, methods=["POST"])
        router.add_api_route("/me/notices/push", self.push_key)
        router.add_api_route("/me/notices/push", self.subscribe, methods=["POST"], dependencies=[Depends(Limit(20, 60))])
        router.add_api_route("/me/notices/push", self.unsubscribe, methods=["DELETE"], dependencies=[Depends(Limit(20, 60))])
        return router

    def show(self, request: Request, citizen: ACitizen, q: Words = "", read: Words = "", sort: Words = "-at") -> Response:
        lang = preferences.read(request).lang
        with self._database.begin() as session:
            mine = lines(session, citizen.id, lang)
            journal.write(session, f"citizen:{citizen.id}", at=datetime.now(UTC), actor=citizen.actor, act="notices.read_list")
        context = {
            "mine": mine, "found": chosen(mine, q, read, sort), "q": q, "read": read, "sort": sort, "reads": READ, "sorts": SORTS,
            "channels": CHANNEL_TERMS, "states": STATE_TERMS,
        }  # fmt: skip
        return self._screens.render(request, "notices/list.html", context)

    def export(self, request: Request, citizen: ACitizen, q: Words = "", read: Words = "", sort: Words = "-at") -> Response:
        lang = preferences.read(request).lang
        with self._database.begin() as session:
            found = chosen(lines(session, citizen.id, lang), q, read, sort)
        out = io.StringIO()
        writer = csv.writer(out, delimiter=";" if lang == "el" else ",")
        writer.writerow([self._screens.gettext(request, term) for term in ("Told", "Subject", "Text", "Read", "Sent by")])
        for one in found:
            sent = ", ".join(
                f"{self._say(request, CHANNEL_TERMS[by])}: {self._say(request, STATE_TERMS[state])}" for by, state in one.channels
            )
            at = one.at.astimezone(self._zone).isoformat(timespec="seconds")
            writer.writerow([at, one.subject, one.body, self._say(request, READ["read" if one.read else "unread"]), sent])
        headers = {"Content-Disposition": 'attachment; filename="notices.csv"', "Cache-Control": "no-store"}
        return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    def read(self, citizen: ACitizen, notice: uuid.UUID) -> Response:
        with self._database.begin() as session:
            found = session.scalars(select(Notice).where(Notice.id == notice, Notice.citizen_id == citizen.id)).one_or_none()
            if found is None:
                raise RefusedError(404, *NOWHERE)
            found.read_at = found.read_at or datetime.now(UTC)
            about = found.about
        return RedirectResponse(f"/cases/{about.removeprefix('case:')}" if about.startswith("case:") else "/notices", 303)

    def read_all(self, citizen: ACitizen) -> Response:
        with self._database.begin() as session:
            unread = update(Notice).where(Notice.citizen_id == citizen.id, Notice.read_at.is_(None))
            session.execute(unread.values(read_at=datetime.now(UTC)))
        return RedirectResponse("/notices", 303)

    def wishes(self, request: Request, citizen: ACitizen, kept: bool = False) -> Response:
        with self._database.begin() as session:
            known = contacts.verified(session, citizen.id)
            wishes = {one.channel: one for one in session.scalars(select(NoticeWish).where(NoticeWish.citizen_id == citizen.id))}
            browsers = len(
                session.scalars(
                    select(PushSubscription.id).where(PushSubscription.citizen_id == citizen.id, PushSubscription.ended_at.is_(None))
                ).all()
            )
        context = {
            "channels": CHANNEL_TERMS, "wishes": wishes, "browsers": browsers, "kept": kept,
            "addresses": {"sms": known.get("phone"), "email": known.get("email")}, "lang_now": preferences.read(request).lang,
        }  # fmt: skip
        return self._screens.render(request, "notices/wishes.html", context)

    async def wish(self, request: Request, citizen: ACitizen) -> Response:
        form = await request.form()
        with self._database.begin() as session:
            for channel in CHANNELS:
                language = "en" if form.get(f"{channel}-language") == "en" else "el"
                keep_wish(session, citizen.id, channel, language, datetime.now(UTC), wanted=form.get(channel) == "yes")
        return RedirectResponse("/me/notices?kept=true", 303)

    def push_key(self, citizen: ACitizen) -> Response:  # noqa: ARG002  browsers of citizens alone subscribe
        """Return what a browser subscribes with; null where push is not set up."""
        return JSONResponse({"key": self._push_key})

    def subscribe(self, citizen: ACitizen, subscription: Subscription) -> Response:
        if subscription.endpoint.scheme != "https":
            return JSONResponse({"error": "a push service is reached by https alone"}, 422)
        now = datetime.now(UTC)
        with self._database.begin() as session:
            row = insert(PushSubscription).values(
                id=uuid.uuid4(), citizen_id=citizen.id, endpoint=str(subscription.endpoint), p256dh=subscription.keys.p256dh,
                auth=subscription.keys.auth, made_at=now,
            )  # fmt: skip
            # the browser belongs to whoever signed in to it last
            changed = {"citizen_id": citizen.id, "p256dh": row.excluded.p256dh, "auth": row.excluded.auth, "ended_at": None}
            session.execute(row.on_conflict_do_update(index_elements=["endpoint"], set_=changed))
            keep_wish(session, citizen.id, "push", "el", now, wanted=True)
        return Response(status_code=204)

    def unsubscribe(self, citizen: ACitizen, ended: Ended) -> Response:
        """Show no more notices in a browser; what the citizen said of the channel stays for his other browsers."""
        with self._database.begin() as session:
            mine = (PushSubscription.endpoint == str(ended.endpoint), PushSubscription.citizen_id == citizen.id)
            session.execute(update(PushSubscription).where(*mine).values(ended_at=datetime.now(UTC)))
        return Response(status_code=204)

    def _say(self, request: Request, term: str) -> str:
        return self._screens.gettext(request, term)


def lines(session: Session, citizen: uuid.UUID, lang: str) -> Sequence[Line]:
    """Read a citizen's notices in a language, newest first, with what became of each."""
    notices = session.scalars(select(Notice).where(Notice.citizen_id == citizen).order_by(Notice.made_at.desc()).limit(MOST_SHOWN)).all()
    went: dict[uuid.UUID, list[tuple[str, str]]] = {}
    ids = [one.id for one in notices]
    for row in session.scalars(select(NoticeDelivery).where(NoticeDelivery.notice_id.in_(ids)).order_by(NoticeDelivery.channel)):
        went.setdefault(row.notice_id, []).append((row.channel, row.state))
    found = []
    for one in notices:
        said = text_of(one, lang)
        case = one.about.removeprefix("case:") if one.about.startswith("case:") else None
        found.append(Line(one.id, one.made_at, said.subject, said.body, case, one.read_at is not None, went.get(one.id, [])))
    return found


def chosen(notices: Sequence[Line], q: str, read: str, sort: str) -> Sequence[Line]:
    """Return the notices in which every word of `q` occurs, without accents, and which are as `read` says; by time."""
    words = _folded(q).split()
    kept = [
        one
        for one in notices
        if all(word in _folded(f"{one.subject} {one.body}") for word in words) and read in ("", "read" if one.read else "unread")
    ]
    return sorted(kept, key=lambda one: one.at, reverse=sort != "at")


def keep_wish(session: Session, citizen: uuid.UUID, channel: Channel, language: str, now: datetime, *, wanted: bool) -> None:
    """Store whether notices come by a channel, and in which language: consent given or withdrawn is in the audit with its time."""
    before = session.get(NoticeWish, (citizen, channel))
    if before is not None and (before.wanted, before.language) == (wanted, language):
        return
    if before is None:
        session.add(NoticeWish(citizen_id=citizen, channel=channel, wanted=wanted, language=language, changed_at=now))
    else:
        before.wanted, before.language, before.changed_at = wanted, language, now
    session.flush()
    journal.write(
        session,
        f"citizen:{citizen}",
        at=now,
        actor=f"citizen:{citizen}",
        act="notices.wish",
        channel=channel,
        wanted=wanted,
        language=language,
    )


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(sign for sign in plain if unicodedata.category(sign) != "Mn").replace("ς", "σ")


def _public(key: str) -> str:
    """Return the public half of a VAPID key as a browser takes it: base64url of the uncompressed point."""
    point = Vapid02.from_string(private_key=key).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
