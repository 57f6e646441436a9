"""The agent's addresses: who calls, the call with the caller's cases, notes and links."""

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
from asty_citizen_services.audit import journal
from asty_citizen_services.callcentre import callers, calls, handoffs
from asty_citizen_services.callcentre.models import Call
from asty_citizen_services.database import Database
from asty_citizen_services.drafts.filling import Filling
from asty_citizen_services.failures import RefusedError
from asty_citizen_services.identity import checks, citizens, contacts
from asty_citizen_services.identity.citizens import NotAPersonError
from asty_citizen_services.identity.contacts import ContactError
from asty_citizen_services.identity.door import anybody, staff
from asty_citizen_services.identity.models import Citizen, Department, IdentityCheck
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.taxisnet import Person
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.rates import Limit
from asty_citizen_services.screens import Screens
from asty_citizen_services.workflow.desk import Desk
from asty_citizen_services.workflow.route import STATES

AnAgent = Annotated[StaffVisitor, Depends(staff(Role.CALL_CENTRE))]
Words = Annotated[str, Query(max_length=100)]
Field = Annotated[str, Form(max_length=200)]
NO_CALL = ("There is no such call of yours.", "Calls are open to the agent who took them. Look for the caller again.")
ENDED = ("The call has ended.", "Nothing was changed. Take a new call of the same caller.")
UNKNOWN = ("It is not known yet who calls.", "Check the caller's identity first; nothing was changed.")


@dataclass(frozen=True)
class Agents:
    """What the pages need. `desk` knows where cases are, `address` is what links begin with."""

    database: Database
    screens: Screens
    filling: Filling
    desk: Desk
    zone: ZoneInfo
    address: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routes(self) -> APIRouter:
        """Return the router of /callcentre."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/callcentre", self.search, dependencies=[Depends(Limit(60, 60))])
        router.add_api_route("/callcentre/callers", self.enter, methods=["POST"], dependencies=[Depends(Limit(20, 60))])
        router.add_api_route("/callcentre/calls", self.calls)
        router.add_api_route("/callcentre/calls.csv", self.export)
        router.add_api_route("/callcentre/calls", self.begin, methods=["POST"])
        router.add_api_route("/callcentre/calls/{call}", self.call)
        router.add_api_route("/callcentre/calls/{call}/identity", self.recognise, methods=["POST"])
        router.add_api_route("/callcentre/calls/{call}/notes", self.note, methods=["POST"])
        router.add_api_route("/callcentre/calls/{call}/end", self.end, methods=["POST"])
        router.add_api_route("/callcentre/calls/{call}/handoffs", self.hand_off, methods=["POST"], dependencies=[Depends(Limit(20, 60))])
        return router

    def search(self, request: Request, agent: AnAgent, q: Words = "") -> Response:
        """Find who calls. The search is audited by its kind, whoever it finds with their own entry once the call is taken."""
        with self.database.begin() as session:
            found = callers.found(session, q) if q.strip() else []
            if q.strip():
                way = callers.way_of(q)
                journal.write(
                    session, f"staff:{agent.id}", at=self.clock(), actor=agent.actor, act="callcentre.search", by=way, found=len(found)
                )
        return self._search(request, q, found)

    def enter(
        self, request: Request, agent: AnAgent, taxid: Field = "", lastname: Field = "", firstname: Field = "", fathername: Field = "",
        mothername: Field = "", birthyear: Field = "",
    ) -> Response:  # fmt: skip
        """Enter a caller who has never signed in, and take the call."""
        names = {"lastname": lastname, "firstname": firstname, "fathername": fathername, "mothername": mothername}
        person = Person(
            taxid.strip(), **{name: " ".join(callers.plain(value).split()) for name, value in names.items()},
            birthyear=int(birthyear) if birthyear.strip().isdecimal() and len(birthyear.strip()) == 4 else None,
        )  # fmt: skip
        try:
            with self.database.begin() as session:
                citizen = citizens.enter(session, person, by=agent.actor, now=self.clock())
                call = calls.begin(session, citizen, agent.id, self.clock())
        except NotAPersonError as error:
            typed = names | {"taxid": taxid, "birthyear": birthyear}
            return self._search(request, "", [], wrong=str(error), typed=typed, status=422)
        return RedirectResponse(f"/callcentre/calls/{call}", 303)

    def calls(self, request: Request, agent: AnAgent, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        with self.database.begin() as session:
            mine = calls.taken(session, agent.id)
        found = calls.chosen(mine, q, state, sort)
        context = {
            "mine": mine, "found": found[: calls.MOST], "more": len(found) - calls.MOST, "q": q, "state": state, "sort": sort,
            "states": calls.STATES, "sorts": calls.SORTS,
        }  # fmt: skip
        return self.screens.render(request, "callcentre/calls.html", context)

    def export(self, request: Request, agent: AnAgent, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        with self.database.begin() as session:
            found = calls.chosen(calls.taken(session, agent.id), q, state, sort)
            journal.write(session, f"staff:{agent.id}", at=self.clock(), actor=agent.actor, act="callcentre.export", lines=len(found))
        heads = [self.screens.gettext(request, term) for term in ("Caller", "Began", "Ended", "Notes")]
        return spreadsheet.answer(spreadsheet.csv_of(heads, calls.rows(found, self.zone), preferences.read(request).lang), "calls.csv")

    def begin(self, agent: AnAgent, citizen: Annotated[uuid.UUID, Form()]) -> Response:
        with self.database.begin() as session:
            if session.get(Citizen, citizen) is None:
                raise RefusedError(404, *NO_CALL)
            call = calls.begin(session, citizen, agent.id, self.clock())
        return RedirectResponse(f"/callcentre/calls/{call}", 303)

    def call(self, request: Request, call: uuid.UUID, agent: AnAgent) -> Response:
        return self.show(request, call, agent)

    def show(
        self,
        request: Request,
        call: uuid.UUID,
        agent: StaffVisitor,
        *,
        wrong: str = "",
        status: int = 200,
        kept: dict[str, Any] | None = None,
    ) -> Response:
        """Draw a call. Cases are shown once it is known who calls; the reading is audited."""
        lang = preferences.read(request).lang
        now = self.clock()
        with self.database.begin() as session:
            found = self.read(session, call, agent)
            citizen = session.get_one(Citizen, found.citizen_id)
            check = session.get(IdentityCheck, found.check_id) if found.check_id else None
            journal.write(
                session,
                f"citizen:{citizen.id}",
                at=now,
                actor=agent.actor,
                act="callcentre.read",
                call=str(call),
                cases="yes" if check else "no",
            )
            titles = {slug: one.manifest.title.of(lang) for slug, one in self.filling.catalogue.items()}
            context = {
                "call": found, "citizen": citizen, "check": check, "questions": checks.QUESTIONS, "least": checks.LEAST,
                "contact": contacts.verified(session, citizen.id),
                "cases": callers.cases(session, self.filling.catalogue, self.desk, citizen.id, lang) if check else [],
                "notes": calls.notes(session, citizen.id) if check else [],
                "drafts": calls.open_drafts(session, found), "links": handoffs.followed(session, call, now),
                "link_states": handoffs.STATES, "titles": titles, "states": STATES, "departments": _departments(session, lang), "now": now,
                "wrong": wrong, "kept": {"asked": [], "document": "", "slug": "", "phone": "", "text": ""} | (kept or {}),
            }  # fmt: skip
            return self.screens.render(request, "callcentre/call.html", context, status=status)

    def recognise(
        self, request: Request, call: uuid.UUID, agent: AnAgent, asked: Annotated[list[str] | None, Form()] = None, document: Field = ""
    ) -> Response:
        """Keep how the caller was recognised."""
        try:
            with self.database.begin() as session:
                calls.recognise(session, self.open_call(session, call, agent), asked or [], document, self.clock())
        except checks.CheckError as error:
            return self.show(request, call, agent, wrong=str(error), status=422, kept={"asked": asked or [], "document": document})
        return RedirectResponse(f"/callcentre/calls/{call}", 303)

    def note(self, call: uuid.UUID, agent: AnAgent, text: Annotated[str, Form(max_length=4000)] = "") -> Response:
        with self.database.begin() as session:
            found = self.read(session, call, agent)
            if text.strip():
                calls.note(session, found, text, self.clock())
        return RedirectResponse(f"/callcentre/calls/{call}#notes", 303)

    def end(self, call: uuid.UUID, agent: AnAgent) -> Response:
        with self.database.begin() as session:
            calls.end(session, self.read(session, call, agent), self.clock())
        return RedirectResponse("/callcentre", 303)

    def hand_off(self, request: Request, call: uuid.UUID, agent: AnAgent, slug: Field = "", phone: Field = "") -> Response:
        """Write the caller an SMS with a link to a form, begun with what is known."""
        try:
            with self.database.begin() as session:
                found = self.recognised(session, call, agent)
                procedure = self.filling.procedure(slug)
                draft = self.filling.begin(session, request, slug, found.citizen_id, None)
                calls.fill_in(session, found, draft)
                handoffs.send(session, found, draft, phone, procedure.manifest.title.el, self.address, self.clock())
        except (ContactError, handoffs.NotItsPhoneError) as error:
            return self.show(request, call, agent, wrong=str(error), status=422, kept={"slug": slug, "phone": phone})
        return RedirectResponse(f"/callcentre/calls/{call}#links", 303)

    def read(self, session: Session, call: uuid.UUID, agent: StaffVisitor) -> Call:
        """Return a call of the agent. Raises RefusedError."""
        if (found := calls.of(session, call, agent.id)) is None:
            raise RefusedError(404, *NO_CALL)
        return found

    def open_call(self, session: Session, call: uuid.UUID, agent: StaffVisitor) -> Call:
        """Return a call that goes on. Raises RefusedError."""
        found = self.read(session, call, agent)
        if found.ended_at is not None:
            raise RefusedError(409, *ENDED)
        return found

    def recognised(self, session: Session, call: uuid.UUID, agent: StaffVisitor) -> Call:
        """Return a call that goes on and whose caller was recognised. Raises RefusedError."""
        found = self.open_call(session, call, agent)
        if found.check_id is None:
            raise RefusedError(409, *UNKNOWN)
        return found

    def _search(
        self,
        request: Request,
        q: str,
        found: list[callers.Caller],
        *,
        wrong: str = "",
        typed: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        nothing = dict.fromkeys(("taxid", "lastname", "firstname", "fathername", "mothername", "birthyear"), "")
        context = {
            "q": q, "found": found, "way": callers.way_of(q) if q.strip() else "", "most": callers.MOST, "wrong": wrong,
            "typed": nothing | (typed or {}),
        }  # fmt: skip
        return self.screens.render(request, "callcentre/search.html", context, status=status)


def _departments(session: Session, lang: str) -> dict[str, str]:
    return {it.slug: it.name_en if lang == "en" else it.name_el for it in session.scalars(select(Department))}
