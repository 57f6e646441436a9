"""Who signs how: the ways of signing of all employees, for administrators, and of a department's, for its heads."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from asty_look import preferences
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services import spreadsheet
from asty_citizen_services.documents import profiles
from asty_citizen_services.documents.models import SigningProfile
from asty_citizen_services.failures import RefusedError
from asty_citizen_services.identity.door import anybody, staff
from asty_citizen_services.identity.models import Staff, StaffRole
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.office import rights
from asty_citizen_services.office.pages import NOT_YOURS, Office

AKeeper = Annotated[StaffVisitor, Depends(staff(Role.HEAD, Role.ADMINISTRATOR))]
Words = Annotated[str, Query(max_length=100)]
SORTS: Mapping[str, str] = {"name": "By name", "-made": "Newest first", "kind": "By way"}
STATES: Mapping[str, str] = {"in_use": "In use now", "ended": "Ended", "none": "No way of signing"}


@dataclass(frozen=True, slots=True)
class Way:
    """An employee's way of signing; without `profile` the employee has none."""

    staff: uuid.UUID
    name: str
    profile: uuid.UUID | None
    kind: str
    signs_as: str
    office: str
    made_at: datetime | None
    ended_at: datetime | None

    @property
    def state(self) -> str:
        return "none" if self.profile is None else "ended" if self.ended_at else "in_use"


@dataclass(frozen=True)
class ProfilePages:
    """What the pages need."""

    office: Office

    def routes(self) -> APIRouter:
        """Return the router of /office/signing/everybody."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/office/signing/everybody", self.show)
        router.add_api_route("/office/signing/everybody.csv", self.export)
        router.add_api_route("/office/signing/everybody/{profile}/end", self.end, methods=["POST"])
        return router

    def show(
        self, request: Request, keeper: AKeeper, q: Words = "", kind: Words = "", state: Words = "", sort: Words = "name"
    ) -> Response:  # fmt: skip
        with self.office.database.begin() as session:
            known = ways(session, keeper)
        context = {
            "known": known, "found": chosen(known, q, kind, state, sort), "kinds": profiles.KINDS, "states": STATES, "sorts": SORTS, "q": q,
            "kind": kind, "state": state, "sort": sort,
        }  # fmt: skip
        return self.office.screens.render(request, "office/everybody-signs.html", context)

    def export(
        self, request: Request, keeper: AKeeper, q: Words = "", kind: Words = "", state: Words = "", sort: Words = "name"
    ) -> Response:  # fmt: skip
        with self.office.database.begin() as session:
            found = chosen(ways(session, keeper), q, kind, state, sort)
        say, zone = self.office.screens.gettext, self.office.zone
        heads = [say(request, term) for term in ("Name", "Way of signing", "Signs as", "Since", "State")]
        rows = [
            (
                one.name, say(request, profiles.KINDS[one.kind]) if one.kind else "", f"{one.signs_as}, {one.office}".strip(", "),
                one.made_at.astimezone(zone).isoformat(timespec="seconds") if one.made_at else "", say(request, STATES[one.state]),
            )
            for one in found
        ]  # fmt: skip
        return spreadsheet.answer(spreadsheet.csv_of(heads, rows, preferences.read(request).lang), "signing.csv")

    def end(self, profile: uuid.UUID, keeper: AKeeper) -> Response:
        """Take a way of signing away from an employee, such as one who has left."""
        with self.office.database.begin() as session:
            found = next((one for one in ways(session, keeper) if one.profile == profile), None)
            if found is None:
                raise RefusedError(403, *NOT_YOURS)
            profiles.end(session, profile, found.staff, by=keeper.actor, now=self.office.clock())
        return RedirectResponse("/office/signing/everybody", 303)


def ways(session: Session, keeper: StaffVisitor) -> list[Way]:
    """Read the ways of signing of those whom the keeper answers for, with a line for who works on cases and has none."""
    people = select(Staff.id, Staff.name).join(StaffRole, StaffRole.staff_id == Staff.id).where(Staff.ended_at.is_(None))
    people = people.where(StaffRole.role.in_(rights.WORKERS)).distinct().order_by(Staff.name)
    if not keeper.has(Role.ADMINISTRATOR):
        people = people.where(StaffRole.department.in_([one.department for one in keeper.granted if one.role is Role.HEAD]))
    names = {row.id: row.name for row in session.execute(people)}
    kept = session.scalars(select(SigningProfile).where(SigningProfile.staff_id.in_(names)).order_by(SigningProfile.made_at)).all()
    can_sign = {one.staff_id for one in kept if one.ended_at is None}
    found = [Way(it.staff_id, names[it.staff_id], it.id, it.kind, it.name, it.office, it.made_at, it.ended_at) for it in kept]
    return found + [Way(one, name, None, "", "", "", None, None) for one, name in names.items() if one not in can_sign]


def chosen(found: Sequence[Way], q: str, kind: str, state: str, sort: str) -> list[Way]:
    """Return the ways in which every word of `q` occurs and that fit the filters, sorted as SORTS says. Pure."""
    words = q.casefold().split()
    kept = [
        one
        for one in found
        if all(word in f"{one.name} {one.signs_as} {one.office}".casefold() for word in words)
        and kind in ("", one.kind)
        and state in ("", one.state)
    ]
    match sort:
        case "-made":
            return sorted(kept, key=lambda one: (one.made_at is None, -(one.made_at.timestamp() if one.made_at else 0.0)))
        case "kind":
            return sorted(kept, key=lambda one: (one.kind, one.name))
    return sorted(kept, key=lambda one: one.name)
