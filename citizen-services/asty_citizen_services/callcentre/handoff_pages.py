"""The caller's side of a link: the code that proves whose phone it is, and the form, in that browser alone."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.callcentre import callers, handoffs
from asty_citizen_services.callcentre.models import Call, Handoff
from asty_citizen_services.cookies import Cookies
from asty_citizen_services.database import Database
from asty_citizen_services.drafts.filling import Filling, Place, Posted
from asty_citizen_services.drafts.models import Draft
from asty_citizen_services.failures import RefusedError
from asty_citizen_services.identity import checks, contacts
from asty_citizen_services.identity.contacts import ContactError
from asty_citizen_services.identity.door import anybody
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.identity.notifier import Message, Notifier, NotSentError
from asty_citizen_services.rates import Limit
from asty_citizen_services.registry import receipt
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.screens import Screens

log = logging.getLogger(__name__)
OVER = ("The link was used already, or it is too old.", "What was filled in is kept. Call us for a new link, or sign in with TaxisNet.")
_WRONG_CODE = "The code is wrong or too old. After five wrong tries ask for a new one."
_NOT_SENT = "The code could not be sent. Try again in a few minutes."
AT = "/handoff"


@dataclass(frozen=True)
class HandoffPages:
    """What the pages need. `notifier` sends codes, whose hashes `secret` keys."""

    database: Database
    screens: Screens
    cookies: Cookies
    filling: Filling
    notifier: Notifier
    secret: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routes(self) -> APIRouter:
        """Return the router of /h and /handoff."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        limit = [Depends(Limit(20, 60))]
        router.add_api_route("/h/{token}", self.link, dependencies=limit)
        router.add_api_route("/h/{token}/code", self.send_code, methods=["POST"], dependencies=limit)
        router.add_api_route("/h/{token}/open", self.open, methods=["POST"], dependencies=limit)
        router.add_api_route("/handoff", self.resume)
        router.add_api_route("/handoff/saved", self.saved)
        router.add_api_route("/handoff/check", self.look_over)
        router.add_api_route("/handoff/file", self.file, methods=["POST"])
        router.add_api_route("/handoff/receipt", self.receipt)
        router.add_api_route("/handoff/{page}", self.show)
        router.add_api_route("/handoff/{page}", self.keep, methods=["POST"])
        return router

    def link(self, request: Request, token: str) -> Response:
        """Say what the link is for; looking at it, as a phone's preview does, uses nothing up."""
        with self.database.begin() as session:
            return self._door(request, session, token)

    def send_code(self, request: Request, token: str) -> Response:
        with self.database.begin() as session:
            found = self._linked(session, token)
            try:
                code = contacts.begin(session, found.citizen_id, "phone", found.phone, secret=self.secret, now=self.clock())
            except ContactError as error:
                return self._door(request, session, token, wrong=str(error), status=422)
        text = self.screens.gettext(request, "%(code)s is your code for %(municipality)s. It is valid for 10 minutes.")
        said = text % {"code": code.code, "municipality": self.screens.municipality}
        try:
            self.notifier.send(Message("phone", code.address, "", said))
        except NotSentError as error:
            log.error("event=code_not_sent kind=phone why=%r", str(error))  # noqa: TRY400  the reason says it all
            with self.database.begin() as session:
                return self._door(request, session, token, wrong=_NOT_SENT, status=502)
        with self.database.begin() as session:
            return self._door(request, session, token, sent=True)

    def open(self, request: Request, token: str, code: Annotated[str, Form(max_length=20)] = "") -> Response:
        with self.database.begin() as session:
            found = self._linked(session, token)
            browser = handoffs.open_with(session, found, code, self.secret, self.clock())
            if browser is None:
                return self._door(request, session, token, sent=True, wrong=_WRONG_CODE, status=422)
        answer = RedirectResponse(AT, 303)
        self.cookies.set(answer, self.cookies.handoff, browser, seconds=int(handoffs.OPEN_FOR.total_seconds()))
        return answer

    def resume(self, request: Request) -> Response:
        with self.database.begin() as session:
            if self._handoff(request, session).ended_at is not None:
                return RedirectResponse(f"{AT}/receipt", 303)
            _, draft, _ = self._draft(request, session)
            return RedirectResponse(f"{AT}/{self.filling.first_wrong(draft)}", 303)

    def saved(self, request: Request) -> Response:
        with self.database.begin() as session:
            found = self._handoff(request, session)
            return self.screens.render(request, "callcentre/saved.html", {"expires_at": found.expires_at})

    def show(self, request: Request, page: str) -> Response:
        with self.database.begin() as session:
            _, draft, place = self._draft(request, session)
            return self.filling.show(request, session, draft, page, place)

    def keep(self, request: Request, page: str, form: Posted) -> Response:
        with self.database.begin() as session:
            _, draft, place = self._draft(request, session)
            return self.filling.keep(request, session, draft, page, form, place)

    def look_over(self, request: Request) -> Response:
        with self.database.begin() as session:
            _, draft, place = self._draft(request, session)
            return self.filling.look_over(request, session, draft, place)

    def file(self, request: Request) -> Response:
        """File the form once; how the caller was recognised on the telephone is kept with the case."""
        with self.database.begin() as session:
            found = self._handoff(request, session)
            if found.ended_at is None:
                _, draft, place = self._draft(request, session)
                if (page := self.filling.first_wrong(draft)) != "check":
                    return RedirectResponse(f"{AT}/{page}", 303)
                case = self.filling.file(session, request, draft, place.actor, "call_centre")
                found.ended_at = self.clock()
                check = session.get_one(Call, found.call_id).check_id
                if check is not None:
                    checks.use(session, check, case, by=place.actor, now=self.clock())
        return RedirectResponse(f"{AT}/receipt", 303)

    def receipt(self, request: Request) -> Response:
        with self.database.begin() as session:
            found = self._handoff(request, session)
            row = session.execute(
                select(Application, Docket)
                .join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
                .where(Application.key == str(found.draft_id), Application.citizen_id == found.citizen_id)
            ).one_or_none()
            if row is None:
                raise RefusedError(410, *OVER)
            application, docket = row
            said = receipt.of(docket, self.filling.zone)
            journal.write(
                session, f"case:{application.id}", at=self.clock(), actor=f"citizen:{found.citizen_id}", act="callcentre.read_receipt"
            )
            context = {"call": None, "citizen": None, "receipt": said, "application": application, "docket": docket}
            return self.screens.render(request, "callcentre/receipt.html", context)

    def _door(
        self, request: Request, session: Session, token: str, *, sent: bool = False, wrong: str = "", status: int = 200
    ) -> Response:  # fmt: skip
        found = self._linked(session, token)
        context = {
            "token": token, "sent": sent, "wrong": wrong, "digits": found.phone[-3:],
            "initials": callers.initials(session.get_one(Citizen, found.citizen_id)),
            "manifest": self.filling.procedure(found.procedure).manifest,
        }  # fmt: skip
        return self.screens.render(request, "callcentre/link.html", context, status=status)

    def _linked(self, session: Session, token: str) -> Handoff:
        found = handoffs.linked(session, token, self.clock())
        if found is None:
            raise RefusedError(410, *OVER)
        return found

    def _handoff(self, request: Request, session: Session) -> Handoff:
        found = handoffs.of_browser(session, request.cookies.get(self.cookies.handoff, ""), self.clock())
        if found is None:
            raise RefusedError(410, *OVER)
        return found

    def _draft(self, request: Request, session: Session) -> tuple[Handoff, Draft, Place]:
        found = self._handoff(request, session)
        draft = session.scalars(
            select(Draft)
            .where(Draft.id == found.draft_id, Draft.citizen_id == found.citizen_id, Draft.filed_at.is_(None))
            .with_for_update()
        ).one_or_none()  # fmt: skip
        if draft is None:
            raise RefusedError(410, *OVER)
        return found, draft, Place(AT, f"{AT}/saved", f"citizen:{found.citizen_id}", frame="callcentre/frame.html", can_give_up=False)
