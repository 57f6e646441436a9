"""Where the document system calls us: signed, each event once."""

import time
from datetime import UTC, datetime

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from asty_citizen_services.database import Database
from asty_citizen_services.handover.contract import SIGNATURE, Event, is_signed
from asty_citizen_services.handover.desk import EventRefusedError, Events

ADDRESS = "/api/documents/events"
MOST = 65_536


def routes(database: Database, events: Events, secret: str) -> APIRouter:
    """Return the router of the document system's calls."""
    router = APIRouter()
    refused: dict[int | str, dict[str, object]] = {status: {} for status in (403, 404, 409, 422)}

    @router.post(ADDRESS, summary="A call of the municipality's document system, signed", responses=refused)
    async def receive(request: Request) -> Response:
        body = await request.body()
        if len(body) > MOST or not is_signed(secret, body, request.headers.get(SIGNATURE, ""), int(time.time())):
            return JSONResponse({"error": "the signature is not right or too old; nothing was changed"}, 403)
        try:
            event = msgspec.json.decode(body, type=Event)
        except msgspec.DecodeError as error:
            return JSONResponse({"error": f"not an event: {error}; nothing was changed"}, 422)
        try:
            with database.begin() as session:
                answer = events.follow(session, event, body, datetime.now(UTC))
        except EventRefusedError as error:
            return JSONResponse({"error": f"{error}; nothing was changed"}, error.status)
        return JSONResponse(answer)

    return router
