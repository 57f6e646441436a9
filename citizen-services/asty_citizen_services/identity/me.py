"""The citizen's own details: what the sign-in said, where notices go, for whom he or she acts."""

import logging
import uuid
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from asty_citizen_services.cookies import Cookies
from asty_citizen_services.database import Database
from asty_citizen_services.identity import contacts, mandates, sessions
from asty_citizen_services.identity.contacts import ContactError
from asty_citizen_services.identity.door import ACitizen
from asty_citizen_services.identity.notifier import Kind, Message, Notifier, NotSentError
from asty_citizen_services.identity.visitor import CitizenVisitor
from asty_citizen_services.rates import Limit
from asty_citizen_services.screens import Screens

log = logging.getLogger(__name__)
Typed = Annotated[str, Form(max_length=254)]
_WRONG_CODE = "The code is wrong or too old. After five wrong tries ask for a new one."
_NOT_SENT = "The code could not be sent. Try again in a few minutes."


def routes(database: Database, cookies: Cookies, screens: Screens, notifier: Notifier, secret: str) -> APIRouter:
    """Return the router of /me. `secret` keys the hashes of codes."""
    pages = _Pages(database, cookies, screens, notifier, secret)
    router = APIRouter(include_in_schema=False, default_response_class=Response)
    router.add_api_route("/me", pages.show)
    router.add_api_route("/me/{kind}", pages.send_code, methods=["POST"], dependencies=[Depends(Limit(20, 60))])
    router.add_api_route("/me/{kind}/code", pages.check_code, methods=["POST"], dependencies=[Depends(Limit(20, 60))])
    router.add_api_route("/me/acts/for", pages.act_for, methods=["POST"])
    return router


class _Pages:
    def __init__(self, database: Database, cookies: Cookies, screens: Screens, notifier: Notifier, secret: str) -> None:
        self._database, self._cookies, self._screens, self._notifier, self._secret = database, cookies, screens, notifier, secret

    def show(self, request: Request, citizen: ACitizen, sent: Kind | None = None) -> Response:
        return self._page(request, citizen, sent=sent)

    def send_code(self, request: Request, citizen: ACitizen, kind: Kind, address: Typed = "") -> Response:
        try:
            with self._database.begin() as session:
                code = contacts.begin(session, citizen.id, kind, address, secret=self._secret, now=datetime.now(UTC))
            text = self._screens.gettext(request, "%(code)s is your code for %(municipality)s. It is valid for 10 minutes.")
            subject = self._screens.gettext(request, "Your code")
            said = text % {"code": code.code, "municipality": self._screens.municipality}
            self._notifier.send(Message(kind, code.address, subject, said))
        except ContactError as error:
            return self._page(request, citizen, wrong=(kind, str(error)), typed=address, status=422)
        except NotSentError as error:
            log.error("event=code_not_sent kind=%s why=%r", kind, str(error))  # noqa: TRY400  the reason says it all
            return self._page(request, citizen, wrong=(kind, _NOT_SENT), typed=address, status=502)
        return RedirectResponse(f"/me?sent={kind}#{kind}", 303)

    def check_code(self, request: Request, citizen: ACitizen, kind: Kind, code: Typed = "") -> Response:
        with self._database.begin() as session:
            right = contacts.finish(session, citizen.id, kind, code, secret=self._secret, now=datetime.now(UTC))
        if not right:
            return self._page(request, citizen, sent=kind, wrong=(kind, _WRONG_CODE), status=422)
        return RedirectResponse(f"/me#{kind}", 303)

    def act_for(self, request: Request, citizen: ACitizen, mandate: Typed = "") -> Response:
        with self._database.begin() as session:
            mine = {str(one.id) for one in mandates.of(session, citizen.id, datetime.now(UTC))}
            chosen = uuid.UUID(mandate) if mandate in mine else None
            sessions.act_for(session, request.cookies[self._cookies.session], chosen)
        return RedirectResponse("/cases", 303)

    def _page(
        self, request: Request, citizen: CitizenVisitor, *, sent: Kind | None = None, wrong: tuple[Kind, str] | None = None,
        typed: str = "", status: int = 200,
    ) -> Response:  # fmt: skip
        with self._database.begin() as session:
            known = contacts.verified(session, citizen.id)
            mine = mandates.of(session, citizen.id, datetime.now(UTC))
        context = {"citizen": citizen, "known": known, "mandates": mine, "sent": sent, "wrong": wrong, "typed": typed}
        return self._screens.render(request, "identity/me.html", context, status=status)
