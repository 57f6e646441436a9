"""From the kiosk to the phone: the code on the kiosk's screen, and what the phone shows that has scanned it."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database
from asty_citizen_services.drafts import desk as drafts
from asty_citizen_services.drafts.filling import Filling, browser, prefilled
from asty_citizen_services.drafts.models import Draft
from asty_citizen_services.failures import RefusedError
from asty_citizen_services.identity.door import ACitizen, Anybody, anybody
from asty_citizen_services.kiosk import hand_offs, qr
from asty_citizen_services.kiosk.door import AKiosk
from asty_citizen_services.kiosk.filling_pages import drafted
from asty_citizen_services.rates import Limit

USED = (
    "This link does not work any more.",
    "It works once, on one phone, for 15 minutes. Ask for a new code at the kiosk; what you typed there is kept until you leave it.",
)
ANOTHERS = ("This application was begun by somebody else.", "Sign in as the person who signed in at the kiosk.")


@dataclass(frozen=True)
class HandOffPages:
    """What the pages need. `address` is the server's own, which the phone opens."""

    database: Database
    filling: Filling
    address: str

    def routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/kiosk/drafts/{draft}/phone", self.show)
        router.add_api_route("/kiosk/drafts/{draft}/phone/state", self.state)
        router.add_api_route("/kiosk/drafts/{draft}/phone/withdraw", self.withdraw, methods=["POST"])
        limited = [Depends(Limit(30, 60))]
        router.add_api_route("/continue/{token}", self.arrive, dependencies=limited)
        router.add_api_route("/continue/{token}", self.open, methods=["POST"], dependencies=limited)
        router.add_api_route("/continue/{token}/take", self.take, dependencies=limited)
        return router

    def show(self, request: Request, kiosk: AKiosk, visitor: Anybody, draft: uuid.UUID) -> Response:
        """Show a fresh code; the one before does not work any more unless a phone has opened it."""
        assert kiosk.id is not None
        with self.database.begin() as session:
            found = drafted(session, request, draft, visitor)
            token = hand_offs.begin(session, found, kiosk.id, datetime.now(UTC))
            title = self.filling.procedure(found.procedure).manifest.title
        context = {"draft": draft, "title": title, "qr": qr.of(f"{self.address}/continue/{token}")}
        return self.filling.screens.render(request, "kiosk/phone.html", context)

    def state(self, request: Request, kiosk: AKiosk, visitor: Anybody, draft: uuid.UUID) -> Response:  # noqa: ARG002
        with self.database.begin() as session:
            said = hand_offs.state(session, draft, datetime.now(UTC))
        return JSONResponse({"state": said}, headers={"Cache-Control": "no-store"})

    def withdraw(self, request: Request, kiosk: AKiosk, visitor: Anybody, draft: uuid.UUID) -> Response:  # noqa: ARG002
        """A phone has opened the code that is not the citizen's: it gets nothing."""
        with self.database.begin() as session:
            hand_offs.withdraw(session, drafted(session, request, draft, visitor).id)
        return RedirectResponse(f"/kiosk/drafts/{draft}/check", 303)

    def arrive(self, request: Request, token: str) -> Response:
        """Show the phone what it can go on with; nothing is bound before somebody presses the button."""
        with self.database.begin() as session:
            row = hand_offs.found(session, token, browser(request), datetime.now(UTC))
            if row is None:
                raise RefusedError(410, *USED)
            draft = session.get_one(Draft, row.draft_id)
            title = self.filling.procedure(draft.procedure).manifest.title
        return self.filling.screens.render(request, "kiosk/continue.html", {"token": token, "title": title})

    def open(self, request: Request, token: str) -> Response:
        """Bind the link to this phone and lead to the sign-in."""
        now = datetime.now(UTC)
        with self.database.begin() as session:
            row = hand_offs.found(session, token, browser(request), now)
            if row is None:
                raise RefusedError(410, *USED)
            hand_offs.opened(row, browser(request), now)
        return RedirectResponse(f"/continue/{token}/take", 303)

    def take(self, request: Request, token: str, citizen: ACitizen) -> Response:
        """Give the draft to the citizen who has signed in on the phone that opened the link, once."""
        now = datetime.now(UTC)
        with self.database.begin() as session:
            row = hand_offs.found(session, token, browser(request), now)
            if row is None or row.opened_at is None:
                raise RefusedError(410, *USED)
            draft = session.get_one(Draft, row.draft_id, with_for_update=True)
            if draft.citizen_id not in (None, citizen.id):
                raise RefusedError(403, *ANOTHERS)
            form = self.filling.procedure(draft.procedure).form
            drafts.adopt(draft, citizen.id, form, prefilled(session, form, citizen.id), browser(request), now)
            row.taken_at = now
            subject = f"citizen:{citizen.id}"
            journal.write(session, subject, at=now, actor=citizen.actor, act="kiosk.take_draft", subject=subject, device=str(row.device_id))
        return RedirectResponse(f"/drafts/{draft.id}", 303)
