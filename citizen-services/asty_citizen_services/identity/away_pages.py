"""Absences: an officer says when he or she is away and names a substitute, who has the roles meanwhile."""

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
from sqlalchemy.orm import Session

from asty_citizen_services import spreadsheet
from asty_citizen_services.database import Database
from asty_citizen_services.failures import RefusedError
from asty_citizen_services.identity import accounts, roster
from asty_citizen_services.identity.accounts import AccountError
from asty_citizen_services.identity.door import AnOfficer, anybody
from asty_citizen_services.identity.models import Absence, Staff, StaffRole
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.screens import Screens

Field = Annotated[str, Form(max_length=200)]
Words = Annotated[str, Query(max_length=100)]
NOT_YOURS = ("This absence is not yours to change.", "Nothing was changed. Heads of department change those of their people.")
STATES = {"coming": "Coming", "now": "Away now", "over": "Over"}
_WRONG = "Choose the first and the last day, today or later, and a substitute who is somebody else."


@dataclass(frozen=True)
class AwayPages:
    """What the pages need."""

    database: Database
    screens: Screens
    zone: ZoneInfo
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routes(self) -> APIRouter:
        """Return the router of /staff/away."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/staff/away", self.show)
        router.add_api_route("/staff/away.csv", self.export)
        router.add_api_route("/staff/away", self.add, methods=["POST"])
        router.add_api_route("/staff/away/{absence}/end", self.end, methods=["POST"])
        return router

    def show(self, request: Request, officer: AnOfficer, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        return self._page(request, officer, {"q": q, "state": state, "sort": sort})

    def export(self, request: Request, officer: AnOfficer, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        with self.database.begin() as session:
            found = self._chosen(roster.absences(session, list(self._people(session, officer)), self.clock()), q, state, sort)
        heads = [self.screens.gettext(request, term) for term in ("Name", "From", "Until", "Reason", "Substitute")]
        rows = [
            (one.name, self._day(one.begins_at), self._day(one.ends_at), one.reason, ", ".join(one.substitutes)) for one in found
        ]  # fmt: skip
        return spreadsheet.answer(spreadsheet.csv_of(heads, rows, preferences.read(request).lang), "absences.csv")

    def add(
        self, request: Request, officer: AnOfficer, who: Field = "", first: Field = "", last: Field = "", substitute: Field = "",
        reason: Field = "",
    ) -> Response:  # fmt: skip
        """Note an absence with its substitute."""
        now = self.clock()
        typed = {"who": who, "first": first, "last": last, "substitute": substitute, "reason": reason}
        try:
            begins, ends = roster.days(first, last, self.zone)
            with self.database.begin() as session:
                away = uuid.UUID(who) if who else officer.id
                self._may(session, officer, away)
                taker = uuid.UUID(substitute) if substitute else None
                accounts.stand_in(session, away, taker, begins, ends, reason.strip(), by=officer.actor, now=now)
        except (ValueError, AccountError):
            return self._page(request, officer, {}, wrong=_WRONG, typed=typed, status=422)
        return RedirectResponse("/staff/away", 303)

    def end(self, absence: uuid.UUID, officer: AnOfficer) -> Response:
        with self.database.begin() as session:
            found = session.get(Absence, absence)
            self._may(session, officer, found.staff_id if found else None)
            accounts.come_back(session, absence, by=officer.actor, now=self.clock())
        return RedirectResponse("/staff/away", 303)

    def _page(
        self, request: Request, officer: StaffVisitor, given: dict[str, str], *, wrong: str = "", typed: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:  # fmt: skip
        chosen = {"q": "", "state": "", "sort": "-at"} | given
        now = self.clock()
        with self.database.begin() as session:
            people = self._people(session, officer)
            known = roster.absences(session, list(people), now)
            colleagues = self._colleagues(session)
        context: dict[str, Any] = {
            "people": people, "known": known, "found": self._chosen(known, **chosen), "colleagues": colleagues, "states": STATES,
            "now": now, "wrong": wrong, "typed": {"who": "", "first": "", "last": "", "substitute": "", "reason": ""} | (typed or {}),
        }  # fmt: skip
        return self.screens.render(request, "identity/away.html", context | chosen, status=status)

    def _chosen(self, found: list[roster.Away], q: str, state: str, sort: str) -> list[roster.Away]:
        now = self.clock()
        words = q.casefold().split()
        kept = [
            one
            for one in found
            if all(word in f"{one.name} {' '.join(one.substitutes)} {one.reason}".casefold() for word in words)
            and (not state or one.state(now) == state)
        ]
        return sorted(kept, key=lambda one: one.begins_at, reverse=sort != "at")

    def _may(self, session: Session, officer: StaffVisitor, away: uuid.UUID | None) -> None:
        if away not in self._people(session, officer):
            raise RefusedError(403, *NOT_YOURS)

    def _people(self, session: Session, officer: StaffVisitor) -> dict[uuid.UUID, str]:
        """Return whose absences the officer keeps: the own ones, and those of the people of departments that he or she heads."""
        headed = [one.department for one in officer.granted if one.role is Role.HEAD and one.lent_by is None]
        rows = session.execute(
            select(Staff.id, Staff.name)
            .join(StaffRole, StaffRole.staff_id == Staff.id)
            .where(StaffRole.department.in_(headed), Staff.ended_at.is_(None), Staff.id != officer.id)
            .distinct()
            .order_by(Staff.name)
        )
        return {officer.id: officer.name, **{row.id: row.name for row in rows}}

    def _colleagues(self, session: Session) -> dict[uuid.UUID, str]:
        rows = session.execute(select(Staff.id, Staff.name).where(Staff.ended_at.is_(None)).order_by(Staff.name))
        return {row.id: row.name for row in rows}

    def _day(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).isoformat(timespec="minutes")
