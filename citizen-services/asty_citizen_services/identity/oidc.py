"""The municipality's directory: staff sign in by OpenID Connect, authorization code with PKCE."""

from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import msgspec
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from asty_citizen_services.settings import OidcSettings

SCOPE = "openid profile email"
ALGORITHMS = ["RS256", "ES256", "PS256"]
LEEWAY_S = 60


class DirectoryRefusedError(Exception):
    """The directory refused this sign-in, or what it said does not hold. Begin again."""


class DirectoryAwayError(Exception):
    """The directory does not answer, or not as agreed. Try later."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the directory says of somebody. `email` is empty unless the directory has verified it."""

    subject: str
    name: str
    email: str


class StaffLogin(Protocol):
    """Where staff prove who they are."""

    def address(self, state: str, nonce: str, verifier: str) -> str:
        """Return where the browser is sent. Raises DirectoryAwayError."""

    def account(self, code: str, nonce: str, verifier: str) -> Account:
        """Trade the code that came back for the account. Raises DirectoryRefusedError, DirectoryAwayError."""


class _Metadata(msgspec.Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class Directory:
    """The adapter. `back` is our own address that the directory has registered (redirect_uri)."""

    def __init__(self, settings: OidcSettings, back: str, *, timeout: float = 10) -> None:
        self._settings, self._back, self._timeout = settings, back, timeout
        # a stand-in on this machine is not behind the municipality's proxy
        self._trust_env = not settings.issuer.startswith("http://localhost")
        self._known: _Metadata | None = None

    def address(self, state: str, nonce: str, verifier: str) -> str:
        with self._client() as client:
            address, _ = client.create_authorization_url(
                self._metadata().authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier
            )
            return str(address)

    def account(self, code: str, nonce: str, verifier: str) -> Account:
        known = self._metadata()
        try:
            with self._client() as client:
                tokens = client.fetch_token(known.token_endpoint, grant_type="authorization_code", code=code, code_verifier=verifier)
        except OAuthError as error:
            raise DirectoryRefusedError(f"{known.token_endpoint} says {error.error}: {error.description}") from error
        except (httpx.HTTPError, ValueError) as error:
            raise DirectoryAwayError(f"{known.token_endpoint} does not answer as agreed: {error}") from error
        try:
            claims = self._claims(str(tokens.get("id_token", "")), known)
        except (JoseError, ValueError) as error:
            raise DirectoryRefusedError(f"the identity token does not hold: {error}") from error
        if claims.get("nonce") != nonce:
            raise DirectoryRefusedError("the identity token answers another sign-in")
        email = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
        return Account(str(claims["sub"]), str(claims.get("name", "")), email)

    def _claims(self, token: str, known: _Metadata) -> dict[str, Any]:
        keys = KeySet.import_key_set(self._read(known.jwks_uri, dict[str, Any]))  # type: ignore[arg-type]
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client},
            sub={"essential": True},
            exp={"essential": True},
        ).validate(claims)
        return claims

    def _metadata(self) -> _Metadata:
        if self._known is None:
            found = self._read(f"{self._settings.issuer}/.well-known/openid-configuration", _Metadata)
            if found.issuer.rstrip("/") != self._settings.issuer:
                raise DirectoryAwayError(f"the directory names itself {found.issuer}, and ASTY_CITIZEN_OIDC_ISSUER {self._settings.issuer}")
            self._known = found
        return self._known

    def _read[T](self, address: str, kind: type[T]) -> T:
        try:
            with httpx.Client(timeout=self._timeout, trust_env=self._trust_env) as http:
                answer = http.get(address)
            answer.raise_for_status()
            return msgspec.json.decode(answer.content, type=kind)
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise DirectoryAwayError(f"{address} does not answer as agreed: {error}") from error

    def _client(self) -> Any:
        return OAuth2Client(
            self._settings.client, self._settings.secret, scope=SCOPE, redirect_uri=self._back, code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106  the way's name
            timeout=self._timeout, trust_env=self._trust_env,
        )  # fmt: skip
