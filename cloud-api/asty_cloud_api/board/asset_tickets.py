"""The page of tickets: /tickets, its CSV, and the acts on a ticket."""

import uuid
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from asty_cloud_api.board import counter
from asty_cloud_api.board.counter import TICKETS
from asty_cloud_api.board.desk import Desk, done
from asty_cloud_api.reads.listing import BadQueryError, Query, everything, page, parse
from asty_cloud_api.staff.person import Acting

_OVER = "This ticket is no longer as you saw it. Nothing was changed."
_UNSAID = "A note is needed: what was done about it. Nothing was changed."


def routes(desk: Desk) -> APIRouter:
    """Return the router."""
    router = APIRouter(include_in_schema=False, default_response_class=Response)

    async def show(request: Request) -> Response:
        return await _page(request)

    async def _page(request: Request, said: str | None = None) -> Response:
        now, after = datetime.now(UTC), desk.feed.position
        wrong: BadQueryError | None = None
        try:
            query = parse(TICKETS, request.query_params)
        except BadQueryError as error:
            wrong, query = error, Query(sort=TICKETS.sort, descending=True)
        async with desk.engine.connect() as connection:
            found = None if wrong else await page(connection, TICKETS, query, desk.zone, now)
        context = {"listing": TICKETS, "query": query, "found": found, "wrong": wrong, "after": after, "said": said}
        return desk.render(request, "tickets.html", context, status=422 if wrong else 409 if said else 200)

    async def export(request: Request) -> Response:
        query = parse(TICKETS, request.query_params)
        async with desk.engine.connect() as connection:
            rows = await everything(connection, TICKETS, query, desk.zone, datetime.now(UTC))
        return desk.csv(request, TICKETS, rows, "tickets")

    async def look(_request: Request) -> Response:
        return done(f"/tickets?found={await counter.look(desk.writer, desk.zone)}")

    async def close(request: Request, person: Acting, name: uuid.UUID, note: Annotated[str, Form(max_length=500)] = "") -> Response:
        if not note.strip():
            return await _page(request, _UNSAID)
        async with desk.writer.begin() as connection:
            closed = await counter.close(connection, name, person.name, note.strip())
        return done("/tickets?done=closed") if closed else await _page(request, _OVER)

    async def reopen(request: Request, name: uuid.UUID) -> Response:
        async with desk.writer.begin() as connection:
            opened = await counter.reopen(connection, name)
        return done("/tickets?done=opened") if opened else await _page(request, _OVER)

    router.add_api_route("/tickets", show)
    router.add_api_route("/tickets.csv", export)
    router.add_api_route("/tickets/look", look, methods=["POST"])
    router.add_api_route("/tickets/{name}/close", close, methods=["POST"])
    router.add_api_route("/tickets/{name}/open", reopen, methods=["POST"])
    return router
