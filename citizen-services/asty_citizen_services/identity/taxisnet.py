"""The national sign-in of citizens: TaxisNet's OAuth 2.0 at GSIS.

It is OAuth 2.0 without OpenID Connect: the person comes as XML from /userinfo, padded with spaces; errors come as JSON.
"""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import ParseError

import httpx
import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from stdnum.gr import vat

from asty_citizen_services.settings import TaxisNetSettings

SCOPE = "read"
NOBODY = "000000000"


class LoginRefusedError(Exception):
    """The provider refused this sign-in: the code was used, is too old, or is another client's. Begin again."""


class LoginAwayError(Exception):
    """The provider does not answer, or not as agreed. Try later."""


@dataclass(frozen=True, slots=True)
class Person:
    """What the provider says of somebody. `taxid` is nine digits; names are capitals without accents; `birthyear` may be unknown."""

    taxid: str
    lastname: str
    firstname: str
    fathername: str
    mothername: str
    birthyear: int | None


class CitizenLogin(Protocol):
    """Where citizens prove who they are."""

    def address(self, state: str) -> str:
        """Return where the browser is sent to sign in; `state` comes back with it."""

    def person(self, code: str) -> Person:
        """Trade the code that came back for the person. Raises LoginRefusedError, LoginAwayError."""

    def sign_out_address(self, back: str) -> str:
        """Return where the browser is sent to end the provider's own session, and from there `back`."""


class TaxisNet:
    """The adapter. `back` is our own address that the provider has registered (redirect_uri)."""

    def __init__(self, settings: TaxisNetSettings, back: str, *, timeout: float = 10) -> None:
        self._settings, self._back = settings, back
        self._base = f"{settings.address}/{settings.realm}"
        # a stand-in on this machine is not behind the municipality's proxy
        self._http = httpx.Client(timeout=timeout, trust_env=not settings.address.startswith("http://localhost"))

    def address(self, state: str) -> str:
        asked = {
            "client_id": self._settings.client, "redirect_uri": self._back, "response_type": "code", "scope": SCOPE, "state": state,
        }  # fmt: skip
        return f"{self._base}/oauth/authorize?{urlencode(asked)}"

    def person(self, code: str) -> Person:
        body = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self._back, "scope": SCOPE,
            "client_id": self._settings.client, "client_secret": self._settings.secret,
        }  # fmt: skip
        token = _token(self._ask("POST", "/oauth/token", data=body))
        return read_person(self._ask("GET", "/userinfo?format=xml", headers={"Authorization": f"Bearer {token}"}))

    def sign_out_address(self, back: str) -> str:
        return f"{self._base}/logout/{quote(self._settings.client)}/?{urlencode({'url': back})}"

    def close(self) -> None:
        self._http.close()

    def _ask(self, method: str, path: str, *, data: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> bytes:
        try:
            answer = self._http.request(method, self._base + path, data=data, headers=headers)
        except httpx.HTTPError as error:
            raise LoginAwayError(f"{self._base}{path} does not answer: {error}") from error
        if answer.status_code in (400, 401, 403):
            raise LoginRefusedError(f"{self._base}{path} answered {answer.status_code}: {_why(answer.content)}")
        if answer.status_code != 200:
            raise LoginAwayError(f"{self._base}{path} answered {answer.status_code}")
        return answer.content


def read_person(body: bytes) -> Person:
    """Read /userinfo. Raises LoginRefusedError when it is an error in JSON, LoginAwayError when it can't be a person."""
    if body.lstrip().startswith(b"{"):
        raise LoginRefusedError(f"the provider says: {_why(body)}")
    try:
        found = fromstring(body).find(".//userinfo")
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise LoginAwayError(f"the provider's answer is no XML that we read: {error}") from error
    if found is None:
        raise LoginAwayError("the provider's answer has no userinfo in it")
    said = {name: value.strip() for name, value in found.attrib.items()}
    taxid = said.get("taxid", "")
    if taxid == NOBODY or not vat.is_valid(taxid) or vat.compact(taxid) != taxid:
        raise LoginAwayError("the provider's answer has no valid tax number in it")
    year = said.get("birthyear", "")
    return Person(
        taxid=taxid,
        lastname=said.get("lastname", ""),
        firstname=said.get("firstname", ""),
        fathername=said.get("fathername", ""),
        mothername=said.get("mothername", ""),
        birthyear=int(year) if year.isascii() and year.isdigit() and len(year) == 4 else None,
    )


class _Token(msgspec.Struct):
    access_token: str


class _Error(msgspec.Struct):
    error: str = ""
    error_description: str = ""


def _token(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Token).access_token
    except msgspec.MsgspecError as error:
        raise LoginRefusedError(f"the provider gave no token: {_why(body)}") from error


def _why(body: bytes) -> str:
    try:
        said = msgspec.json.decode(body, type=_Error)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return repr(body[:100])
    return f"{said.error}: {said.error_description}"
