"""A stand-in for a municipality's directory (OpenID Connect) with marked test accounts.

It keeps the protocol strictly and never starts in production.
"""

import base64
import hashlib
import html
import secrets
import time
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import RSAKey

CODE_SECONDS, TOKEN_SECONDS = 60.0, 300
Field = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class Employee:
    """A test account of the directory."""

    subject: str
    username: str
    name: str
    office: str

    @property
    def email(self) -> str:
        return f"{self.username}@example.gr"


EMPLOYEES = (
    Employee("test-0001", "anna", "Άννα Δοκιμαστική", "Υπάλληλος"),
    Employee("test-0002", "petros", "Πέτρος Δοκιμαστικός", "Προϊστάμενος"),
)


@dataclass(frozen=True, slots=True)
class Registered:
    """The one registered client; `back` is the only redirect_uri that is taken."""

    id: str
    secret: str
    back: str


@dataclass(frozen=True, slots=True)
class _Asked:
    state: str
    nonce: str
    challenge: str


class _BrokenRulesError(Exception):
    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


def create_app(client: Registered, issuer: str) -> FastAPI:
    """Return the stand-in; `issuer` is its own address."""
    app = FastAPI(openapi_url=None)
    double = _Double(client, issuer)
    app.add_api_route("/.well-known/openid-configuration", double.metadata)
    app.add_api_route("/jwks", double.jwks)
    app.add_api_route("/authorize", double.authorize, response_model=None)
    app.add_api_route("/person/{number}", double.chosen, response_model=None)
    app.add_api_route("/token", double.token, methods=["POST"], response_model=None)
    app.add_api_route("/health", lambda: {"well": True})

    @app.exception_handler(_BrokenRulesError)
    async def refuse(_request: Request, error: _BrokenRulesError) -> JSONResponse:
        return JSONResponse({"error": error.error}, error.status)

    return app


class _Double:
    def __init__(self, client: Registered, issuer: str) -> None:
        self._client, self._issuer = client, issuer
        self._key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})
        self._asked: dict[str, _Asked] = {}
        self._codes: dict[str, tuple[Employee, _Asked, float]] = {}

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self._issuer,
            "authorization_endpoint": f"{self._issuer}/authorize",
            "token_endpoint": f"{self._issuer}/token",
            "jwks_uri": f"{self._issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def jwks(self) -> dict[str, Any]:
        return {"keys": [self._key.as_dict(private=False)]}

    def authorize(
        self, client_id: str = "", redirect_uri: str = "", response_type: str = "", scope: str = "", state: str = "", nonce: str = "",
        code_challenge: str = "", code_challenge_method: str = "",
    ) -> Response:  # fmt: skip
        if client_id != self._client.id or redirect_uri != self._client.back:
            raise _BrokenRulesError(400, "invalid_client")
        if (
            response_type != "code"
            or "openid" not in scope.split()
            or not (state and nonce and code_challenge)
            or code_challenge_method != "S256"
        ):
            return self._back(error="invalid_request", state=state)
        asked = secrets.token_urlsafe(16)
        self._asked[asked] = _Asked(state, nonce, code_challenge)
        people = "".join(
            f'<li><a href="/person/{n}?asked={asked}">{html.escape(one.name)}</a>, {html.escape(one.office)}</li>'
            for n, one in enumerate(EMPLOYEES)
        )
        page = (
            '<!doctype html><html lang="el"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            "<title>Δοκιμαστική είσοδος υπαλλήλων</title></head><body><main><h1>Δοκιμαστική είσοδος: ΔΕΝ είναι ο κατάλογος του δήμου</h1>"
            f"<p>Οι λογαριασμοί είναι φανταστικοί. Διαλέξτε ποιος είστε:</p><ul>{people}</ul></main></body></html>"
        )
        return HTMLResponse(page, headers={"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"})

    def chosen(self, number: int, asked: str = "") -> Response:
        known = self._asked.pop(asked, None)
        if known is None:
            raise _BrokenRulesError(400, "invalid_request")
        code = secrets.token_urlsafe(16)
        self._codes[code] = EMPLOYEES[number % len(EMPLOYEES)], known, time.monotonic() + CODE_SECONDS
        return self._back(code=code, state=known.state)

    def token(
        self, request: Request, grant_type: Field = "", code: Field = "", redirect_uri: Field = "", code_verifier: Field = ""
    ) -> dict[str, Any]:
        if not secrets.compare_digest(request.headers.get("authorization", ""), self._basic()):
            raise _BrokenRulesError(401, "invalid_client")
        if grant_type != "authorization_code":
            raise _BrokenRulesError(400, "unsupported_grant_type")
        who, asked, until = self._codes.pop(code, (None, None, 0.0))
        digest = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
        if who is None or asked is None or until < time.monotonic() or redirect_uri != self._client.back or digest != asked.challenge:
            raise _BrokenRulesError(400, "invalid_grant")
        now = int(time.time())
        claims = {
            "iss": self._issuer, "aud": self._client.id, "sub": who.subject, "iat": now, "exp": now + TOKEN_SECONDS, "nonce": asked.nonce,
            "name": who.name, "email": who.email, "email_verified": True, "preferred_username": who.username,
        }  # fmt: skip
        signed = jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, self._key)
        return {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "id_token": signed}

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self._client.id}:{self._client.secret}".encode()).decode()

    def _back(self, **said: str) -> Response:
        return RedirectResponse(f"{self._client.back}?{urlencode(said)}", 302)
