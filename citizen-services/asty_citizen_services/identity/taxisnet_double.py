"""A stand-in for TaxisNet's OAuth 2.0 with a few marked test persons. It keeps the protocol strictly and never starts in production."""

import html
import secrets
import time
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from stdnum.gr import vat

from asty_citizen_services.identity.taxisnet import SCOPE, Person
from asty_citizen_services.settings import REALMS

CODE_SECONDS, TOKEN_SECONDS = 60.0, 300.0
Field = Annotated[str, Form()]


def _person(first_eight: str, lastname: str, firstname: str, fathername: str, mothername: str, birthyear: int) -> Person:
    return Person(first_eight + vat.calc_check_digit(first_eight), lastname, firstname, fathername, mothername, birthyear)


PERSONS = (
    _person("00000001", "ΔΟΚΙΜΑΣΤΙΚΗ", "ΜΑΡΙΑ", "ΓΕΩΡΓΙΟΣ", "ΕΛΕΝΗ", 1984),
    _person("00000002", "ΔΟΚΙΜΑΣΤΙΚΟΣ", "ΓΕΩΡΓΙΟΣ", "ΝΙΚΟΛΑΟΣ", "ΜΑΡΙΑ", 1951),
    _person("00000003", "ΠΑΡΑΔΕΙΓΜΑΤΟΣ", "ΕΛΕΝΗ", "ΔΗΜΗΤΡΙΟΣ", "ΣΟΦΙΑ", 1999),
    _person("00000004", "ΥΠΟΔΕΙΓΜΑΤΟΣ", "ΝΙΚΟΛΑΟΣ", "ΙΩΑΝΝΗΣ", "ΑΝΝΑ", 1976),
)
"""Nobody's tax numbers: they are valid by their check digit and below every number that was ever given."""


@dataclass(frozen=True, slots=True)
class Client:
    """The one registered client; `back` is the only redirect_uri that is taken."""

    id: str
    secret: str
    back: str


class _BrokenRulesError(Exception):
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


def create_app(client: Client) -> FastAPI:
    """Return the stand-in for both citizens' realms."""
    app = FastAPI(openapi_url=None)
    for realm in REALMS:
        app.include_router(_Realm(realm, client).router())

    @app.exception_handler(_BrokenRulesError)
    async def refuse(_request: Request, error: _BrokenRulesError) -> JSONResponse:
        return JSONResponse({"error": error.error, "error_description": error.description}, error.status)

    @app.get("/health")
    def health() -> dict[str, bool]:
        return {"well": True}

    return app


class _Realm:
    """The addresses below one realm."""

    def __init__(self, realm: str, client: Client) -> None:
        self._realm, self._client = realm, client
        self._codes: dict[str, tuple[Person, float]] = {}
        self._tokens: dict[str, tuple[Person, float]] = {}

    def router(self) -> APIRouter:
        router = APIRouter(prefix=f"/{self._realm}", default_response_class=Response)
        router.add_api_route("/oauth/authorize", self.authorize)
        router.add_api_route("/person/{number}", self.chosen)
        router.add_api_route("/nobody", self.refused)
        router.add_api_route("/oauth/token", self.token, methods=["POST"])
        router.add_api_route("/userinfo", self.userinfo)
        router.add_api_route("/logout/{client_id}/", self.logout)
        return router

    def authorize(self, client_id: str = "", redirect_uri: str = "", response_type: str = "", scope: str = "", state: str = "") -> Response:
        _check_client(self._client, client_id, redirect_uri)
        if response_type != "code" or scope != SCOPE or not state:
            return _back(self._client, error="invalid_request", state=state)
        return HTMLResponse(
            _page(self._realm, state), headers={"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"}
        )

    def chosen(self, number: int, state: str = "") -> Response:
        code = secrets.token_urlsafe(16)
        self._codes[code] = PERSONS[number % len(PERSONS)], time.monotonic() + CODE_SECONDS
        return _back(self._client, code=code, state=state)

    def refused(self, state: str = "") -> Response:
        return _back(self._client, error="access_denied", state=state)

    def token(
        self, grant_type: Field = "", code: Field = "", redirect_uri: Field = "", client_id: Field = "", client_secret: Field = ""
    ) -> Response:
        if not (client_id == self._client.id and secrets.compare_digest(client_secret.encode(), self._client.secret.encode())):
            raise _BrokenRulesError(401, "invalid_client", "Bad client credentials")
        if grant_type != "authorization_code":
            raise _BrokenRulesError(400, "unsupported_grant_type", f"Unsupported grant type: {grant_type}")
        person, until = self._codes.pop(code, (None, 0.0))
        if person is None or until < time.monotonic():
            raise _BrokenRulesError(400, "invalid_grant", f"Invalid authorization code: {code}")
        if redirect_uri != self._client.back:
            raise _BrokenRulesError(400, "invalid_grant", "Redirect URI mismatch.")
        made = secrets.token_urlsafe(24)
        self._tokens[made] = person, time.monotonic() + TOKEN_SECONDS
        return JSONResponse({"access_token": made, "token_type": "bearer", "expires_in": int(TOKEN_SECONDS), "scope": SCOPE})

    def userinfo(self, request: Request, format: str = "") -> Response:  # noqa: A002  the protocol's own word
        kind, _, made = request.headers.get("authorization", "").partition(" ")
        person, until = self._tokens.get(made, (None, 0.0))
        if kind.lower() != "bearer" or person is None or until < time.monotonic():
            raise _BrokenRulesError(401, "invalid_token", "Invalid access token")
        if format != "xml":
            raise _BrokenRulesError(400, "invalid_request", "format must be xml")
        return Response(as_xml(person), media_type="text/xml; charset=utf-8")

    def logout(self, client_id: str, url: str = "") -> Response:
        if client_id != self._client.id or urlsplit(url)[:2] != urlsplit(self._client.back)[:2]:
            raise _BrokenRulesError(400, "invalid_request", "Unknown client or address")
        return RedirectResponse(url, 302)


def as_xml(person: Person) -> bytes:
    """Write a person as the real service does: values padded with spaces, some letters as entities and some as UTF-8."""
    fields = {
        "userid": f"test{person.taxid}", "taxid": person.taxid, "lastname": person.lastname, "firstname": person.firstname,
        "fathername": person.fathername, "mothername": person.mothername, "birthyear": str(person.birthyear or ""),
    }  # fmt: skip
    written = " ".join(f'{name}="{_mixed(value):<20}"' for name, value in fields.items())
    return f"<root><userinfo {written}/></root>".encode()


def _mixed(value: str) -> str:
    return "".join(f"&#{ord(letter)};" if n % 3 == 0 and not letter.isascii() else html.escape(letter) for n, letter in enumerate(value))


def _check_client(client: Client, client_id: str, redirect_uri: str) -> None:
    if client_id != client.id:
        raise _BrokenRulesError(401, "unauthorized_client", f"No client with requested id: {client_id}")
    if redirect_uri != client.back:
        raise _BrokenRulesError(400, "invalid_grant", "Invalid redirect: it does not match one of the registered values.")


def _back(client: Client, **said: str) -> Response:
    return RedirectResponse(f"{client.back}?{urlencode(said)}", 302)


def _page(realm: str, state: str) -> str:
    asked = html.escape(urlencode({"state": state}))
    persons = "".join(
        f'<li><a href="/{realm}/person/{n}?{asked}">{one.firstname} {one.lastname}</a>, ΑΦΜ {one.taxid}, γέννηση {one.birthyear}</li>'
        for n, one in enumerate(PERSONS)
    )
    return (
        '<!doctype html><html lang="el"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>Δοκιμαστική είσοδος</title></head><body><main><h1>Δοκιμαστική είσοδος: ΔΕΝ είναι το TaxisNet</h1>"
        "<p>Η σελίδα αντικαθιστά το TaxisNet σε δοκιμές. Τα πρόσωπα είναι φανταστικά. Διαλέξτε ποιος είστε:</p>"
        f'<ul>{persons}</ul><p><a href="/{realm}/nobody?{asked}">Άρνηση εισόδου</a></p></main></body></html>'
    )
