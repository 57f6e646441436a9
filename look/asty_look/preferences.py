"""What a reader chose for all pages: the language and the colours. Asked for by a link, kept in a cookie, no script needed."""

from dataclasses import dataclass
from typing import Literal, cast, get_args

from starlette.requests import Request
from starlette.responses import Response

Language = Literal["el", "en"]
Theme = Literal["auto", "day", "night"]
A_YEAR = 365 * 86400


@dataclass(frozen=True, slots=True)
class Preferences:
    """Greek and the system's colours unless the reader said otherwise."""

    lang: Language = "el"
    theme: Theme = "auto"


def read(request: Request) -> Preferences:
    """Take `?lang=` and `?theme=`, else the cookies, else the default; a value that we don't know counts as none."""
    return Preferences(
        lang=cast("Language", _choice(request, "lang", get_args(Language)) or "el"),
        theme=cast("Theme", _choice(request, "theme", get_args(Theme)) or "auto"),
    )


def keep(request: Request, response: Response, chosen: Preferences) -> None:
    """Set the cookies of the choices that this request made."""
    for name, value in (("lang", chosen.lang), ("theme", chosen.theme)):
        if request.query_params.get(name) == value:
            response.set_cookie(name, value, max_age=A_YEAR, samesite="lax", httponly=True, path="/", secure=request.url.scheme == "https")


def _choice(request: Request, name: str, known: tuple[str, ...]) -> str | None:
    for value in (request.query_params.get(name), request.cookies.get(name)):
        if value in known:
            return value
    return None
