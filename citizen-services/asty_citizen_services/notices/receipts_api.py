"""Where an HTTP gateway says what became of a message: a call signed with the key that was agreed."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Literal

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from asty_citizen_services.database import Database
from asty_citizen_services.notices import delivery
from asty_citizen_services.notices.carrier import Receipt

ADDRESS = "/api/notices/receipts"
SIGNATURE = "asty-signature"
MOST = 16_384


class Said(msgspec.Struct, forbid_unknown_fields=False):
    """The gateway's call: its own id of the message, and how it ended."""

    id: str
    state: Literal["delivered", "failed"]
    why: str = ""


def sign(secret: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of a body as hex, as the header `Asty-Signature` carries it."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def routes(database: Database, secret: str) -> APIRouter:
    """Return the router of the gateway's receipts. `secret` is shared with the gateway."""
    router = APIRouter()

    @router.post(ADDRESS, summary="A gateway's delivery receipt, signed", status_code=204, responses={403: {}, 404: {}, 422: {}})
    async def receive(request: Request) -> Response:
        body = await request.body()
        if len(body) > MOST or not hmac.compare_digest(sign(secret, body).encode(), request.headers.get(SIGNATURE, "").encode()):
            return JSONResponse({"error": "the signature is not right; nothing was stored"}, 403)
        try:
            said = msgspec.json.decode(body, type=Said)
        except msgspec.DecodeError as error:
            return JSONResponse({"error": f"not a receipt: {error}"}, 422)
        with database.begin() as session:
            known = delivery.receive(session, Receipt(said.id, said.state, datetime.now(UTC), said.why))
        return Response(status_code=204) if known else JSONResponse({"error": "no such message of ours"}, 404)

    return router
