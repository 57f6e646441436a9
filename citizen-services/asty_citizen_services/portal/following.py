"""What a citizen does with a running case: looks where it is, takes documents, objects, signs for somebody else's application."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from asty_look import preferences
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.bpmn.case import NotWaitingError
from asty_citizen_services.bpmn.model import Model
from asty_citizen_services.database import Database
from asty_citizen_services.documents import papers
from asty_citizen_services.documents.models import Document
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.forms.show import summary
from asty_citizen_services.identity.door import ACitizen, anybody
from asty_citizen_services.identity.models import Department
from asty_citizen_services.identity.visitor import CitizenVisitor
from asty_citizen_services.payments import desk as payments
from asty_citizen_services.payments.models import Fee
from asty_citizen_services.portal import cases
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.screens import Screens
from asty_citizen_services.workflow.desk import Desk
from asty_citizen_services.workflow.models import CaseState, CaseTask
from asty_citizen_services.workflow.route import Box, route

OVER = ("The term for this is over, or it was done already.", "Nothing was changed. Look at how the case stands.")
NOT_ASKED = (
    "The signature of somebody else is asked for here.",
    "Sign in as the person whose tax number the application names, or ask the applicant for the right link.",
)
ENDED = ("This signature is not needed any more.", "It was given already, or the application was changed.")
TOLD = ("incomplete", "reject", "denied", "accepted", "misdirected")
"""Outcomes whose reasons are written for the citizen."""


@dataclass(frozen=True, slots=True)
class Following:
    """Where a case is. `task` is what it waits for from the citizen: amend, object, pay or none; `cosign` is the second signer's.

    `department` has it now, by name; empty while the register of departments lacks it.
    """

    way: Sequence[Box]
    passed: Sequence[str]
    tokens: Sequence[str]
    task: CaseTask | None
    cosign: uuid.UUID | None
    said: Sequence[tuple[datetime, str]]
    documents: Sequence[tuple[Document, Docket]]
    fees: Sequence[Fee] = ()
    department: str = ""


NOTHING = Following((), (), (), None, None, (), ())
"""Of an application whose case has not begun."""


def follow(session: Session, case: uuid.UUID, model: Model, lang: str) -> Following:
    """Read where a case is."""
    state = session.get_one(CaseState, case)
    department = session.get(Department, session.get_one(Application, case).department)
    tasks = session.scalars(select(CaseTask).where(CaseTask.application_id == case).order_by(CaseTask.since)).all()
    open_ = [task for task in tasks if task.done_at is None]
    told = [task for task in tasks if task.outcome in TOLD and task.given.get("reason")]
    said = [(task.done_at, str(task.given["reason"])) for task in told if task.done_at]
    return Following(
        route(model, state.passed, state.tokens, lang), state.passed, state.tokens,
        next((task for task in open_ if task.seat == "citizen"), None),
        next((task.token for task in open_ if task.seat == "cosigner"), None), said, papers.of_case(session, case, delivered=True),
        payments.of_case(session, case), "" if department is None else department.name_en if lang == "en" else department.name_el,
    )  # fmt: skip


@dataclass(frozen=True)
class FollowingPages:
    """What the pages need. `desk` moves cases."""

    database: Database
    screens: Screens
    catalogue: Catalogue
    desk: Desk

    def routes(self) -> APIRouter:
        """Return the router of what is below a case, and of /cosign."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/cases/{case}/diagram.bpmn", self.diagram)
        router.add_api_route("/cases/{case}/documents/{paper}", self.document)
        router.add_api_route("/cases/{case}/object", self.object, methods=["POST"])
        router.add_api_route("/cosign/{token}", self.ask)
        router.add_api_route("/cosign/{token}", self.cosign, methods=["POST"])
        return router

    def diagram(self, case: uuid.UUID, citizen: ACitizen) -> Response:
        with self.database.begin() as session:
            _mine(session, citizen, case)
            return Response(self.desk.model(session, case).xml, media_type="application/xml", headers={"Cache-Control": "no-store"})

    def document(self, case: uuid.UUID, paper: uuid.UUID, citizen: ACitizen) -> Response:
        """Hand a delivered document out. Audited."""
        with self.database.begin() as session:
            _mine(session, citizen, case)
            found = next((it for it, _ in papers.of_case(session, case, delivered=True) if it.id == paper), None)
            if found is None:
                raise RefusedError(404, *NOWHERE)
            journal.write(session, f"case:{case}", at=_now(), actor=citizen.actor, act="portal.take_document", code=found.code)
            headers = {"Content-Disposition": f'attachment; filename="{found.kind}-{found.code}.pdf"', "Cache-Control": "no-store"}
            return Response(found.content, media_type="application/pdf", headers=headers)

    def object(self, case: uuid.UUID, citizen: ACitizen, objection: Annotated[str, Form(max_length=8000)] = "") -> Response:
        """Take an objection to a rejection, within its term."""
        with self.database.begin() as session:
            _mine(session, citizen, case)
            task = session.scalars(
                select(CaseTask).where(CaseTask.application_id == case, CaseTask.step == "object", CaseTask.done_at.is_(None))
            ).one_or_none()
            if task is None:
                raise RefusedError(409, *OVER)
            if not objection.strip():
                raise RefusedError(422, "Write why you object.", "Nothing was sent. Go back and write your reasons.")
            try:
                self.desk.complete(session, task.token, citizen.actor, _now(), None, {"objection": objection.strip()})
            except NotWaitingError as error:
                raise RefusedError(409, *OVER) from error
        return RedirectResponse(f"/cases/{case}", 303)

    def ask(self, request: Request, token: uuid.UUID, citizen: ACitizen) -> Response:
        """Show the second signer what is signed. Audited."""
        lang = preferences.read(request).lang
        with self.database.begin() as session:
            task, application, docket = self._asked(session, token, citizen)
            procedure = self.catalogue[application.procedure]
            journal.write(session, f"case:{application.id}", at=_now(), actor=citizen.actor, act="portal.read_to_cosign")
            context = {"task": task, "docket": docket, "procedure": procedure, "said": summary(procedure.form, application.answers, lang)}
            return self.screens.render(request, "portal/cosign.html", context)

    def cosign(self, request: Request, token: uuid.UUID, citizen: ACitizen, agree: Annotated[str, Form()] = "") -> Response:
        with self.database.begin() as session:
            _, _, docket = self._asked(session, token, citizen)
            if agree != "yes":
                raise RefusedError(422, "Tick that you agree, to sign.", "Nothing was signed. Go back.")
            try:
                self.desk.complete(session, token, citizen.actor, _now(), None, {"signed_by": citizen.taxid})
            except NotWaitingError as error:
                raise RefusedError(410, *ENDED) from error
            return self.screens.render(request, "portal/cosigned.html", {"docket": docket})

    def _asked(self, session: Session, token: uuid.UUID, citizen: CitizenVisitor) -> tuple[CaseTask, Application, Docket]:
        """Return what the link asks to sign, when the citizen is the person whom the application names. Raises RefusedError."""
        task = session.get(CaseTask, token)
        if task is None or task.seat != "cosigner":
            raise RefusedError(404, *NOWHERE)
        if task.done_at is not None:
            raise RefusedError(410, *ENDED)
        application = session.get_one(Application, task.application_id)
        second = self.catalogue[application.procedure].manifest.cosignature
        if second is None or application.answers.get(second.afm) != citizen.taxid:
            raise RefusedError(403, *NOT_ASKED)
        docket = session.scalars(
            select(Docket).where(Docket.application_id == application.id, Docket.direction == "in").order_by(Docket.at).limit(1)
        ).one()
        return task, application, docket


def _mine(session: Session, citizen: CitizenVisitor, case: uuid.UUID) -> Any:
    found = cases.one(session, citizen, case)
    if found is None:
        raise RefusedError(404, *NOWHERE)
    return found


def _now() -> datetime:
    return datetime.now(UTC)
