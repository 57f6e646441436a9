"""A bank's pay page for a laptop: strict with what it is given, signs what it says, and is plainly no bank."""

import hmac
import html
import json
import secrets
from urllib.parse import parse_qs

import httpx
from asty_process.environment import SettingsError
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from asty_citizen_services.payments import rf
from asty_citizen_services.payments.bank import CALLBACK, SIGNATURE, sign
from asty_citizen_services.settings import Settings

_PAGE = """<!doctype html><html lang="el"><meta charset="utf-8"><title>Δοκιμαστική τράπεζα</title>
<h1>Δοκιμαστική τράπεζα</h1><p>Δεν χρεώνεται κανείς.</p><p>Κωδικός {code}, ποσό {amount}</p>
<form method="post"><button name="do" value="paid">Πληρωμή</button> <button name="do" value="refused">Ακύρωση</button></form></html>"""


def create_app(settings: Settings) -> FastAPI:
    """Return the double's application. Raises SettingsError with ASTY_PRODUCTION, or without ASTY_CITIZEN_BANK_ADDRESS."""
    if settings.production:
        raise SettingsError("a stand-in for the bank does not start with ASTY_PRODUCTION: set ASTY_CITIZEN_BANK_ADDRESS to the bank")
    if settings.bank is None:
        raise SettingsError("ASTY_CITIZEN_BANK_ADDRESS and ASTY_CITIZEN_BANK_SECRET are missing: the stand-in takes that one merchant")
    bank, ours = settings.bank, settings.address
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    paid: dict[str, str] = {}

    def order(request: Request) -> dict[str, str] | None:
        """Return the particulars when they are signed, whole and for this code."""
        query, _, given = request.url.query.rpartition("&sig=")
        if not hmac.compare_digest(sign(bank.secret, query.encode()), given):
            return None
        said = {name: values[0] for name, values in parse_qs(query).items()}
        whole = {"order", "cents", "currency", "code", "back"} <= set(said) and said["currency"] == "EUR"
        return said if whole and rf.fits(said["code"], int(said["cents"])) and said["back"].startswith(ours) else None

    @app.get("/health")
    def health() -> PlainTextResponse:
        return PlainTextResponse("well")

    @app.get("/pay")
    def show(request: Request) -> Response:
        said = order(request)
        if said is None:
            return PlainTextResponse("the order is not signed or not whole", 400)
        return HTMLResponse(_PAGE.format(code=html.escape(rf.grouped(said["code"])), amount=int(said["cents"]) / 100))

    @app.post("/pay")
    async def pay(request: Request) -> Response:
        said = order(request)
        if said is None:
            return PlainTextResponse("the order is not signed or not whole", 400)
        form = await request.form()
        state = "paid" if form.get("do") == "paid" else "refused"
        reference = paid.setdefault(said["order"], f"TEST-{secrets.token_hex(6)}") if state == "paid" else "none"
        word = {"order": said["order"], "cents": int(said["cents"]), "currency": "EUR", "state": state, "bank_reference": reference}
        body = json.dumps(word).encode()
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            await client.post(f"{ours}{CALLBACK}", content=body, headers={SIGNATURE: sign(bank.secret, body)})
        return RedirectResponse(said["back"], 303)

    return app
