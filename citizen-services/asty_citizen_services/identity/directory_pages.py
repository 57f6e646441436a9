"""The staff's other way in: by the municipality's directory, where it has one."""

import hmac
import logging
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.cookies import Cookies
from asty_citizen_services.database import Database
from asty_citizen_services.failures import RefusedError
from asty_citizen_services.identity import ceremonies, sessions, tokens
from asty_citizen_services.identity.models import Staff
from asty_citizen_services.identity.oidc import Account, DirectoryAwayError, DirectoryRefusedError, StaffLogin
from asty_citizen_services.identity.sign_in import Next, safe
from asty_citizen_services.rates import Limit

log = logging.getLogger(__name__)
BEGIN, BACK = "/staff/sign-in/directory", "/staff/sign-in/directory/return"
HOME = "/office"
FAILED = ("The sign-in at the municipality's directory failed.", "Nobody was signed in. Begin again.")
AWAY = (
    "The municipality's directory does not answer right now.",
    "Nobody was signed in. Try again in a few minutes, or use your passkey.",
)
UNKNOWN = ("The municipality's directory does not know this account here.", "Ask the administrator to add it.")


def routes(database: Database, cookies: Cookies, login: StaffLogin) -> APIRouter:
    """Return the router of the sign-in by the directory."""
    pages = _Pages(database, cookies, login)
    router = APIRouter(include_in_schema=False, default_response_class=Response)
    limit = [Depends(Limit(30, 60))]
    router.add_api_route(BEGIN, pages.begin, dependencies=limit)
    router.add_api_route(BACK, pages.come_back, dependencies=limit)
    return router


class _Pages:
    def __init__(self, database: Database, cookies: Cookies, login: StaffLogin) -> None:
        self._database, self._cookies, self._login = database, cookies, login

    def begin(self, going: Next = HOME) -> Response:
        nonce, verifier = tokens.fresh(), tokens.fresh()
        with self._database.begin() as session:
            token = ceremonies.begin(session, "oidc", datetime.now(UTC), next=safe(going), nonce=nonce, verifier=verifier)
        try:
            answer = RedirectResponse(self._login.address(token, nonce, verifier), 303)
        except DirectoryAwayError as away:
            log.error("event=directory_away why=%r", str(away))  # noqa: TRY400  the reason says it all
            raise RefusedError(502, *AWAY) from away
        self._cookies.set(answer, self._cookies.ceremony, token, seconds=int(ceremonies.LASTS.total_seconds()))
        return answer

    def come_back(self, request: Request, state: str = "", code: str = "") -> Response:
        now = datetime.now(UTC)
        began = request.cookies.get(self._cookies.ceremony, "")
        if not began or not hmac.compare_digest(began.encode(), state.encode()):
            raise RefusedError(400, *FAILED)
        with self._database.begin() as session:
            kept = ceremonies.take(session, "oidc", state, now)
        if kept is None or not code:
            raise RefusedError(400, *FAILED)
        try:
            account = self._login.account(code, kept["nonce"], kept["verifier"])
        except DirectoryRefusedError as refusal:
            log.warning("event=directory_refused why=%r", str(refusal))
            raise RefusedError(403, *FAILED) from refusal
        except DirectoryAwayError as away:
            log.error("event=directory_away why=%r", str(away))  # noqa: TRY400  the reason says it all
            raise RefusedError(502, *AWAY) from away
        with self._database.begin() as session:
            staff = _known(session, account)
            if staff is None:
                raise RefusedError(403, *UNKNOWN)
            if old := request.cookies.get(self._cookies.session):
                sessions.end(session, old)
            token = sessions.begin(session, now, staff=staff.id)
            journal.write(session, f"staff:{staff.id}", at=now, actor=f"staff:{staff.id}", act="identity.sign_in", by="directory")
        answer = RedirectResponse(kept["next"], 303)
        self._cookies.set(answer, self._cookies.session, token)
        self._cookies.clear(answer, self._cookies.ceremony)
        return answer


def _known(session: Session, account: Account) -> Staff | None:
    """Return the open account that is bound to this subject; at its first sign-in the one that was made for its verified address."""
    bound = session.scalars(select(Staff).where(Staff.oidc_subject == account.subject)).one_or_none()
    if bound is not None:
        return bound if bound.ended_at is None else None
    made = session.scalars(
        select(Staff).where(Staff.email == account.email, Staff.oidc_subject.is_(None), Staff.ended_at.is_(None)).with_for_update()
    ).all()
    if not account.email or len(made) != 1:
        return None
    made[0].oidc_subject = account.subject
    return made[0]
