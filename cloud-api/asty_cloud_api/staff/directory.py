"""The municipality's directory: staff sign in by OpenID Connect, authorization code with PKCE."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from asty_cloud_api.settings import OidcSettings

SCOPE = "openid profile email"
ALGORITHMS = ["RS256", "ES256", "PS256"]
LEEWAY_S = 60
BEGUN_SECONDS = 600.0
MOST_BEGUN = 1000
CALLBACK = "/sign-in/directory/back"


class DirectoryRefusedError(Exception):
    """The directory refused this sign-in, or what it said does not hold. Begin again."""


class DirectoryAwayError(Exception):
    """The directory does not answer, or not as agreed. Try later."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the directory says of somebody. `email` is empty unless the directory has verified it."""

    subject: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that is under way in one browser: what the answer must fit, and where the browser goes then."""

    nonce: str
    verifier: str
    going: str
    at: float


class _Metadata(msgspec.Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


@dataclass(slots=True)
class Directory:
    """Speaks with the directory: from worker threads, since it waits. `address` is ours, as the directory has it registered."""

    settings: OidcSettings
    address: str
    timeout: float = 10.0
    _begun: dict[str, Begun] = field(default_factory=dict)
    _metadata: _Metadata | None = None

    def begin(self, going: str) -> tuple[str, str]:
        """Return the state, to be kept in the browser, and where the browser is sent. Raises DirectoryAwayError."""
        now, state = time.monotonic(), secrets.token_urlsafe(24)
        begun = Begun(secrets.token_urlsafe(24), secrets.token_urlsafe(48), going, now)
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._known().authorization_endpoint, state=state, nonce=begun.nonce, code_verifier=begun.verifier
            )
        self._begun = {key: one for key, one in list(self._begun.items())[-MOST_BEGUN:] if now - one.at < BEGUN_SECONDS}
        self._begun[state] = begun
        return state, str(url)

    def finish(self, state: str, code: str) -> tuple[Known, str]:
        """Trade the code that came back for who it is, and where the browser wanted to go. Raises the errors of this module."""
        begun = self._begun.pop(state, None)
        if begun is None or time.monotonic() - begun.at > BEGUN_SECONDS:
            raise DirectoryRefusedError("this sign-in was finished before, or it took longer than ten minutes")
        known = self._known()
        try:
            with self._client() as client:
                tokens = client.fetch_token(known.token_endpoint, grant_type="authorization_code", code=code, code_verifier=begun.verifier)
        except OAuthError as error:
            raise DirectoryRefusedError(f"{known.token_endpoint} says {error.error}: {error.description}") from error
        except (httpx.HTTPError, ValueError) as error:
            raise DirectoryAwayError(f"{known.token_endpoint} does not answer as agreed: {error}") from error
        try:
            claims = self._claims(str(tokens.get("id_token", "")), known)
        except (JoseError, ValueError) as error:
            raise DirectoryRefusedError(f"the identity token does not hold: {error}") from error
        if claims.get("nonce") != begun.nonce:
            raise DirectoryRefusedError("the identity token answers another sign-in")
        email = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
        return Known(str(claims["sub"]), str(claims.get("name", "")), email), begun.going

    def _claims(self, token: str, known: _Metadata) -> dict[str, Any]:
        keys = KeySet.import_key_set(self._read(known.jwks_uri, dict[str, Any]))  # type: ignore[arg-type]
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": known.issuer},
            aud={"essential": True, "value": self.settings.client},
            sub={"essential": True},
            exp={"essential": True},
        ).validate(claims)
        return claims

    def _known(self) -> _Metadata:
        if self._metadata is None:
            found = self._read(f"{self.settings.issuer}/.well-known/openid-configuration", _Metadata)
            if found.issuer.rstrip("/") != self.settings.issuer:
                raise DirectoryAwayError(
                    f"the directory names itself {found.issuer}, and ASTY_CLOUD_API_OIDC_ISSUER {self.settings.issuer}"
                )
            self._metadata = found
        return self._metadata

    def _read[T](self, address: str, kind: type[T]) -> T:
        try:
            with httpx.Client(timeout=self.timeout, trust_env=self._trust_env) as http:
                answer = http.get(address)
            answer.raise_for_status()
            return msgspec.json.decode(answer.content, type=kind)
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise DirectoryAwayError(f"{address} does not answer as agreed: {error}") from error

    @property
    def _trust_env(self) -> bool:
        """A stand-in on this machine is not behind the municipality's proxy."""
        return not self.settings.issuer.startswith("http://localhost")

    def _client(self) -> Any:
        return OAuth2Client(
            self.settings.client, self.settings.secret, scope=SCOPE, redirect_uri=self.address + CALLBACK, code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106  the way's name
            timeout=self.timeout, trust_env=self._trust_env,
        )  # fmt: skip
