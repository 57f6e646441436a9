"""Which requests come from a kiosk, and what a kiosk may open."""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from asty_citizen_services.cookies import Cookies
from asty_citizen_services.database import Database
from asty_citizen_services.failures import RefusedError
from asty_citizen_services.kiosk import devices

END = "/kiosk/end"
REST = timedelta(minutes=5)
"""A kiosk that was not touched for so long is left, whatever its script has done."""
OPEN = ("/kiosk", "/sign-in", "/static/", "/health")
# the portal's own addresses, and the kiosk's page instead
INSTEAD = (
    (re.compile(r"/services/([a-z0-9-]+)"), r"/kiosk/services/\1"),
    (re.compile(r"/cases/([0-9a-f-]{36})"), r"/kiosk/cases/\1"),
)


@dataclass(frozen=True, slots=True)
class Kiosk:
    """The screen that asks. `rested` when nobody has touched it for REST. `id` is None while the database doesn't answer."""

    id: uuid.UUID | None
    name: str = ""
    rested: bool = False

    @property
    def actor(self) -> str:
        """How the audit names this screen."""
        return f"kiosk:{self.id}"


class KioskDoor:
    """ASGI middleware: says to pages that a registered kiosk asks (`request.state.kiosk`), and keeps a kiosk to its pages."""

    def __init__(self, app: ASGIApp, *, database: Database, cookies: Cookies) -> None:
        self._app, self._database, self._cookies = app, database, cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            token = request.cookies.get(self._cookies.kiosk)
            kiosk = await run_in_threadpool(self._of, token) if token else None
            if kiosk is not None:
                scope.setdefault("state", {})["kiosk"] = kiosk
                elsewhere = led(request.method, request.url.path, is_left=kiosk.rested and self._cookies.session in request.cookies)
                if elsewhere is not None:
                    answer: Response = RedirectResponse(elsewhere, 303, headers={"Cache-Control": "no-store"})
                    await answer(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def _of(self, token: str) -> Kiosk | None:
        now = datetime.now(UTC)
        try:
            with self._database.begin() as session:
                device = devices.of_token(session, token)
                if device is None:
                    return None
                rested = device.seen_at is not None and now - device.seen_at > REST
                devices.touched(device, now)
                return Kiosk(device.id, device.name, rested)
        except SQLAlchemyError:
            return Kiosk(None)  # the page that it asks for says what is wrong


def led(method: str, path: str, *, is_left: bool) -> str | None:
    """Return where a kiosk is sent instead of a page that it doesn't open, None when it may open it."""
    if is_left and not path.startswith(("/static/", END)):
        return END
    if path.startswith(OPEN):
        return None
    if method == "GET":
        for portal, own in INSTEAD:
            if portal.fullmatch(path):
                return portal.sub(own, path)
    return "/kiosk"


def a_kiosk(request: Request) -> Kiosk:
    """Return the kiosk that asks. Raises RefusedError: other browsers have the portal."""
    kiosk: Kiosk | None = getattr(request.state, "kiosk", None)
    if kiosk is None or kiosk.id is None:
        raise RefusedError(403, "This page is for the municipality's kiosks.", "Use the services from the home page; they are the same.")
    return kiosk


AKiosk = Annotated[Kiosk, Depends(a_kiosk)]
