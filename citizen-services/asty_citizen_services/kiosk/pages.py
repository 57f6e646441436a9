"""The kiosk's first page, services, the state of a case by its number and code, registering the screen, and leaving it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from asty_look import preferences
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.cookies import Cookies
from asty_citizen_services.database import Database
from asty_citizen_services.drafts.desk import browser_hash
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity import sessions
from asty_citizen_services.identity.models import Department
from asty_citizen_services.identity.taxisnet import CitizenLogin
from asty_citizen_services.kiosk import devices, hand_offs, qr
from asty_citizen_services.kiosk.door import END, AKiosk
from asty_citizen_services.procedures.catalogue import Catalogue, Procedure
from asty_citizen_services.rates import Limit, TooOftenError
from asty_citizen_services.registry import tracking
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.screens import Screens
from asty_citizen_services.workflow.route import STATES

A_YEAR = 365 * 86400
NUMBER = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{4})\s*", re.ASCII)
UNKNOWN = "Number and code don't belong together. Look at the receipt and type both again."
TOO_OFTEN = "This number was tried too often. Wait ten minutes, or ask at the counter."
USED = ("This link is used or too old.", "Make a new one: asty-citizen-services kiosk add NAME")


@dataclass(frozen=True)
class KioskPages:
    """What the pages need. `address` is the server's own, `secret` keys the codes of receipts; without `login` nobody signs in."""

    database: Database
    screens: Screens
    cookies: Cookies
    catalogue: Catalogue
    login: CitizenLogin | None
    address: str
    secret: str

    def routes(self) -> APIRouter:
        """Return the router of /kiosk."""
        router = APIRouter(include_in_schema=False, default_response_class=Response)
        router.add_api_route("/kiosk", self.home)
        router.add_api_route("/kiosk/services", self.services)
        router.add_api_route("/kiosk/services/{slug}", self.service)
        router.add_api_route("/kiosk/information", self.information)
        router.add_api_route("/kiosk/state", self.ask)
        tries = Limit(5, 600)

        def tell(request: Request, kiosk: AKiosk, number: Number = "", code: Code = "") -> Response:
            return self.tell(request, kiosk, number, code, tries)

        router.add_api_route("/kiosk/state", tell, methods=["POST"])
        router.add_api_route("/kiosk/here", self.here)
        router.add_api_route(END, self.end)
        limited = [Depends(Limit(20, 60))]
        router.add_api_route("/kiosk/register/{token}", self.invite, dependencies=limited)
        router.add_api_route("/kiosk/register/{token}", self.register, methods=["POST"], dependencies=limited)
        return router

    def home(self, request: Request, kiosk: AKiosk) -> Response:
        """Show where everybody begins. Whoever stood here before is left first."""
        if {self.cookies.session, self.cookies.ceremony} & request.cookies.keys():
            return RedirectResponse(END, 303)
        return self.screens.render(request, "kiosk/home.html", {"name": kiosk.name})

    def services(self, request: Request, kiosk: AKiosk) -> Response:  # noqa: ARG002  for kiosks alone
        by_category: dict[str, list[Procedure]] = {}
        for one in self.catalogue.values():
            by_category.setdefault(one.manifest.category.of(preferences.read(request).lang), []).append(one)
        return self.screens.render(request, "kiosk/services.html", {"found": by_category})

    def service(self, request: Request, kiosk: AKiosk, slug: str) -> Response:  # noqa: ARG002
        procedure = self.catalogue.get(slug)
        if procedure is None:
            raise RefusedError(404, *NOWHERE)
        context = {"procedure": procedure, "it": procedure.manifest, "qr": qr.of(f"{self.address}/services/{slug}")}
        return self.screens.render(request, "kiosk/service.html", context)

    def information(self, request: Request, kiosk: AKiosk) -> Response:  # noqa: ARG002
        """Say who does what in the municipality, how long it takes and what it costs: nobody needs an appointment for that."""
        with self.database.begin() as session:
            names = _departments(session, preferences.read(request).lang)
        does: dict[str, list[Procedure]] = {}
        for one in self.catalogue.values():
            does.setdefault(names.get(one.manifest.department, one.manifest.department), []).append(one)
        return self.screens.render(request, "kiosk/information.html", {"does": does, "qr": qr.of(self.address), "address": self.address})

    def ask(self, request: Request, kiosk: AKiosk) -> Response:  # noqa: ARG002
        return self.screens.render(request, "kiosk/state.html", {"wrong": "", "number": "", "found": None})

    def tell(self, request: Request, kiosk: AKiosk, number: str, code: str, tries: Limit) -> Response:
        """Say how a case stands to whoever has its receipt: service, state and dates, no names. Audited."""
        written = NUMBER.fullmatch(number)
        if written is None:
            return self._wrong(request, UNKNOWN, number)
        try:
            tries.check(f"{int(written[1])}/{written[2]}")
        except TooOftenError:
            return self._wrong(request, TOO_OFTEN, number, 429)
        with self.database.begin() as session:
            row = session.execute(
                select(Application, Docket)
                .join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
                .where(Docket.year == int(written[2]), Docket.number == int(written[1]))
            ).one_or_none()
            if row is None or not tracking.fits(self.secret, row[0].id, code):
                return self._wrong(request, UNKNOWN, number)
            application, docket = row
            lang = preferences.read(request).lang
            journal.write(session, f"case:{application.id}", at=datetime.now(UTC), actor=kiosk.actor, act="kiosk.read_state")
            context = {
                "wrong": "", "number": docket.reference, "found": application, "docket": docket, "states": STATES,
                "department": _departments(session, lang).get(application.department, application.department),
                "title": self.catalogue[application.procedure].manifest.title.of(lang)
                if application.procedure in self.catalogue else docket.subject,
            }  # fmt: skip
            return self.screens.render(request, "kiosk/state.html", context)

    def here(self, kiosk: AKiosk) -> Response:  # noqa: ARG002  the door has noted it
        """Take note that somebody still types."""
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    def end(self, request: Request, kiosk: AKiosk) -> Response:  # noqa: ARG002
        """Leave the screen: session, drafts of nobody, cookies and whatever the browser keeps; TaxisNet's own session as well.

        It is a plain link: leaving works on a page that is as old as it may be.
        """
        ours = request.cookies
        with self.database.begin() as session:
            if token := ours.get(self.cookies.session):
                sessions.end(session, token)
            form = ours.get(self.cookies.csrf)
            hand_offs.sweep(session, browser_hash(form) if form else None, datetime.now(UTC))
        was_away = bool({self.cookies.session, self.cookies.ceremony} & ours.keys())
        there = self.login.sign_out_address(f"{self.address}/kiosk") if self.login and was_away else "/kiosk"
        answer = RedirectResponse(there, 303, headers={"Cache-Control": "no-store", "Clear-Site-Data": '"cache", "storage"'})
        for name in ours.keys() - {self.cookies.kiosk}:
            self.cookies.clear(answer, name)
        return answer

    def invite(self, request: Request, token: str) -> Response:
        """Ask whoever opens the link on the screen whether this is the kiosk."""
        with self.database.begin() as session:
            device = devices.invited(session, token, datetime.now(UTC))
            if device is None:
                raise RefusedError(410, *USED)
            return self.screens.render(request, "kiosk/register.html", {"name": device.name, "token": token})

    def register(self, token: str) -> Response:
        with self.database.begin() as session:
            held = devices.register(session, token, datetime.now(UTC))
        if held is None:
            raise RefusedError(410, *USED)
        answer = RedirectResponse(END, 303)
        self.cookies.set(answer, self.cookies.kiosk, held, seconds=A_YEAR)
        return answer

    def _wrong(self, request: Request, why: str, number: str, status: int = 422) -> Response:
        return self.screens.render(request, "kiosk/state.html", {"wrong": why, "number": number, "found": None}, status=status)


Number = Annotated[str, Form(max_length=40)]
Code = Annotated[str, Form(max_length=40)]


def _departments(session: Session, lang: str) -> Mapping[str, str]:
    return {one.slug: one.name_en if lang == "en" else one.name_el for one in session.scalars(select(Department))}
