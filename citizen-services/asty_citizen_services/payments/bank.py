"""The bank's pay page: we lead the citizen there with signed particulars, and it calls us back, signed, when it has the money."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from asty_citizen_services.database import Database
from asty_citizen_services.payments import desk
from asty_citizen_services.payments.desk import Word
from asty_citizen_services.payments.models import Fee
from asty_citizen_services.settings import BankSettings

CALLBACK = "/api/payments/callback"
SIGNATURE = "asty-signature"
MOST = 16_384


class Said(msgspec.Struct):
    """The bank's call. `order` is our id of the fee; `paid` is the only state that counts."""

    order: str
    cents: int
    currency: Literal["EUR"]
    state: Literal["paid", "refused", "cancelled"]
    bank_reference: str


def sign(secret: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of a body, hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def pay_address(bank: BankSettings, fee: Fee, back: str) -> str:
    """Return where the citizen pays a fee: its particulars in the query, `sig` over all before it; `back` is where he returns to."""
    query = urlencode({"order": str(fee.id), "cents": fee.cents, "currency": "EUR", "code": fee.code or "", "back": back})
    return f"{bank.address}/pay?{query}&sig={sign(bank.secret, query.encode())}"


def routes(database: Database, secret: str) -> APIRouter:
    """Return the router of the bank's callback."""
    router = APIRouter()

    @router.post(CALLBACK, summary="The bank's word on a payment, signed", status_code=204, responses={403: {}, 404: {}, 409: {}, 422: {}})
    async def callback(request: Request) -> Response:
        body = await request.body()
        if len(body) > MOST or not hmac.compare_digest(sign(secret, body).encode(), request.headers.get(SIGNATURE, "").encode()):
            return JSONResponse({"error": "the signature is not right; nothing was changed"}, 403)
        try:
            said = msgspec.json.decode(body, type=Said)
        except msgspec.DecodeError as error:
            return JSONResponse({"error": f"not a payment: {error}; nothing was changed"}, 422)
        if said.state != "paid":
            return Response(status_code=204)
        with database.begin() as session:
            outcome = desk.take(session, Word(said.order, said.cents, said.bank_reference, datetime.now(UTC)), "bank")
        if outcome == "unknown":
            return JSONResponse({"error": "no such fee; nothing was changed"}, 404)
        if outcome == "differs":
            return JSONResponse({"error": "the amount or the reference is another one; nothing was changed, call the municipality"}, 409)
        return Response(status_code=204)

    return router
