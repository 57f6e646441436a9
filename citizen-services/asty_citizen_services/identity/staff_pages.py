"""The staff's way in: a passkey, registered once by an invitation."""

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec
from asty_look import preferences
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from asty_citizen_services.cookies import Cookies
from asty_citizen_services.database import Database
from asty_citizen_services.failures import RefusedError
from asty_citizen_services.identity import accounts, ceremonies, passkeys, roles, sessions
from asty_citizen_services.identity.door import AnOfficer
from asty_citizen_services.identity.models import Department, Staff
from asty_citizen_services.identity.passkeys import PasskeyRefusedError, RelyingParty
from asty_citizen_services.identity.sign_in import Next, safe
from asty_citizen_services.rates import Limit
from asty_citizen_services.screens import Screens

log = logging.getLogger(__name__)
HOME = "/staff"
_USED = ("This invitation was used or is too old.", "Ask the administrator for a new one.")
_REFUSED = ("The passkey was not accepted.", "Nobody was signed in. Try again, or ask the administrator for a new invitation.")
MOST_BYTES = 64_000


def routes(database: Database, cookies: Cookies, screens: Screens, party: RelyingParty, *, has_directory: bool = False) -> APIRouter:
    """Return the router of /staff/sign-in and /staff/invitation. `has_directory`: the page offers the directory's sign-in too."""
    pages = _Pages(database, cookies, screens, party, has_directory=has_directory)
    router = APIRouter(include_in_schema=False, default_response_class=Response)
    limit = [Depends(Limit(30, 60))]
    router.add_api_route(HOME, pages.home)
    router.add_api_route("/staff/sign-in", pages.show)
    router.add_api_route("/staff/sign-in/begin", pages.begin, methods=["POST"], dependencies=limit)
    router.add_api_route("/staff/sign-in/finish", pages.finish, methods=["POST"], dependencies=limit)
    router.add_api_route("/staff/invitation/{token}", pages.invitation, dependencies=limit)
    router.add_api_route("/staff/invitation/{token}/begin", pages.begin_registration, methods=["POST"], dependencies=limit)
    router.add_api_route("/staff/invitation/{token}/finish", pages.finish_registration, methods=["POST"], dependencies=limit)
    return router


class _Pages:
    def __init__(self, database: Database, cookies: Cookies, screens: Screens, party: RelyingParty, *, has_directory: bool) -> None:
        self._has_directory = has_directory
        self._database, self._cookies, self._screens, self._party = database, cookies, screens, party

    def home(self, request: Request, _officer: AnOfficer) -> Response:
        english = preferences.read(request).lang == "en"
        with self._database.begin() as session:
            departments = {it.slug: it.name_en if english else it.name_el for it in session.scalars(select(Department))}
        return self._screens.render(request, "identity/staff.html", {"terms": roles.TERMS, "departments": departments})

    def show(self, request: Request, going: Next = HOME) -> Response:
        return self._screens.render(request, "identity/staff-sign-in.html", {"next": safe(going), "has_directory": self._has_directory})

    def begin(self, going: Next = HOME) -> Response:
        options, challenge = passkeys.authentication(self._party)
        with self._database.begin() as session:
            token = ceremonies.begin(session, "passkey", datetime.now(UTC), challenge=challenge, next=safe(going))
        return self._options(options, token)

    async def finish(self, request: Request) -> Response:
        return await run_in_threadpool(self._finish, request, await _json(request))

    def invitation(self, request: Request, token: str) -> Response:
        with self._database.begin() as session:
            found = accounts.invited(session, token, datetime.now(UTC))
            if found is None:
                raise RefusedError(410, *_USED)
            name = session.get_one(Staff, found.staff_id).name
        return self._screens.render(request, "identity/invitation.html", {"name": name, "token": token})

    def begin_registration(self, token: str) -> Response:
        now = datetime.now(UTC)
        with self._database.begin() as session:
            found = accounts.invited(session, token, now)
            if found is None:
                raise RefusedError(410, *_USED)
            options, challenge = passkeys.registration(session, self._party, found.staff_id)
            ceremony = ceremonies.begin(session, "passkey", now, challenge=challenge)
        return self._options(options, ceremony)

    async def finish_registration(self, request: Request, token: str) -> Response:
        return await run_in_threadpool(self._finish_registration, request, token, await _json(request))

    def _finish(self, request: Request, answer: dict[str, Any]) -> Response:
        now = datetime.now(UTC)
        kept = self._take(request, now)
        try:
            with self._database.begin() as session:
                staff = passkeys.authenticate(session, self._party, kept["challenge"], answer, now)
                token = sessions.begin(session, now, staff=staff)
        except PasskeyRefusedError as error:
            log.warning("event=passkey_refused why=%r", str(error))
            raise RefusedError(403, *_REFUSED) from error
        return self._signed_in(token, kept["next"])

    def _finish_registration(self, request: Request, token: str, answer: dict[str, Any]) -> Response:
        now = datetime.now(UTC)
        kept = self._take(request, now)
        try:
            with self._database.begin() as session:
                found = accounts.invited(session, token, now)
                if found is None:
                    raise RefusedError(410, *_USED)
                passkeys.register(session, self._party, found.staff_id, kept["challenge"], answer, name=_device(request), now=now)
                found.used_at = now
                made = sessions.begin(session, now, staff=found.staff_id)
        except PasskeyRefusedError as error:
            log.warning("event=passkey_refused why=%r", str(error))
            raise RefusedError(403, *_REFUSED) from error
        return self._signed_in(made, HOME)

    def _take(self, request: Request, now: datetime) -> dict[str, Any]:
        with self._database.begin() as session:
            kept = ceremonies.take(session, "passkey", request.cookies.get(self._cookies.ceremony, ""), now)
        if kept is None:
            raise RefusedError(403, *_REFUSED)
        return kept

    def _options(self, options: str, ceremony: str) -> Response:
        answer = Response(options, media_type="application/json", headers={"Cache-Control": "no-store"})
        self._cookies.set(answer, self._cookies.ceremony, ceremony, seconds=int(ceremonies.LASTS.total_seconds()))
        return answer

    def _signed_in(self, token: str, going: str) -> Response:
        answer = JSONResponse({"next": going})
        self._cookies.set(answer, self._cookies.session, token)
        self._cookies.clear(answer, self._cookies.ceremony)
        return answer


async def _json(request: Request) -> dict[str, Any]:
    body = await request.body()
    try:
        return msgspec.json.decode(body if len(body) <= MOST_BYTES else b"", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise RefusedError(422, *_REFUSED) from error


def _device(request: Request) -> str:
    return request.headers.get("user-agent", "")[:200]
