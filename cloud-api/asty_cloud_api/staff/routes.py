"""The pages of the way in and out: /sign-in, /sign-out, the directory's way, and what is told to whom the gate does not let through."""

import logging
import math
import time
from dataclasses import dataclass
from typing import Annotated, Any, cast
from urllib.parse import quote

from asty_look.pages import Pages
from fastapi import APIRouter, FastAPI, Form, Request
from fastapi import Query as Param
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from asty_cloud_api.attempts import Door
from asty_cloud_api.staff import accounts, secret
from asty_cloud_api.staff.book import KNOWN_BROWSER, MOST, Book
from asty_cloud_api.staff.directory import CALLBACK, Directory, DirectoryAwayError, DirectoryRefusedError
from asty_cloud_api.staff.gate import NotAllowedError, NotSignedInError
from asty_cloud_api.staff.models import StaffAccount
from asty_cloud_api.staff.roles import READING, TERMS

log = logging.getLogger(__name__)
DEMO_USERNAME, DEMO_PASSPHRASE = "dispatcher", "asty-demo"
_WRONG = "Username or passphrase is wrong. Nobody was signed in."
_SHUT = "Too many wrong tries. The right passphrase has to wait too."
_STRANGER = "The directory knows you, and this server has no account for you. An administrator can make one."
_REFUSED = "The directory did not confirm the sign-in. Nobody was signed in; try again."
_AWAY = "The directory does not answer. Nobody was signed in; try again in a minute, or use a passphrase."
Next = Annotated[str, Param(max_length=500)]


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names and safety of the cookies: over HTTPS they are the host's own and never leave it in clear."""

    secure: bool

    @property
    def session(self) -> str:
        return "__Host-staff" if self.secure else "staff"

    @property
    def browser(self) -> str:
        return "__Host-staff-browser" if self.secure else "staff-browser"

    @property
    def directory(self) -> str:
        return "__Host-staff-directory" if self.secure else "staff-directory"

    def put(self, response: Response, name: str, value: str, seconds: float) -> None:
        # lax: the way back from the directory is another site's link
        response.set_cookie(name, value, max_age=int(seconds), path="/", httponly=True, samesite="lax", secure=self.secure)


def safe(going: str) -> str:
    """Return a place of this server, whatever was asked for: / for anything else."""
    fits = going.startswith("/") and not going.startswith(("//", "/\\", "/sign-")) and not any(ord(c) < 32 for c in going)
    return going if fits else "/"


def routes(book: Book, cookies: Cookies, pages: Pages, directory: Directory | None) -> APIRouter:
    """Return the router."""
    screen = _Screen(book, cookies, pages, directory)
    router = APIRouter(include_in_schema=False, default_response_class=Response)
    router.add_api_route("/sign-in", screen.show)
    router.add_api_route("/sign-in", screen.enter, methods=["POST"])
    router.add_api_route("/sign-out", screen.leave, methods=["POST"])
    if directory is not None:
        router.add_api_route("/sign-in/directory", screen.to_directory)
        router.add_api_route(CALLBACK, screen.from_directory)
    return router


def install(app: FastAPI, pages: Pages) -> None:
    """Tell whom the gate does not let through what to do: JSON below /api and /live, else a page."""

    def is_program(request: Request) -> bool:
        return request.url.path.startswith(("/api/", "/live/")) and not request.url.path.startswith("/api/docs")

    async def not_signed_in(request: Request, _error: Exception) -> Response:
        if is_program(request):
            said = {"error": "nobody is signed in", "advice": "sign in on /sign-in, or bring a token: Authorization: Bearer …"}
            return JSONResponse(said, 401, {"WWW-Authenticate": 'Bearer realm="asty"'})
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse("/sign-in?next=" + quote(asked if request.method in READING else "/", safe=""), 303)

    async def not_allowed(request: Request, error: Exception) -> Response:
        role = cast("NotAllowedError", error).role
        if is_program(request):
            return JSONResponse({"error": str(error), "role": role.value}, 403)
        return pages.render(request, "not-allowed.html", {"role": TERMS[role]}, status=403)

    app.add_exception_handler(NotSignedInError, not_signed_in)
    app.add_exception_handler(NotAllowedError, not_allowed)


class _Screen:
    """The page, and the ways in and out."""

    def __init__(self, book: Book, cookies: Cookies, pages: Pages, directory: Directory | None) -> None:
        self._book, self._cookies, self._pages, self._directory = book, cookies, pages, directory
        self._door = Door()

    async def show(self, request: Request, going: Annotated[Next, Param(alias="next")] = "/") -> Response:
        if await self._book.by_cookie(request.cookies.get(self._cookies.session)) is not None:
            return RedirectResponse(safe(going), 303)
        return await self._page(request, going)

    async def enter(
        self,
        request: Request,
        username: Annotated[str, Form(max_length=64)] = "",
        passphrase: Annotated[str, Form(max_length=secret.MOST)] = "",
        going: Annotated[str, Form(alias="next", max_length=500)] = "/",
    ) -> Response:
        browser = request.cookies.get(self._cookies.browser)
        device = browser if await self._book.knows(browser) else None
        if wait := self._door.wait(device, time.monotonic()):
            return await self._page(request, going, username, _SHUT, wait)
        self._door.wrong(device, time.monotonic())  # counted before it is checked: tries that come together get no budget each
        account = await self._book.ask(lambda session: accounts.by_username(session, username))
        if not await run_in_threadpool(secret.fits, account.passphrase_hash if account else None, passphrase) or account is None:
            log.warning("event=sign_in_refused username=%r from=%s", username[:64], request.client.host if request.client else "")
            return await self._page(request, going, username, _WRONG, self._door.wait(device, time.monotonic()))
        self._door.right(device, time.monotonic())
        return await self._entered(request, account, going)

    async def leave(self, request: Request) -> Response:
        await self._book.end(request.cookies.get(self._cookies.session))
        answer = RedirectResponse("/sign-in?out=1", 303)
        self._cookies.put(answer, self._cookies.session, "", 0)
        return answer

    async def to_directory(self, request: Request, going: Annotated[Next, Param(alias="next")] = "/") -> Response:
        assert self._directory is not None
        try:
            state, url = await run_in_threadpool(self._directory.begin, safe(going))
        except DirectoryAwayError as error:
            log.warning("event=directory_away why=%r", str(error))
            return await self._page(request, going, "", _AWAY)
        answer = RedirectResponse(url, 303)
        self._cookies.put(answer, self._cookies.directory, state, 600)
        return answer

    async def from_directory(self, request: Request, state: Next = "", code: Annotated[str, Param(max_length=4000)] = "") -> Response:
        assert self._directory is not None
        if not state or not code or request.cookies.get(self._cookies.directory) != state:
            return await self._page(request, "/", "", _REFUSED)
        try:
            known, going = await run_in_threadpool(self._directory.finish, state, code)
        except DirectoryRefusedError as error:
            log.warning("event=directory_refused why=%r", str(error))
            return await self._page(request, "/", "", _REFUSED)
        except DirectoryAwayError as error:
            log.warning("event=directory_away why=%r", str(error))
            return await self._page(request, "/", "", _AWAY)
        account = await self._book.ask(lambda session: accounts.by_directory(session, known.subject, known.email))
        if account is None:
            log.warning("event=no_account subject=%r email=%r do=%r", known.subject, known.email, "asty-cloud-api staff add … --email")
            return await self._page(request, "/", "", _STRANGER)
        return await self._entered(request, account, going)

    async def _entered(self, request: Request, account: StaffAccount, going: str) -> Response:
        token = await self._book.begin(account, request.cookies.get(self._cookies.session))
        browser = request.cookies.get(self._cookies.browser) or secret.token()
        await self._book.remember(browser)
        log.info("event=signed_in username=%r", account.username)
        answer = RedirectResponse(safe(going), 303)
        self._cookies.put(answer, self._cookies.session, token, MOST.total_seconds())
        self._cookies.put(answer, self._cookies.browser, browser, KNOWN_BROWSER.total_seconds())
        return answer

    async def _page(self, request: Request, going: str, username: str = "", said: str | None = None, wait: float = 0.0) -> Response:
        demo = await self._book.ask(accounts.has_demo)
        context: dict[str, Any] = {"going": safe(going), "username": username, "said": said, "wait": math.ceil(wait)}
        context |= {"directory": self._directory is not None, "out": request.query_params.get("out") == "1"}
        context |= {"demo": (DEMO_USERNAME, DEMO_PASSPHRASE) if demo else None}
        answer = self._pages.render(request, "sign-in.html", context, status=200 if said is None else 429 if wait else 422)
        if wait:
            answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer
