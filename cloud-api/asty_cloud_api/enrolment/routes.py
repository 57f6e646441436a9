"""The address at which edges ask (`POST /api/enrolment`), and the officers' page (/enrolment)."""

import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from asty_contracts.enrolment import MAX_BODY, PATH, EnrolmentRefused
from asty_look import preferences
from asty_look.pages import Pages
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.concurrency import run_in_threadpool

from asty_cloud_api.enrolment.authority import NoAuthorityError
from asty_cloud_api.enrolment.broker import BrokerAwayError
from asty_cloud_api.enrolment.desk import CantBeDoneError
from asty_cloud_api.enrolment.door import Door
from asty_cloud_api.enrolment.office import Office
from asty_cloud_api.enrolment.reads import DEVICES, SIGNS, STATES
from asty_cloud_api.enrolment.request import RefusedError
from asty_cloud_api.reads.listing import BadQueryError, Query, everything, page, parse
from asty_cloud_api.screens.export import csv_lines
from asty_cloud_api.staff.gate import person_of
from asty_cloud_api.staff.person import Acting

log = logging.getLogger(__name__)
_WAITING = f"SELECT * FROM ({DEVICES.source}) AS l WHERE state = 'waiting' ORDER BY asked_at, edge"  # noqa: S608  the listing's own text
_VERDICTS = {
    "none": (403, "Decisions are made with the command asty enrol: no officers' code is set here."),
    "wrong": (403, "The officers' code is wrong. Nothing was changed."),
    "shut": (429, "Too many wrong codes. Try again in five minutes."),
}
_DECIDED = (409, "This was decided already, or is no longer there. Nothing was changed.")
_UNTOLD = (502, "The decision stands and the revocation list is written, but the broker could not be told:")
_CODELESS = (422, "The officers' code is needed. Nothing was changed.")
_UNREASONED = (422, "A reason is needed; it is kept with the decision. Nothing was changed.")
_UNREADY = (503, "Enrolment is not set up on this server:")
Name = Annotated[str, Form(max_length=80)]
Why = Annotated[str, Form(max_length=300)]


def routes(office: Office | None, code: str | None, engine: AsyncEngine, pages: Pages, zone: ZoneInfo) -> APIRouter:
    """Return the router. Without an office edges are told so, and the page tells how to set it up."""
    router = APIRouter()
    router.include_router(_interface(office))
    router.include_router(_Screen(office, Door(code), engine, pages, zone).router())
    return router


def _interface(office: Office | None) -> APIRouter:
    router = APIRouter()

    @router.post(PATH, summary="An edge asks for its certificate, with a claim or with the certificate that it renews")
    async def ask(request: Request) -> Response:
        if office is None:
            return _refused(503, "enrolment is not set up on this server", "set ASTY_CA_FOLDER and run asty enrol prepare")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                return _refused(413, f"the request is longer than {MAX_BODY} bytes", "send the certificate request alone")
        address = request.client.host if request.client else ""
        try:
            answer = await run_in_threadpool(office.take, body, address)
        except RefusedError as error:
            log.warning("event=enrolment_refused_at_the_door from=%s status=%d error=%r", address, error.status, error.error)
            return _refused(error.status, error.error, error.advice)
        except NoAuthorityError as error:
            return _refused(503, "enrolment is not set up on this server", str(error))
        return Response(msgspec.json.encode(answer), media_type="application/json", headers={"Cache-Control": "no-store"})

    return router


def _refused(status: int, error: str, advice: str) -> Response:
    return Response(msgspec.json.encode(EnrolmentRefused(error, advice)), status, media_type="application/json")


class _Screen:
    """The officers' page: who waits, every device, and the acts, which need the officers' code."""

    def __init__(self, office: Office | None, door: Door, engine: AsyncEngine, pages: Pages, zone: ZoneInfo) -> None:
        self._office, self._door, self._engine, self._pages, self._zone = office, door, engine, pages, zone

    def router(self) -> APIRouter:
        router = APIRouter(include_in_schema=False, default_response_class=Response)
        router.add_api_route("/enrolment", self.show)
        router.add_api_route("/enrolment.csv", self.export)
        router.add_api_route("/enrolment/revoke", self.ask_to_revoke)
        router.add_api_route("/enrolment/revoke", self.revoke, methods=["POST"])
        router.add_api_route("/enrolment/{request_id}/approve", self.approve, methods=["POST"])
        router.add_api_route("/enrolment/{request_id}/refuse", self.refuse, methods=["POST"])
        return router

    async def show(self, request: Request) -> Response:
        return await self._page(request, 200, None, "")

    async def export(self, request: Request) -> Response:
        query = parse(DEVICES, request.query_params)
        async with self._engine.connect() as connection:
            rows = await everything(connection, DEVICES, query, self._zone, datetime.now(UTC))
        lines = csv_lines(
            DEVICES, rows, preferences.read(request).lang, self._zone, lambda term: self._pages.gettext(request, term)
        )  # fmt: skip
        headers = {"Content-Disposition": 'attachment; filename="enrolment.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)

    async def ask_to_revoke(self, request: Request, edge: str = "") -> Response:
        return self._revocation(request, edge, 200, None, "")

    async def approve(self, request: Request, person: Acting, request_id: uuid.UUID, code: Name = "") -> Response:
        status, said, more = await self._decide(person.name, code, lambda office: office.approve(request_id, person.name))
        return _done("approved", more) if said is None else await self._page(request, status, said, more)

    async def refuse(self, request: Request, person: Acting, request_id: uuid.UUID, code: Name = "", why: Why = "") -> Response:
        if not why.strip():
            return await self._page(request, *_UNREASONED, "")
        status, said, more = await self._decide(person.name, code, lambda office: office.refuse(request_id, person.name, why.strip()))
        return _done("refused", more) if said is None else await self._page(request, status, said, more)

    async def revoke(
        self, request: Request, person: Acting, edge: Annotated[str, Form(max_length=32)] = "", code: Name = "", why: Why = ""
    ) -> Response:
        if not why.strip():
            return self._revocation(request, edge, *_UNREASONED, "")
        status, said, more = await self._decide(person.name, code, lambda office: office.revoke(edge, person.name, why.strip()))
        return _done("revoked", edge) if said is None else self._revocation(request, edge, status, said, more)

    async def _decide(self, officer: str, code: str, act: Callable[[Office], object]) -> tuple[int, str | None, str]:
        """Do an officer's act; returns the status, what went wrong (a term, None when nothing did) and its detail or the act's result."""
        if self._office is None:
            return *_UNREADY, "ASTY_CA_FOLDER"
        if not code:
            return *_CODELESS, ""
        verdict = self._door.knock(code, time.monotonic())
        if verdict != "open":
            log.warning("event=enrolment_code_%s officer=%r", verdict, officer)
            return *_VERDICTS[verdict], ""
        office = self._office
        try:
            return 200, None, str(await run_in_threadpool(act, office))
        except CantBeDoneError:
            return *_DECIDED, ""
        except BrokerAwayError as error:
            return *_UNTOLD, str(error)
        except NoAuthorityError as error:
            return *_UNREADY, str(error)

    async def _page(self, request: Request, status: int, said: str | None, more: str) -> Response:
        now = datetime.now(UTC)
        wrong: BadQueryError | None = None
        try:
            query = parse(DEVICES, request.query_params)
        except BadQueryError as error:
            wrong, query, status = error, Query(sort=DEVICES.sort), 422
        async with self._engine.connect() as connection:
            found = None if wrong else await page(connection, DEVICES, query, self._zone, now)
            waiting = (await connection.execute(text(_WAITING), {"now": now})).mappings().all()
        context: dict[str, Any] = {"listing": DEVICES, "query": query, "found": found, "wrong": wrong, "waiting": waiting, "now": now}
        context |= {"said": said, "more": more, "given": request.query_params, "states": STATES, "signs": SIGNS}
        context |= {"ready": self._office is not None, "decides": self._door.code is not None, "administers": _administers(request)}
        return self._pages.render(request, "enrolment.html", context, status=status)

    def _revocation(self, request: Request, edge: str, status: int, said: str | None, more: str) -> Response:
        context = {"edge": edge, "said": said, "more": more, "administers": _administers(request)}
        context |= {"decides": self._office is not None and self._door.code is not None}
        return self._pages.render(request, "enrolment-revoke.html", context, status=status)


def _administers(request: Request) -> bool:
    person = person_of(request)
    return person is not None and person.administers


def _done(what: str, edge: str) -> Response:
    return RedirectResponse(f"/enrolment?done={what}&edge={edge}", 303)
