"""A citizen's drafts: begun, taken up again, filed, or completing what was filed."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.bpmn.case import NotWaitingError
from asty_citizen_services.database import Database
from asty_citizen_services.drafts import desk as drafts
from asty_citizen_services.drafts.filling import GONE, Filling, Place, Posted, browser
from asty_citizen_services.drafts.models import Draft
from asty_citizen_services.failures import RefusedError
from asty_citizen_services.forms.answers import Answers, shown
from asty_citizen_services.identity.door import ACitizen, Anybody, anybody
from asty_citizen_services.identity.visitor import CitizenVisitor
from asty_citizen_services.registry.models import Application
from asty_citizen_services.workflow import acts
from asty_citizen_services.workflow.desk import Desk as Cases
from asty_citizen_services.workflow.models import CaseTask

OVER = ("The term to complete the file is over.", "Nothing was changed. Look at how the case stands.")


@dataclass(frozen=True)
class Apply:
    """What the pages need. `cases` take what completes a file."""

    database: Database
    filling: Filling
    cases: Cases

    def routes(self) -> APIRouter:
        """Return the router of the pages."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/services/{slug}/start", self.start, methods=["POST"])
        router.add_api_route("/cases/{case}/amend", self.amend, methods=["POST"])
        router.add_api_route("/drafts/{draft}", self.resume)
        router.add_api_route("/drafts/{draft}/check", self.look_over)
        router.add_api_route("/drafts/{draft}/file", self.file, methods=["POST"])
        router.add_api_route("/drafts/{draft}/give-up", self.give_up, methods=["POST"])
        router.add_api_route("/drafts/{draft}/files/{upload}", self.show_file)
        router.add_api_route("/drafts/{draft}/{page}", self.show)
        router.add_api_route("/drafts/{draft}/{page}", self.keep, methods=["POST"])
        return router

    def start(self, request: Request, slug: str, citizen: ACitizen) -> Response:
        """Begin a draft, or take up the one that was begun."""
        mandate = citizen.acts_for.mandate if citizen.acts_for else None
        with self.database.begin() as session:
            draft = self.filling.begin(session, request, slug, citizen.id, mandate)
            return RedirectResponse(f"/drafts/{draft.id}/{self.filling.procedure(slug).form.pages[0].id}", 303)

    def amend(self, request: Request, case: uuid.UUID, citizen: ACitizen) -> Response:
        """Take up the draft that completes a filed application, at the first question that was asked for."""
        with self.database.begin() as session:
            application = session.get(Application, case)
            task = _amending(session, case)
            if application is None or application.citizen_id != citizen.id or task is None:
                raise RefusedError(404, "There is nothing to complete in this case.", "Look at how the case stands.")
            procedure = self.filling.procedure(application.procedure)
            draft = drafts.amending(session, case, procedure.slug, citizen.id, dict(application.answers), browser(request), _now())
            wanted = _wanted(session, draft)
            first = next((page for page, asked in shown(procedure.form, draft.answers) if {q.ask for q in asked} & wanted), None)
            return RedirectResponse(f"/drafts/{draft.id}/{first.id if first else procedure.form.pages[0].id}", 303)

    def resume(self, draft: uuid.UUID, citizen: ACitizen) -> Response:
        """Go on where something lacks, or to the answers when nothing does."""
        with self.database.begin() as session:
            return RedirectResponse(f"/drafts/{draft}/{self.filling.first_wrong(_draft(session, draft, citizen, lock=False))}", 303)

    def show(self, request: Request, draft: uuid.UUID, page: str, citizen: ACitizen) -> Response:
        with self.database.reading() as session:
            found = _draft(session, draft, citizen, lock=False)
            return self.filling.show(request, session, found, page, _place(draft, citizen), wanted=_wanted(session, found))

    def keep(self, request: Request, draft: uuid.UUID, page: str, visitor: Anybody, form: Posted) -> Response:
        """Keep a page's answers. Without a session the browser that wrote last may still hand in what it has; then it signs in."""
        with self.database.begin() as session:
            if isinstance(visitor, CitizenVisitor):
                found = _draft(session, draft, visitor)
                return self.filling.keep(request, session, found, page, form, _place(draft, visitor), wanted=_wanted(session, found))
            written = drafts.of_browser(session, draft, browser(request))
            if written is not None:
                self.filling.keep_unseen(request, written, page, form)
        return RedirectResponse(f"/sign-in?{urlencode({'next': f'/drafts/{draft}/{page}'})}", 303)

    def look_over(self, request: Request, draft: uuid.UUID, citizen: ACitizen) -> Response:
        with self.database.begin() as session:
            return self.filling.look_over(request, session, _draft(session, draft, citizen, lock=False), _place(draft, citizen))

    def file(self, request: Request, draft: uuid.UUID, citizen: ACitizen) -> Response:
        """File the draft once, however often the button is pressed."""
        with self.database.begin() as session:
            found = drafts.take(session, draft, citizen.id)
            if found is None and (done := _filed_as(session, draft, citizen)):
                return RedirectResponse(f"/cases/{done}?filed=1", 303)
            if found is None:
                raise RefusedError(404, *GONE)
            if (page := self.filling.first_wrong(found)) != "check":
                return RedirectResponse(f"/drafts/{draft}/{page}", 303)
            if found.amends is None:
                case = self.filling.file(session, request, found, citizen.actor, "portal")
            else:
                case = self._complete(session, found, citizen, self.filling.answers(found))
        return RedirectResponse(f"/cases/{case}?filed=1", 303)

    def give_up(self, draft: uuid.UUID, citizen: ACitizen) -> Response:
        with self.database.begin() as session:
            drafts.give_up(session, _draft(session, draft, citizen))
        return RedirectResponse("/cases", 303)

    def show_file(self, draft: uuid.UUID, upload: uuid.UUID, citizen: ACitizen) -> Response:
        with self.database.begin() as session:
            return self.filling.file_of(session, _draft(session, draft, citizen, lock=False), upload)

    def _complete(self, session: Session, draft: Draft, citizen: CitizenVisitor, answers: Answers) -> uuid.UUID:
        """Put the completed answers in place of the filed ones, and give the case back to its officer."""
        assert draft.amends is not None
        task = _amending(session, draft.amends)
        if task is None:
            raise RefusedError(409, *OVER)
        application = session.get_one(Application, draft.amends)
        changed = sorted(name for name in application.answers.keys() | answers.keys() if application.answers.get(name) != answers.get(name))
        application.answers = answers
        try:
            self.cases.complete(session, task.token, citizen.actor, _now(), None, {"answers": changed})
        except NotWaitingError as error:
            raise RefusedError(409, *OVER) from error
        acts.completed(session, application, _now())
        drafts.filed(session, draft, application.id, _now())
        return application.id


def _place(draft: uuid.UUID, citizen: CitizenVisitor) -> Place:
    return Place(f"/drafts/{draft}", "/cases", citizen.actor)


def _draft(session: Session, draft: uuid.UUID, citizen: CitizenVisitor, *, lock: bool = True) -> Draft:
    found = drafts.take(session, draft, citizen.id, lock=lock)
    if found is None:
        raise RefusedError(404, *GONE)
    return found


def _now() -> datetime:
    return datetime.now(UTC)


def _amending(session: Session, case: uuid.UUID) -> CaseTask | None:
    """Return the citizen's task to complete the file, while it waits."""
    return session.scalars(
        select(CaseTask).where(CaseTask.application_id == case, CaseTask.step == "amend", CaseTask.done_at.is_(None))
    ).one_or_none()


def _wanted(session: Session, draft: Draft) -> set[str]:
    """Return the questions that the officer asked to have completed."""
    if draft.amends is None:
        return set()
    last = session.scalars(
        select(CaseTask)
        .where(CaseTask.application_id == draft.amends, CaseTask.outcome == "incomplete")
        .order_by(CaseTask.done_at.desc())
        .limit(1)
    ).one_or_none()
    return set(last.given.get("questions", ())) if last else set()


def _filed_as(session: Session, draft: uuid.UUID, citizen: CitizenVisitor) -> uuid.UUID | None:
    """Return the case that a draft has become already."""
    found = session.scalars(
        select(Draft).where(Draft.id == draft, Draft.citizen_id == citizen.id, Draft.filed_at.is_not(None))
    ).one_or_none()
    if found is None:
        return None
    return found.amends or session.scalars(select(Application.id).where(Application.key == str(draft))).one()
