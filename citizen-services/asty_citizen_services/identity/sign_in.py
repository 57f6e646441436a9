"""The citizen's way in: to the national sign-in and back."""

import hmac
import logging
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from asty_citizen_services.cookies import Cookies
from asty_citizen_services.database import Database
from asty_citizen_services.identity import ceremonies, citizens, sessions
from asty_citizen_services.identity.taxisnet import CitizenLogin, LoginAwayError, LoginRefusedError
from asty_citizen_services.rates import Limit
from asty_citizen_services.screens import Screens

log = logging.getLogger(__name__)
BACK = "/sign-in/taxisnet/return"
Next = Annotated[str, Query(alias="next", max_length=500)]
_REFUSED = "The sign-in was not completed. Nothing was changed; begin again."
_STALE = "The sign-in took too long, or began in another browser. Begin again."
_AWAY = "TaxisNet does not answer right now. Try again in a few minutes."


def safe(path: str) -> str:
    """Return where to go on after the sign-in: one of our own pages, else the home page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


def routes(database: Database, cookies: Cookies, screens: Screens, login: CitizenLogin | None, address: str) -> APIRouter:
    """Return the router of /sign-in. Without a login the page says that it is not set up. `address` is the server's own."""
    pages = _Pages(database, cookies, screens, login, address)
    router = APIRouter(include_in_schema=False, default_response_class=Response)
    limit = Depends(Limit(30, 60))
    router.add_api_route("/sign-in", pages.show)
    router.add_api_route("/sign-in/taxisnet", pages.begin, dependencies=[limit])
    router.add_api_route(BACK, pages.come_back, dependencies=[limit])
    router.add_api_route("/sign-out", pages.sign_out, methods=["POST"])
    router.add_api_route("/signed-out", pages.signed_out)
    return router


class _Pages:
    def __init__(self, database: Database, cookies: Cookies, screens: Screens, login: CitizenLogin | None, address: str) -> None:
        self._database, self._cookies, self._screens, self._login, self._address = database, cookies, screens, login, address

    def show(self, request: Request, going: Next = "/") -> Response:
        return self._page(request, going)

    def begin(self, request: Request, going: Next = "/") -> Response:
        if self._login is None:
            return self._page(request, going, status=503)
        with self._database.begin() as session:
            token = ceremonies.begin(session, "taxisnet", datetime.now(UTC), next=safe(going))
        answer = RedirectResponse(self._login.address(token), 303)
        self._cookies.set(answer, self._cookies.ceremony, token, seconds=int(ceremonies.LASTS.total_seconds()))
        return answer

    def come_back(self, request: Request, state: str = "", code: str = "", error: str = "") -> Response:
        now = datetime.now(UTC)
        began = request.cookies.get(self._cookies.ceremony, "")
        if self._login is None or not began or not hmac.compare_digest(began.encode(), state.encode()):
            return self._page(request, "/", _STALE, 400)
        with self._database.begin() as session:
            kept = ceremonies.take(session, "taxisnet", state, now)
        if kept is None:
            return self._page(request, "/", _STALE, 400)
        if error or not code:
            return self._page(request, kept["next"], _REFUSED, 403)
        try:
            person = self._login.person(code)
        except LoginRefusedError as refusal:
            log.warning("event=citizen_login_refused why=%r", str(refusal))
            return self._page(request, kept["next"], _REFUSED, 403)
        except LoginAwayError as away:
            log.error("event=citizen_login_away why=%r", str(away))  # noqa: TRY400  the reason says it all
            return self._page(request, kept["next"], _AWAY, 502)
        with self._database.begin() as session:
            if old := request.cookies.get(self._cookies.session):
                sessions.end(session, old)
            token = sessions.begin(session, now, citizen=citizens.remember(session, person, now))
        answer = RedirectResponse(kept["next"], 303)
        self._cookies.set(answer, self._cookies.session, token)
        self._cookies.clear(answer, self._cookies.ceremony)
        return answer

    def sign_out(self, request: Request) -> Response:
        if token := request.cookies.get(self._cookies.session):
            with self._database.begin() as session:
                sessions.end(session, token)
        answer = RedirectResponse("/signed-out", 303)
        self._cookies.clear(answer, self._cookies.session)
        return answer

    def signed_out(self, request: Request) -> Response:
        everywhere = self._login.sign_out_address(self._address) if self._login else None
        return self._screens.render(request, "identity/signed-out.html", {"everywhere": everywhere})

    def _page(self, request: Request, going: str, wrong: str = "", status: int = 200) -> Response:
        context = {"next": safe(going), "wrong": wrong, "is_set_up": self._login is not None}
        return self._screens.render(request, "identity/sign-in.html", context, status=status)
