"""The portal's addresses."""

import uuid
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from asty_look import preferences
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity.door import ACitizen, anybody
from asty_citizen_services.nursery import desk as nursery
from asty_citizen_services.payments import desk as payments
from asty_citizen_services.payments import rf
from asty_citizen_services.portal import cases, catalogue_page, installable
from asty_citizen_services.portal.following import NOTHING, follow
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.registry import receipt, tracking
from asty_citizen_services.screens import Screens
from asty_citizen_services.workflow.desk import Desk

Words = Annotated[str, Query(max_length=100)]


def routes(
    database: Database,
    screens: Screens,
    catalogue: Catalogue,
    zone: ZoneInfo,
    desk: Desk,
    address: str,
    secret: str,
    *,
    pays_online: bool = False,
) -> APIRouter:
    """Return the router of the citizen's pages.

    `address` is the server's own, `secret` keys the codes of receipts; `pays_online`: a bank's pay page is set up.
    """
    pages = _Pages(database, screens, catalogue, zone, desk, address, secret)
    pages.pays_online = pays_online
    router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
    router.add_api_route("/", pages.home)
    router.add_api_route("/services/{slug}", pages.service)
    router.add_api_route("/cases", pages.list_cases)
    router.add_api_route("/cases.csv", pages.export_cases)
    router.add_api_route("/cases/{case}", pages.show_case)
    router.add_api_route("/accessibility", pages.accessibility)
    router.add_api_route("/offline", pages.offline)
    router.add_api_route("/manifest.webmanifest", pages.manifest)
    router.add_api_route("/sw.js", pages.worker)
    return router


class _Pages:
    """What asks no database is async: it takes no thread."""

    pays_online = False

    def __init__(
        self, database: Database, screens: Screens, catalogue: Catalogue, zone: ZoneInfo, desk: Desk, address: str, secret: str
    ) -> None:
        self._database, self._screens, self._catalogue, self._zone = database, screens, catalogue, zone
        self._desk, self._address, self._secret = desk, address, secret
        known = nursery.procedure_of(catalogue)
        self._nursery = known[0].slug if known else ""

    async def home(self, request: Request, q: Words = "") -> Response:
        found = catalogue_page.found(self._catalogue.values(), q, preferences.read(request).lang)
        return self._screens.render(request, "portal/home.html", {"found": found, "q": q, "all": len(self._catalogue)})

    async def service(self, request: Request, slug: str) -> Response:
        procedure = self._catalogue.get(slug)
        if procedure is None:
            raise RefusedError(404, *NOWHERE)
        return self._screens.render(
            request, "portal/service.html", {"procedure": procedure, "it": procedure.manifest, "euros": payments.euros}
        )

    def list_cases(self, request: Request, citizen: ACitizen, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        with self._database.reading() as session:
            mine = cases.of(session, citizen)
        found = cases.chosen(mine, q, state, sort)
        context = {"mine": mine, "found": found, "q": q, "state": state, "sort": sort, "states": cases.STATES, "sorts": cases.SORTS}
        return self._screens.render(request, "portal/cases.html", context)

    def export_cases(self, request: Request, citizen: ACitizen, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        with self._database.begin() as session:
            found = cases.chosen(cases.of(session, citizen), q, state, sort)
        heads = [self._screens.gettext(request, term) for term in ("Protocol number", "Subject", "State", "Filed", "Legal deadline")]
        words = {key: self._screens.gettext(request, term) for key, term in cases.STATES.items()}
        text = cases.as_csv(found, self._zone, preferences.read(request).lang, heads, words)
        headers = {"Content-Disposition": 'attachment; filename="cases.csv"', "Cache-Control": "no-store"}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    def show_case(self, request: Request, citizen: ACitizen, case: uuid.UUID) -> Response:
        with self._database.begin() as session:
            # the journal may wait for a step that is just being done: state and way are read after it
            journal.write(
                session, f"case:{case}", at=datetime.now(UTC), actor=citizen.actor, act="portal.read", subject=f"citizen:{citizen.id}"
            )
            found = cases.one(session, citizen, case)
            if found is None:
                raise RefusedError(
                    404, "There is no such case of yours.", "Perhaps you filed it for somebody else: choose for whom you act."
                )
            said = receipt.of(found.docket, self._zone, receipt.helper_of(session, case))
            on = follow(session, case, self._desk.model(session, case), preferences.read(request).lang) if found.has_begun else NOTHING
        context = {
            "case": found, "receipt": said, "code": tracking.code(self._secret, case), "states": cases.STATES, "on": on,
            "address": self._address, "euros": payments.euros, "grouped": rf.grouped, "pays_online": self.pays_online,
            "is_nursery": found.procedure == self._nursery,
        }  # fmt: skip
        return self._screens.render(request, "portal/case.html", context)

    async def accessibility(self, request: Request) -> Response:
        return self._screens.render(request, "portal/accessibility.html")

    async def offline(self, request: Request) -> Response:
        return self._screens.render(request, "portal/offline.html")

    def manifest(self, request: Request) -> Response:
        said = installable.manifest(self._screens.municipality, preferences.read(request).lang)
        return JSONResponse(said, media_type="application/manifest+json")

    def worker(self) -> Response:
        versions = ",".join(f"{slug}:{one.version}" for slug, one in self._catalogue.items())
        headers = {"Cache-Control": "no-cache"}
        return Response(installable.worker(versions), media_type="text/javascript; charset=utf-8", headers=headers)
