"""The citizen's data, and the records of processing that anybody may read."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database
from asty_citizen_services.failures import RefusedError
from asty_citizen_services.identity.door import ACitizen, anybody
from asty_citizen_services.identity.visitor import CitizenVisitor
from asty_citizen_services.privacy import erasing, export, requests
from asty_citizen_services.privacy.erasing import Erased
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.rates import Limit
from asty_citizen_services.screens import Screens


class Pages:
    """The pages /me/data and /privacy."""

    def __init__(self, database: Database, screens: Screens, catalogue: Catalogue) -> None:
        self._database, self._screens, self._catalogue = database, screens, catalogue

    def routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/privacy", self.records)
        router.add_api_route("/me/data", self.show)
        router.add_api_route("/me/data/export", self.export, methods=["POST"], dependencies=[Depends(Limit(6, 60))])
        router.add_api_route("/me/data/ask", self.ask, methods=["POST"], dependencies=[Depends(Limit(6, 60))])
        router.add_api_route("/me/data/erase", self.erase, methods=["POST"], dependencies=[Depends(Limit(6, 60))])
        return router

    def records(self, request: Request) -> Response:
        return self._screens.render(request, "privacy/records.html", {"procedures": [one.manifest for one in self._catalogue.values()]})

    def show(self, request: Request, citizen: ACitizen) -> Response:
        return self._page(request, citizen)

    def ask(
        self, citizen: ACitizen, kind: Annotated[str, Form(max_length=20)] = "", words: Annotated[str, Form(max_length=4000)] = ""
    ) -> Response:
        """Put a request before the data protection officer."""
        if kind not in requests.KINDS:
            raise RefusedError(422, "Choose what you ask.", "Nothing was sent. Go back.")
        with self._database.begin() as session:
            requests.ask(session, citizen.id, kind, "portal", words.strip(), by=citizen.actor, now=datetime.now(UTC))
        return RedirectResponse("/me/data#asked", 303)

    def export(self, citizen: ACitizen) -> Response:
        with self._database.begin() as session:
            held = export.export(session, citizen.id)
            journal.write(
                session, f"citizen:{citizen.id}", at=datetime.now(UTC), actor=citizen.actor, act="privacy.export", octets=len(held)
            )
        headers = {"Content-Disposition": 'attachment; filename="my-data.zip"', "Cache-Control": "no-store"}
        return Response(held, media_type="application/zip", headers=headers)

    def erase(self, request: Request, citizen: ACitizen, sure: Annotated[str, Form(max_length=8)] = "") -> Response:
        if sure != "yes":
            return self._page(request, citizen, wrong=True, status=422)
        with self._database.begin() as session:
            erased = erasing.erase_at_wish(session, self._catalogue, citizen.id, datetime.now(UTC))
        return self._page(request, citizen, erased=erased)

    def _page(
        self, request: Request, citizen: CitizenVisitor, *, erased: Erased | None = None, wrong: bool = False, status: int = 200
    ) -> Response:  # fmt: skip
        with self._database.begin() as session:
            asked = requests.all_of(session, citizen.id)
        context = {"erased": erased, "wrong": wrong, "asked": asked, "kinds": requests.KINDS, "states": requests.STATES}
        return self._screens.render(request, "privacy/mine.html", context, status=status)
