"""What parents do with the nurseries' lists: see where they stand, object, give a place up."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from asty_look import preferences
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.database import Database
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity.door import ACitizen, anybody
from asty_citizen_services.identity.visitor import CitizenVisitor
from asty_citizen_services.nursery import desk, publishing
from asty_citizen_services.nursery.desk import PROVISIONAL
from asty_citizen_services.nursery.models import NurseryObjection
from asty_citizen_services.nursery.publishing import NotNowError
from asty_citizen_services.nursery.ranking import Table
from asty_citizen_services.portal import cases
from asty_citizen_services.portal.cases import Case
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.screens import Screens

type GiveUp = Callable[[Session, Table, int, uuid.UUID, str, datetime], None]
"""Withdraws an application, and moves on whom that moves up."""


@dataclass(frozen=True)
class NurseryCasePages:
    """What the pages below /nursery/cases need. `year_of` says to which lists an application of a moment belongs."""

    database: Database
    screens: Screens
    catalogue: Catalogue
    year_of: Callable[[datetime], int]
    give_up: GiveUp

    def routes(self) -> APIRouter:
        """Return the router of a citizen's own place."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/nursery/cases/{case}", self.show)
        router.add_api_route("/nursery/cases/{case}/object", self.object, methods=["POST"])
        router.add_api_route("/nursery/cases/{case}/withdraw", self.withdraw, methods=["POST"])
        return router

    def show(self, request: Request, case: uuid.UUID, citizen: ACitizen) -> Response:
        return self._page(request, case, citizen)

    def object(self, request: Request, case: uuid.UUID, citizen: ACitizen, words: Annotated[str, Form(max_length=8000)] = "") -> Response:
        if not words.strip():
            return self._page(request, case, citizen, "Write why you object.", 422)
        try:
            with self.database.begin() as session:
                mine, _ = self._mine(session, citizen, case)
                publishing.object_to(session, self.year_of(mine.at), case, words.strip(), citizen.actor, datetime.now(UTC))
        except NotNowError as error:
            return self._page(request, case, citizen, error.why, 409)
        return RedirectResponse(f"/nursery/cases/{case}", 303)

    def withdraw(self, request: Request, case: uuid.UUID, citizen: ACitizen, sure: Annotated[str, Form()] = "") -> Response:
        if sure != "yes":
            return self._page(request, case, citizen, "Tick that you give the place up.", 422)
        try:
            with self.database.begin() as session:
                mine, table = self._mine(session, citizen, case)
                self.give_up(session, table, self.year_of(mine.at), case, citizen.actor, datetime.now(UTC))
        except NotNowError as error:
            return self._page(request, case, citizen, error.why, 409)
        return RedirectResponse(f"/nursery/cases/{case}", 303)

    def _page(self, request: Request, case: uuid.UUID, citizen: CitizenVisitor, wrong: str = "", status: int = 200) -> Response:
        now, lang = datetime.now(UTC), preferences.read(request).lang
        with self.database.begin() as session:
            mine, table = self._mine(session, citizen, case)
            year = self.year_of(mine.at)
            shown = next(iter(desk.publications(session, year)), None)
            found = desk.standing(session, table, shown, case) if shown else None
            objections = session.scalars(
                select(NurseryObjection).where(NurseryObjection.application_id == case).order_by(NurseryObjection.at)
            ).all()
            is_withdrawn = str(case) in desk.withdrawn(session)
        is_open = shown is not None and shown.kind == PROVISIONAL and shown.objections_until is not None and shown.objections_until >= now
        context = {
            "case": mine, "shown": shown, "found": found, "table": table, "year": year, "objections": objections, "wrong": wrong,
            "can_object": is_open and found is not None and all(one.list_id != shown.id for one in objections if shown),
            "is_withdrawn": is_withdrawn, "station": table.stations[found[1]].name.of(lang) if found else "",
        }  # fmt: skip
        return self.screens.render(request, "portal/nursery.html", context, status=status)

    def _mine(self, session: Session, citizen: CitizenVisitor, case: uuid.UUID) -> tuple[Case, Table]:
        known, found = desk.procedure_of(self.catalogue), cases.one(session, citizen, case)
        if known is None or found is None or found.procedure != known[0].slug:
            raise RefusedError(404, *NOWHERE)
        return found, known[1]
