"""What a person or a program is told when something can't be done: what happened, what was kept, what to do next."""

import logging
from typing import cast
from urllib.parse import urlencode

import psycopg
from asty_process.postgres import is_away, is_not_migrated, is_unstorable
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from asty_citizen_services import problems
from asty_citizen_services.bodies import BodyTooLargeError
from asty_citizen_services.csrf import FOR_PROGRAMS, ForeignFormError
from asty_citizen_services.rates import TooOftenError
from asty_citizen_services.screens import Screens

log = logging.getLogger(__name__)

# what is said, what to do: terms of the catalogue
AWAY = ("The service does not answer right now.", "Nothing of what was stored before is lost. Try again in a minute.")
BROKEN = (
    "Something went wrong on our side.",
    "Nothing was filed twice. Go back and try again; if it happens again, call the municipality.",
)
FOREIGN = (
    "The page was open for too long, or the form came from another site.",
    "Nothing was changed. Go back, load the page again and send it once more.",
)
TOO_LARGE = (
    "What you sent is too large.",
    "Nothing of it was kept; your earlier answers are. A file may have 20 MB, all of them together 60 MB.",
)
TOO_OFTEN = ("Too many tries.", "Nothing was changed. Wait a few minutes and try again.")
UNREADABLE = ("Something in the request can't be read.", "Nothing was changed. Go back and fill in the form again.")
NOWHERE = ("There is no such page.", "The address may be mistyped, or the page is gone. Start from the home page.")
NOT_SO = ("The request can't be answered.", "Start from the home page.")
DOORS = {"citizen": "/sign-in", "staff": "/staff/sign-in"}


class RefusedError(Exception):
    """Something that is not done, in words for a page: `title` and `advice` are terms to translate.

    A room raises it where a page of its own would say nothing more.
    """

    def __init__(self, status: int, title: str, advice: str) -> None:
        super().__init__(f"{title} {advice}")
        self.status, self.title, self.advice = status, title, advice


class SignInNeededError(Exception):
    """Whoever asks has to sign in first, as a `citizen` or as `staff`; then the same page is shown."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def install(app: FastAPI, screens: Screens) -> None:
    """Give every failure an answer of its own: JSON for programs, else a page."""
    answers = _Answers(screens)
    for kind in (SQLAlchemyError, psycopg.Error, OSError):
        app.add_exception_handler(kind, answers.database)
    app.add_exception_handler(Exception, answers.broken)
    app.add_exception_handler(ForeignFormError, answers.foreign)
    app.add_exception_handler(TooOftenError, answers.too_often)
    app.add_exception_handler(BodyTooLargeError, answers.too_large)
    app.add_exception_handler(RefusedError, answers.refused)
    app.add_exception_handler(problems.ProblemError, problems.told)
    app.add_exception_handler(SignInNeededError, answers.sign_in)
    app.add_exception_handler(RequestValidationError, answers.invalid)
    app.add_exception_handler(HTTPException, answers.http)


class _Answers:
    def __init__(self, screens: Screens) -> None:
        self._screens = screens

    async def database(self, request: Request, error: Exception) -> Response:
        why = str(error).split("\n", 1)[0]
        if is_not_migrated(error):
            log.error("%s: tables are missing or old (%s); run asty-citizen-services migrate", request.url.path, why)
        elif is_away(error):
            log.warning("%s: the database does not answer (%s); start PostgreSQL, or check ASTY_DATABASE_DSN", request.url.path, why)
        elif is_unstorable(error):
            return self._answer(request, 422, UNREADABLE)
        else:
            return await self.broken(request, error)
        return self._answer(request, 503, AWAY, {"Retry-After": "10"})

    async def broken(self, request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return self._answer(request, 500, BROKEN)

    async def foreign(self, request: Request, _error: Exception) -> Response:
        return self._answer(request, 403, FOREIGN)

    async def too_often(self, request: Request, error: Exception) -> Response:
        return self._answer(request, 429, TOO_OFTEN, {"Retry-After": str(cast("TooOftenError", error).seconds)})

    async def too_large(self, request: Request, _error: Exception) -> Response:
        log.warning("%s: %s bytes were sent and not taken", request.url.path, request.headers.get("content-length", "too many"))
        return self._answer(request, 413, TOO_LARGE)

    async def refused(self, request: Request, error: Exception) -> Response:
        it = cast("RefusedError", error)
        return self._answer(request, it.status, (it.title, it.advice))

    async def sign_in(self, request: Request, error: Exception) -> Response:
        if _wants_json(request):
            return JSONResponse({"error": "sign in first"}, 401)
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "") if request.method == "GET" else "/"
        return RedirectResponse(f"{DOORS[cast('SignInNeededError', error).kind]}?{urlencode({'next': here})}", 303)

    async def invalid(self, request: Request, error: Exception) -> Response:
        if request.url.path.startswith(problems.PREFIX):
            return problems.unreadable(request, cast("RequestValidationError", error))
        if _wants_json(request):
            found = cast("RequestValidationError", error).errors()
            said = [{"parameter": ".".join(str(part) for part in p["loc"][1:]), "error": p["msg"]} for p in found]
            return JSONResponse({"error": "a parameter can't be read", "problems": said}, 422)
        return self._answer(request, 422, UNREADABLE)

    async def http(self, request: Request, error: Exception) -> Response:
        it = cast("HTTPException", error)
        if it.status_code == 400 and request.url.path.startswith(problems.PREFIX):  # a body that is no text at all
            return self._answer(request, 422, UNREADABLE)
        return self._answer(request, it.status_code, NOWHERE if it.status_code == 404 else NOT_SO, dict(it.headers or {}))

    def _answer(self, request: Request, status: int, words: tuple[str, str], headers: dict[str, str] | None = None) -> Response:
        title, advice = words
        if request.url.path.startswith(problems.PREFIX):
            if problems.language(request) == "el":
                title, advice = (self._screens.greek(term) for term in words)
            return problems.answer(request, status, problems.OF_STATUS.get(status, "refused"), title, advice, (), headers)
        if _wants_json(request):
            if not request.url.path.startswith(FOR_PROGRAMS):
                title, advice = (self._screens.gettext(request, term) for term in words)
            return JSONResponse({"error": title, "advice": advice}, status, headers)
        page = self._screens.render(request, "failure.html", {"title": title, "advice": advice}, status=status)
        page.headers.update(headers or {})
        return page


def _wants_json(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/health", "/metrics")) or request.headers.get("accept", "").startswith("application/json")
