"""A form that changes something is taken only from our own pages: double submit, and the browser's own word where it gives it."""

import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

from asty_citizen_services.cookies import Cookies

FIELD, HEADER = "csrf", "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# programs bring a key of their own there, and no cookie is read
FOR_PROGRAMS = ("/api/",)


class ForeignFormError(Exception):
    """An unsafe request that none of our pages has made, or a page that is too old. Nothing was changed."""


async def guard(request: Request) -> None:
    """Refuse an unsafe request without the token of the browser's cookie. Raises ForeignFormError."""
    if request.method in SAFE or request.url.path.startswith(FOR_PROGRAMS):
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForeignFormError
    kept = request.cookies.get(_cookies(request).csrf, "")
    given = request.headers.get(HEADER) or await _of_form(request)
    if not kept or not hmac.compare_digest(kept.encode(), given.encode()):
        raise ForeignFormError


def token(request: Request) -> str:
    """Return the browser's token, a new one when it has none; `keep` sends the new one along."""
    known: str | None = request.cookies.get(_cookies(request).csrf) or getattr(request.state, "csrf", None)
    if known is None:
        known = request.state.csrf = secrets.token_urlsafe(24)
    return known


def keep(request: Request, response: Response) -> None:
    """Set the cookie of a token that was made for this answer."""
    if (fresh := getattr(request.state, "csrf", None)) is not None:
        _cookies(request).set(response, _cookies(request).csrf, fresh)


async def _of_form(request: Request) -> str:
    if not request.headers.get("content-type", "").startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        return ""
    given = (await request.form()).get(FIELD)
    return given if isinstance(given, str) else ""


def _cookies(request: Request) -> Cookies:
    cookies: Cookies = request.app.state.cookies
    return cookies
