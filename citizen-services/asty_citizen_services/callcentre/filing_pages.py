"""Filling a form in for a caller and filing it, with the portal's own pages of the form."""

import uuid
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.callcentre import calls
from asty_citizen_services.callcentre.models import Call
from asty_citizen_services.callcentre.pages import Agents, AnAgent, Field
from asty_citizen_services.drafts import desk as drafts
from asty_citizen_services.drafts.filling import Place, Posted
from asty_citizen_services.drafts.models import Draft
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity import checks
from asty_citizen_services.identity.door import anybody
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.registry import receipt
from asty_citizen_services.registry.models import Application, Docket

GONE = ("There is no such form in this call.", "Perhaps it was filed or given up. Look at the call.")


@dataclass(frozen=True)
class FilingPages:
    """The forms below a call; `agents` knows calls and forms."""

    agents: Agents

    def routes(self) -> APIRouter:
        """Return the router of what is below /callcentre/calls/{call}/drafts."""
        router = APIRouter(
            prefix="/callcentre/calls/{call}", include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)]
        )
        router.add_api_route("/drafts", self.start, methods=["POST"])
        router.add_api_route("/drafts/{draft}", self.resume)
        router.add_api_route("/drafts/{draft}/check", self.look_over)
        router.add_api_route("/drafts/{draft}/file", self.file, methods=["POST"])
        router.add_api_route("/drafts/{draft}/give-up", self.give_up, methods=["POST"])
        router.add_api_route("/drafts/{draft}/{page}", self.show)
        router.add_api_route("/drafts/{draft}/{page}", self.keep, methods=["POST"])
        router.add_api_route("/receipts/{case}", self.receipt)
        return router

    def start(self, request: Request, call: uuid.UUID, agent: AnAgent, slug: Field = "") -> Response:
        """Begin a form for the caller, or take up the one that he or she began."""
        with self.agents.database.begin() as session:
            found = self.agents.recognised(session, call, agent)
            draft = self.agents.filling.begin(session, request, slug, found.citizen_id, None)
            calls.fill_in(session, found, draft)
            return RedirectResponse(f"{_at(call, draft.id)}/{self.agents.filling.procedure(slug).form.pages[0].id}", 303)

    def resume(self, call: uuid.UUID, draft: uuid.UUID, agent: AnAgent) -> Response:
        with self.agents.database.begin() as session:
            _, found, _ = self._draft(session, call, draft, agent)
            return RedirectResponse(f"{_at(call, draft)}/{self.agents.filling.first_wrong(found)}", 303)

    def show(self, request: Request, call: uuid.UUID, draft: uuid.UUID, page: str, agent: AnAgent) -> Response:
        with self.agents.database.begin() as session:
            _, found, place = self._draft(session, call, draft, agent)
            return self.agents.filling.show(request, session, found, page, place)

    def keep(self, request: Request, call: uuid.UUID, draft: uuid.UUID, page: str, agent: AnAgent, form: Posted) -> Response:
        with self.agents.database.begin() as session:
            _, found, place = self._draft(session, call, draft, agent)
            return self.agents.filling.keep(request, session, found, page, form, place)

    def look_over(self, request: Request, call: uuid.UUID, draft: uuid.UUID, agent: AnAgent) -> Response:
        with self.agents.database.begin() as session:
            _, found, place = self._draft(session, call, draft, agent)
            return self.agents.filling.look_over(request, session, found, place)

    def file(self, request: Request, call: uuid.UUID, draft: uuid.UUID, agent: AnAgent) -> Response:
        """File what the caller has heard read out, once, and keep with the case how he or she was recognised."""
        with self.agents.database.begin() as session:
            taken = self.agents.recognised(session, call, agent)
            if done := session.scalars(
                select(Application.id).where(Application.key == str(draft), Application.filed_by == agent.actor)
            ).first():
                return RedirectResponse(f"/callcentre/calls/{call}/receipts/{done}", 303)
            _, found, _ = self._draft(session, call, draft, agent)
            if (page := self.agents.filling.first_wrong(found)) != "check":
                return RedirectResponse(f"{_at(call, draft)}/{page}", 303)
            case = self.agents.filling.file(session, request, found, agent.actor, "call_centre", "el")
            assert taken.check_id is not None
            checks.use(session, taken.check_id, case, by=agent.actor, now=self.agents.clock())
        return RedirectResponse(f"/callcentre/calls/{call}/receipts/{case}", 303)

    def give_up(self, call: uuid.UUID, draft: uuid.UUID, agent: AnAgent) -> Response:
        with self.agents.database.begin() as session:
            _, found, _ = self._draft(session, call, draft, agent)
            drafts.give_up(session, found)
        return RedirectResponse(f"/callcentre/calls/{call}", 303)

    def receipt(self, request: Request, call: uuid.UUID, case: uuid.UUID, agent: AnAgent) -> Response:
        """Show the agent what to read out: the number, the time, the deadline."""
        with self.agents.database.begin() as session:
            taken = self.agents.read(session, call, agent)
            row = session.execute(
                select(Application, Docket)
                .join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
                .where(Application.id == case, Application.citizen_id == taken.citizen_id)
            ).one_or_none()
            if row is None:
                raise RefusedError(404, *NOWHERE)
            application, docket = row
            said = receipt.of(docket, self.agents.zone, receipt.helper_of(session, case))
            citizen = session.get_one(Citizen, taken.citizen_id)
            context = {"call": taken, "citizen": citizen, "receipt": said, "application": application, "docket": docket}
            return self.agents.screens.render(request, "callcentre/receipt.html", context)

    def _draft(self, session: Session, call: uuid.UUID, draft: uuid.UUID, agent: StaffVisitor) -> tuple[Call, Draft, Place]:
        taken = self.agents.recognised(session, call, agent)
        found = calls.draft_of(session, taken, draft)
        if found is None:
            raise RefusedError(404, *GONE)
        citizen = session.get_one(Citizen, taken.citizen_id)
        place = Place(_at(call, draft), f"/callcentre/calls/{call}", agent.actor, f"{citizen.firstname} {citizen.lastname}")
        return taken, found, place


def _at(call: uuid.UUID, draft: uuid.UUID) -> str:
    return f"/callcentre/calls/{call}/drafts/{draft}"
