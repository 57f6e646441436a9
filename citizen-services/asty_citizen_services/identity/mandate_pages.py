"""The register of representatives: who acts for which legal person, by which deed, until when."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from asty_look import preferences
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from asty_citizen_services import spreadsheet
from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity import mandates, roster
from asty_citizen_services.identity.door import anybody, staff
from asty_citizen_services.identity.mandates import MandateError
from asty_citizen_services.identity.models import Citizen, Mandate
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.screens import Screens

ARecorder = Annotated[StaffVisitor, Depends(staff(Role.OFFICER, Role.HEAD, Role.REGISTRAR))]
Words = Annotated[str, Query(max_length=100)]
Field = Annotated[str, Form(max_length=300)]
MOST = 200
_UNKNOWN = "Nobody with this tax number has signed in yet: the representative signs in once with TaxisNet, then the deed is recorded."
_WRONG = "The legal person's tax number and name, the deed, and days in their order are needed."


@dataclass(frozen=True)
class MandatePages:
    """What the pages need."""

    database: Database
    screens: Screens
    zone: ZoneInfo
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routes(self) -> APIRouter:
        """Return the router of /staff/mandates."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/staff/mandates", self.show)
        router.add_api_route("/staff/mandates.csv", self.export)
        router.add_api_route("/staff/mandates", self.add, methods=["POST"])
        router.add_api_route("/staff/mandates/{mandate}/end", self.end, methods=["POST"])
        return router

    def show(self, request: Request, who: ARecorder, q: Words = "", state: Words = "", sort: Words = "name") -> Response:
        return self._page(request, who, {"q": q, "state": state, "sort": sort})

    def export(self, request: Request, who: ARecorder, q: Words = "", state: Words = "", sort: Words = "name") -> Response:
        now = self.clock()
        with self.database.begin() as session:
            found = mandates.chosen(mandates.register(session), q, state, sort, now)
            journal.write(session, f"staff:{who.id}", at=now, actor=who.actor, act="identity.export_mandates", lines=len(found))
        terms = ("Legal person", "Tax number (AFM)", "Representative", "Deed", "From", "Until", "State", "Recorded by")
        heads = [self.screens.gettext(request, term) for term in terms]
        rows = [
            (
                one.legal_name, one.afm, one.person, one.basis, self._day(one.valid_from), self._day(one.valid_until),
                self.screens.gettext(request, mandates.STATES[one.state(now)]), one.recorded_by,
            )
            for one in found
        ]  # fmt: skip
        return spreadsheet.answer(spreadsheet.csv_of(heads, rows, preferences.read(request).lang), "mandates.csv")

    def add(
        self, request: Request, who: ARecorder, taxid: Field = "", afm: Field = "", legal_name: Field = "", basis: Field = "",
        first: Field = "", last: Field = "",
    ) -> Response:  # fmt: skip
        """Record a deed that the officer saw."""
        now = self.clock()
        typed = {"taxid": taxid, "afm": afm, "legal_name": legal_name, "basis": basis, "first": first, "last": last}
        try:
            begins = roster.days(first, first, self.zone)[0] if first else now
            ends = roster.days(last, last, self.zone)[1] if last else None
            with self.database.begin() as session:
                citizen = session.scalar(select(Citizen.id).where(Citizen.taxid == taxid.strip()))
                if citizen is None:
                    return self._page(request, who, {}, wrong=_UNKNOWN, typed=typed, status=422)
                mandates.record(
                    session, citizen=citizen, afm=afm.strip(), legal_name=legal_name, basis=basis, valid_from=begins, valid_until=ends,
                    staff=who.id, now=now,
                )  # fmt: skip
        except (MandateError, ValueError):
            return self._page(request, who, {}, wrong=_WRONG, typed=typed, status=422)
        return RedirectResponse("/staff/mandates?sort=-at", 303)

    def end(self, mandate: uuid.UUID, who: ARecorder) -> Response:
        """End a mandate at once."""
        with self.database.begin() as session:
            found = session.get(Mandate, mandate)
            if found is None:
                raise RefusedError(404, *NOWHERE)
            if found.revoked_at is None:
                mandates.revoke(session, mandate, staff=who.id, now=self.clock())
        return RedirectResponse("/staff/mandates", 303)

    def _page(
        self, request: Request, who: StaffVisitor, given: dict[str, str], *, wrong: str = "", typed: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:  # fmt: skip
        chosen = {"q": "", "state": "", "sort": "name"} | given
        now = self.clock()
        with self.database.begin() as session:
            known = mandates.register(session)
            journal.write(session, f"staff:{who.id}", at=now, actor=who.actor, act="identity.read_mandates", q=chosen["q"])
        found = mandates.chosen(known, chosen["q"], chosen["state"], chosen["sort"], now)
        context: dict[str, Any] = {
            "known": known, "found": found[:MOST], "more": len(found) - MOST, "states": mandates.STATES, "sorts": mandates.SORTS,
            "now": now, "wrong": wrong,
            "typed": dict.fromkeys(("taxid", "afm", "legal_name", "basis", "first", "last"), "") | (typed or {}),
        }  # fmt: skip
        return self.screens.render(request, "identity/mandates.html", context | chosen, status=status)

    def _day(self, moment: datetime | None) -> str:
        return moment.astimezone(self.zone).isoformat(timespec="minutes") if moment else ""
