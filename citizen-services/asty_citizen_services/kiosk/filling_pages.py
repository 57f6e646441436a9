"""Filling in at the kiosk: by whoever stands there, signed in or not; filing once somebody has signed in; the receipt."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

from asty_look import preferences
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database
from asty_citizen_services.drafts import desk as drafts
from asty_citizen_services.drafts.filling import Filling, Place, Posted, browser, prefilled
from asty_citizen_services.drafts.models import Draft
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.forms.show import summary
from asty_citizen_services.identity.door import ACitizen, Anybody, anybody
from asty_citizen_services.identity.visitor import CitizenVisitor, Visitor
from asty_citizen_services.kiosk import blank, qr
from asty_citizen_services.kiosk.door import AKiosk
from asty_citizen_services.registry import receipt, tracking
from asty_citizen_services.registry.models import Application, Docket

GONE = ("This application is not on this screen any more.", "Whatever was filed is with the municipality. Begin anew.")
FRAME = "kiosk/frame.html"


class KioskFilling:
    """The pages below /kiosk/drafts and the receipt.

    `filling` knows the whole forms; a kiosk asks what is left without sign-in and files.
    """

    def __init__(self, database: Database, filling: Filling, address: str, secret: str) -> None:
        self._database, self._whole, self._address, self._secret = database, filling, address, secret
        self._asks = replace(filling, catalogue=blank.catalogue(filling.catalogue))

    def routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/kiosk/services/{slug}/start", self.start, methods=["POST"])
        router.add_api_route("/kiosk/drafts/{draft}/check", self.look_over)
        router.add_api_route("/kiosk/drafts/{draft}/file", self.file, methods=["POST"])
        router.add_api_route("/kiosk/drafts/{draft}/{page}", self.show)
        router.add_api_route("/kiosk/drafts/{draft}/{page}", self.keep, methods=["POST"])
        router.add_api_route("/kiosk/cases/{case}", self.filed)
        return router

    def start(self, request: Request, kiosk: AKiosk, visitor: Anybody, slug: str) -> Response:  # noqa: ARG002
        """Begin a draft that is nobody's until somebody signs for it."""
        form = self._asks.procedure(slug).form
        with self._database.begin() as session:
            draft = drafts.begin(session, slug, None, None, {}, browser(request), datetime.now(UTC))
            _adopted(session, request, self._whole, draft, visitor)
            return RedirectResponse(f"/kiosk/drafts/{draft.id}/{form.pages[0].id if form.pages else 'check'}", 303)

    def show(self, request: Request, kiosk: AKiosk, visitor: Anybody, draft: uuid.UUID, page: str) -> Response:  # noqa: ARG002
        with self._database.begin() as session:
            found = drafted(session, request, draft, visitor)
            return self._asks.show(request, session, found, page, _place(found, visitor))

    def keep(self, request: Request, kiosk: AKiosk, visitor: Anybody, draft: uuid.UUID, page: str, form: Posted) -> Response:  # noqa: ARG002
        with self._database.begin() as session:
            found = drafted(session, request, draft, visitor)
            return self._asks.keep(request, session, found, page, form, _place(found, visitor))

    def look_over(self, request: Request, kiosk: AKiosk, visitor: Anybody, draft: uuid.UUID) -> Response:  # noqa: ARG002
        """Show the answers, and the ways on: sign in here, go on with the phone, or file when nothing lacks any more."""
        with self._database.begin() as session:
            found = drafted(session, request, draft, visitor)
            _adopted(session, request, self._whole, found, visitor)
            if (page := self._asks.first_wrong(found)) != "check":
                return RedirectResponse(f"/kiosk/drafts/{draft}/{page}", 303)
            form = (self._whole if found.citizen_id else self._asks).procedure(found.procedure).form
            context = {
                "draft": found,
                "procedure": self._whole.procedure(found.procedure),
                "asked": {one.id for one in self._asks.procedure(found.procedure).form.pages},
                "said": summary(form, found.answers, preferences.read(request).lang),
                "is_whole": found.citizen_id is not None and self._whole.first_wrong(found) == "check",
            }
            return self._whole.screens.render(request, "kiosk/check.html", context)

    def file(self, request: Request, kiosk: AKiosk, citizen: ACitizen, draft: uuid.UUID) -> Response:  # noqa: ARG002
        """File the draft once, however often the button is pressed."""
        with self._database.begin() as session:
            if (done := _filed_as(session, draft, citizen)) is not None:
                return RedirectResponse(f"/kiosk/cases/{done}", 303)
            found = drafts.take(session, draft, citizen.id)
            if found is None:
                raise RefusedError(404, *GONE)
            if self._whole.first_wrong(found) != "check":
                return RedirectResponse(f"/kiosk/drafts/{draft}/check", 303)
            case = self._whole.file(session, request, found, citizen.actor, "kiosk")
        return RedirectResponse(f"/kiosk/cases/{case}", 303)

    def filed(self, request: Request, kiosk: AKiosk, citizen: ACitizen, case: uuid.UUID) -> Response:
        """Show the receipt, for the paper or the phone. Audited."""
        with self._database.begin() as session:
            row = session.execute(
                select(Application, Docket)
                .join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
                .where(Application.id == case, Application.citizen_id == citizen.id)
            ).one_or_none()
            if row is None:
                raise RefusedError(404, *NOWHERE)
            application, docket = row
            journal.write(session, f"case:{case}", at=datetime.now(UTC), actor=citizen.actor, act="kiosk.read_receipt", device=kiosk.name)
            context = {
                "receipt": receipt.of(docket, self._whole.zone), "case": application, "code": tracking.code(self._secret, application.id),
                "qr": qr.of(f"{self._address}/cases/{case}"),
            }  # fmt: skip
            return self._whole.screens.render(request, "kiosk/receipt.html", context)


def drafted(session: Session, request: Request, draft: uuid.UUID, visitor: Visitor | None) -> Draft:
    """Lock a draft of whoever stands here: his own, or one of nobody that was begun since the screen was left. Raises RefusedError."""
    mine = drafts.take(session, draft, visitor.id) if isinstance(visitor, CitizenVisitor) else None
    found = mine or drafts.of_nobody(session, draft, browser(request))
    if found is None:
        raise RefusedError(404, *GONE)
    return found


def _adopted(session: Session, request: Request, whole: Filling, draft: Draft, visitor: Visitor | None) -> None:
    """Make the draft the citizen's who has signed in."""
    if isinstance(visitor, CitizenVisitor) and draft.citizen_id is None:
        form = whole.procedure(draft.procedure).form
        drafts.adopt(draft, visitor.id, form, prefilled(session, form, visitor.id), browser(request), datetime.now(UTC))
        session.flush()


def _place(draft: Draft, visitor: Visitor | None) -> Place:
    at = f"/kiosk/drafts/{draft.id}"
    return Place(at, f"{at}/phone", visitor.actor if visitor else "kiosk", frame=FRAME)


def _filed_as(session: Session, draft: uuid.UUID, citizen: CitizenVisitor) -> uuid.UUID | None:
    done = (Draft.id == draft, Draft.citizen_id == citizen.id, Draft.filed_at.is_not(None))
    return session.scalars(select(Application.id).join(Draft, Application.key == str(draft)).where(*done)).one_or_none()
