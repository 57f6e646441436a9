"""The fees of a department's cases: what is due, what came in, what goes back."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from asty_look import preferences
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services import spreadsheet
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity.door import anybody
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.municipal.registers import folded
from asty_citizen_services.office import rights
from asty_citizen_services.office.fee_words import STATES, WHY
from asty_citizen_services.office.pages import NOT_YOURS, AnOfficer, Office
from asty_citizen_services.payments import desk, rf
from asty_citizen_services.payments.desk import NotOwedError
from asty_citizen_services.payments.models import Fee
from asty_citizen_services.registry.models import Application, Docket

SORTS: Mapping[str, str] = {"-at": "Newest first", "at": "Oldest first", "-amount": "Largest amount first"}
Words = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class Line:
    """One fee with the case that it is for."""

    fee: Fee
    case: uuid.UUID
    reference: str
    department: str


@dataclass(frozen=True)
class FeesPages:
    """What the pages need."""

    office: Office

    def routes(self) -> APIRouter:
        """Return the router of /office/fees."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/office/fees", self.show)
        router.add_api_route("/office/fees.csv", self.export)
        router.add_api_route("/office/fees/{fee}/refunded", self.refunded, methods=["POST"])
        return router

    def show(self, request: Request, officer: AnOfficer, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        with self.office.database.begin() as session:
            mine = lines(session, officer)
        context = {
            "mine": mine, "found": chosen(mine, q, state, sort), "q": q, "state": state, "sort": sort, "states": STATES, "sorts": SORTS,
            "why": WHY, "euros": desk.euros, "grouped": rf.grouped, "owed": sum(one.fee.state == "refund" for one in mine),
            "heads": {one.fee.id for one in mine if rights.heads(officer, one.department)},
        }  # fmt: skip
        return self.office.screens.render(request, "office/fees.html", context)

    def export(self, request: Request, officer: AnOfficer, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        greek = preferences.read(request).lang == "el"
        with self.office.database.begin() as session:
            found = chosen(lines(session, officer), q, state, sort)
        terms = ("Protocol number", "Subject", "Amount", "Payment code", "State", "Charged", "Paid")
        heads = [self.office.screens.gettext(request, term) for term in terms]
        rows: list[tuple[object, ...]] = []
        for one in found:
            at = [
                moment.astimezone(self.office.zone).isoformat(timespec="seconds") if moment else ""
                for moment in (one.fee.made_at, one.fee.paid_at)
            ]
            amount = f"{one.fee.cents / 100:.2f}".replace(".", "," if greek else ".")
            state_ = self.office.screens.gettext(request, STATES[one.fee.state])
            rows.append((one.reference, one.fee.subject, amount, one.fee.code, state_, *at))
        return spreadsheet.answer(spreadsheet.csv_of(heads, rows, "el" if greek else "en"), "fees.csv")

    def refunded(self, officer: AnOfficer, fee: uuid.UUID, reference: Annotated[str, Form(max_length=100)] = "") -> Response:
        """Note that the head of department had the money sent back, by the number of the bank's transfer."""
        with self.office.database.begin() as session:
            line = next((one for one in lines(session, officer) if one.fee.id == fee), None)
            if line is None:
                raise RefusedError(404, *NOWHERE)
            if not rights.heads(officer, line.department):
                raise RefusedError(403, *NOT_YOURS)
            if not reference.strip():
                raise RefusedError(422, "Write the number of the bank's transfer.", "Nothing was noted. Go back and write it.")
            try:
                desk.refund(session, fee, reference.strip(), officer.actor, self.office.clock())
            except NotOwedError as error:
                raise RefusedError(409, "This fee is not owed back.", "Nothing was changed. Look at how it stands.") from error
        return RedirectResponse("/office/fees?state=refund", 303)


def lines(session: Session, officer: StaffVisitor) -> list[Line]:
    """Read the fees of the cases of an officer's departments."""
    departments = {one.department for one in officer.granted if one.role in rights.READERS}
    rows = session.execute(
        select(Fee, Application, Docket)
        .join(Application, Application.id == Fee.application_id)
        .join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
        .where(Application.department.in_(departments))
    )
    return [Line(fee, application.id, docket.reference, application.department) for fee, application, docket in rows]


def chosen(found: Sequence[Line], q: str, state: str, sort: str) -> list[Line]:
    """Return the lines in which every word of `q` occurs and which are in `state`, sorted as SORTS says."""
    words = folded(q).split()
    kept = [
        one
        for one in found
        if all(word in folded(f"{one.reference} {one.fee.subject} {one.fee.code}") for word in words) and state in ("", one.fee.state)
    ]
    if sort == "-amount":
        return sorted(kept, key=lambda one: -one.fee.cents)
    return sorted(kept, key=lambda one: one.fee.made_at, reverse=sort != "at")
