"""Filling in a form page by page, looking over the answers, filing them or completing what was filed."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from asty_look import preferences
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile

from asty_citizen_services import csrf
from asty_citizen_services.audit import journal
from asty_citizen_services.bpmn.case import NotWaitingError
from asty_citizen_services.database import Database
from asty_citizen_services.drafts import desk as drafts
from asty_citizen_services.drafts.models import Draft, Upload
from asty_citizen_services.drafts.scanner import Clamd, ScannerAwayError
from asty_citizen_services.drafts.uploads import MOST_BYTES, NotTakenError, examine
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.forms.answers import Answers, Fault, faults, kept, read, shown
from asty_citizen_services.forms.form import Form, Page, widget_of
from asty_citizen_services.forms.show import fields, summary
from asty_citizen_services.identity.door import ACitizen, Anybody, anybody
from asty_citizen_services.identity.models import ContactPoint
from asty_citizen_services.identity.visitor import CitizenVisitor
from asty_citizen_services.procedures.catalogue import Catalogue, Procedure
from asty_citizen_services.registry.filing import Desk as Counter
from asty_citizen_services.registry.filing import Filing
from asty_citizen_services.registry.models import Application
from asty_citizen_services.screens import Screens
from asty_citizen_services.workflow import acts
from asty_citizen_services.workflow.desk import Desk as Cases
from asty_citizen_services.workflow.models import CaseTask

GONE = ("There is no such draft of yours.", "Perhaps it was filed or given up. Look under your cases, or begin anew.")
SCANNER = ("Files can't be checked right now.", "Your answers are kept. Try again in a few minutes.")


async def posted(request: Request) -> FormData:
    """Return what the form sent."""
    return await request.form(max_files=20, max_fields=500)


Posted = Annotated[FormData, Depends(posted)]


@dataclass(frozen=True)
class Apply:
    """What filling in needs. `counter` files, `cases` take what completes a file, `scanner` looks at uploads where there is one."""

    database: Database
    screens: Screens
    catalogue: Catalogue
    counter: Counter
    cases: Cases
    zone: ZoneInfo
    scanner: Clamd | None = None

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
        procedure = self._procedure(slug)
        mandate = citizen.acts_for.mandate if citizen.acts_for else None
        with self.database.begin() as session:
            known = next((one for one in drafts.mine(session, citizen.id) if (one.procedure, one.mandate_id) == (slug, mandate)), None)
            draft = known or drafts.begin(
                session, slug, citizen.id, mandate, _prefilled(session, procedure.form, citizen), _browser(request), _now()
            )
            return RedirectResponse(f"/drafts/{draft.id}/{procedure.form.pages[0].id}", 303)

    def amend(self, request: Request, case: uuid.UUID, citizen: ACitizen) -> Response:
        """Take up the draft that completes a filed application, at the first question that was asked for."""
        with self.database.begin() as session:
            application = session.get(Application, case)
            task = _amending(session, case)
            if application is None or application.citizen_id != citizen.id or task is None:
                raise RefusedError(404, "There is nothing to complete in this case.", "Look at how the case stands.")
            procedure = self._procedure(application.procedure)
            draft = drafts.amending(session, case, procedure.slug, citizen.id, dict(application.answers), _browser(request), _now())
            wanted = _wanted(session, case)
            first = next((page for page, asked in shown(procedure.form, draft.answers) if {q.ask for q in asked} & wanted), None)
            return RedirectResponse(f"/drafts/{draft.id}/{first.id if first else procedure.form.pages[0].id}", 303)

    def resume(self, draft: uuid.UUID, citizen: ACitizen) -> Response:
        """Go on where something lacks, or to the answers when nothing does."""
        with self.database.begin() as session:
            found, procedure = self._draft(session, draft, citizen)
            page = self._first_wrong(procedure.form, found.answers)
        return RedirectResponse(f"/drafts/{draft}/{page.id if page else 'check'}", 303)

    def show(self, request: Request, draft: uuid.UUID, page: str, citizen: ACitizen) -> Response:
        with self.database.begin() as session:
            found, procedure = self._draft(session, draft, citizen)
            return self._page(request, session, found, procedure, page, found.answers, [], {})

    def keep(self, request: Request, draft: uuid.UUID, page: str, visitor: Anybody, form: Posted) -> Response:
        """Keep a page's answers, right or wrong, and go on when they are right."""
        with self.database.begin() as session:
            if not isinstance(visitor, CitizenVisitor):
                return self._keep_without_session(request, session, draft, page, form)
            found, procedure = self._draft(session, draft, visitor)
            asked = self._asked(procedure.form, page)
            try:
                refused = self._files(request, session, found, asked, procedure.form, form)
            except ScannerAwayError as error:
                raise RefusedError(503, *SCANNER) from error
            answers = self._read(procedure.form, asked, form, found)
            self._keep(found, procedure.form, asked, answers, request)
            session.flush()
            lang = preferences.read(request).lang
            wrong = refused + faults(procedure.form, found.answers, self._today(), lang, asked)
            if "add" in form or "drop" in form or refused:
                entries = {str(form["add"]): len(found.answers.get(str(form["add"]), [])) + 1} if "add" in form else {}
                return self._page(request, session, found, procedure, page, found.answers, refused, entries, status=422 if refused else 200)
            if "later" in form:
                return RedirectResponse("/cases", 303)
            if wrong:
                return self._page(request, session, found, procedure, page, found.answers, wrong, {}, status=422)
            following = self._after(procedure.form, found.answers, page)
            return RedirectResponse(f"/drafts/{draft}/{following.id if following and 'back' not in form else 'check'}", 303)

    def look_over(self, request: Request, draft: uuid.UUID, citizen: ACitizen) -> Response:
        with self.database.begin() as session:
            found, procedure = self._draft(session, draft, citizen)
            if page := self._first_wrong(procedure.form, found.answers):
                return RedirectResponse(f"/drafts/{draft}/{page.id}", 303)
            lang = preferences.read(request).lang
            context = {
                "draft": found,
                "procedure": procedure,
                "said": summary(procedure.form, found.answers, lang),
                "files": drafts.file_names(session, found),
            }
            return self.screens.render(request, "portal/check.html", context)

    def file(self, request: Request, draft: uuid.UUID, citizen: ACitizen) -> Response:
        """File the draft once, however often the button is pressed."""
        with self.database.begin() as session:
            found = drafts.take(session, draft, citizen.id)
            if found is None and (done := _filed_as(session, draft, citizen)):
                return RedirectResponse(f"/cases/{done}?filed=1", 303)
            if found is None:
                raise RefusedError(404, *GONE)
            procedure = self._procedure(found.procedure)
            if page := self._first_wrong(procedure.form, found.answers):
                return RedirectResponse(f"/drafts/{draft}/{page.id}", 303)
            answers = kept(procedure.form, found.answers)
            case = (
                self._complete(session, found, citizen, answers) if found.amends else self._file(session, request, found, citizen, answers)
            )
            drafts.filed(session, found, case, _now())
        return RedirectResponse(f"/cases/{case}?filed=1", 303)

    def give_up(self, draft: uuid.UUID, citizen: ACitizen) -> Response:
        with self.database.begin() as session:
            found, _ = self._draft(session, draft, citizen)
            drafts.give_up(session, found)
        return RedirectResponse("/cases", 303)

    def show_file(self, draft: uuid.UUID, upload: uuid.UUID, citizen: ACitizen) -> Response:
        with self.database.begin() as session:
            found, _ = self._draft(session, draft, citizen)
            one = session.get(Upload, upload)
            if one is None or (one.draft_id != found.id and one.application_id != found.amends):
                raise RefusedError(404, *NOWHERE)
            headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
            return Response(one.content, media_type=one.media_type, headers=headers)

    def _page(
        self, request: Request, session: Session, draft: Draft, procedure: Procedure, name: str, answers: Answers, wrong: list[Fault],
        entries: Mapping[str, int], *, status: int = 200,
    ) -> Response:  # fmt: skip
        pages = [page for page, _ in shown(procedure.form, answers)]
        page = next((one for one in pages if one.id == name), None)
        if page is None:
            raise RefusedError(404, *NOWHERE)
        lang = preferences.read(request).lang
        context = {
            "draft": draft,
            "procedure": procedure,
            "page": page,
            "step": pages.index(page) + 1,
            "steps": len(pages),
            "before": pages[pages.index(page) - 1] if pages.index(page) else None,
            "fields": fields(procedure.form, page, answers, wrong, lang, entries),
            "wrong": wrong,
            "files": drafts.file_names(session, draft),
            "wanted": _wanted(session, draft.amends) if draft.amends else set(),
        }
        return self.screens.render(request, "portal/form.html", context, status=status)

    def _keep_without_session(self, request: Request, session: Session, draft: uuid.UUID, page: str, form: FormData) -> Response:
        """The session has ended while somebody wrote: the browser that wrote last may still hand in what it has; then it signs in."""
        found = drafts.of_browser(session, draft, _browser(request))
        if found is not None:
            procedure = self._procedure(found.procedure)
            asked = self._asked(procedure.form, page)
            self._keep(found, procedure.form, asked, self._read(procedure.form, asked, form, found), request)
        return RedirectResponse(f"/sign-in?{urlencode({'next': f'/drafts/{draft}/{page}'})}", 303)

    def _files(self, request: Request, session: Session, draft: Draft, page: Page, form: Form, given: FormData) -> list[Fault]:
        """Keep the files that came with a page; return what was not taken and why."""
        wrong = []
        for question in page.questions:
            if widget_of(question, form.property(question.ask)) != "files":
                continue
            taken = []
            for one in given.getlist(f"{question.ask}.new"):
                if not isinstance(one, UploadFile) or not one.filename:
                    continue
                try:
                    content = one.file.read(MOST_BYTES + 1)
                    if self.scanner is not None:
                        self.scanner.scan(content)
                    taken.append(str(drafts.add_file(session, draft, question.ask, examine(one.filename, content), _now()).id))
                except NotTakenError as error:
                    wrong.append(Fault(question.ask, f"{one.filename[:80]}: {self.screens.gettext(request, error.why)}"))
                    journal.write(
                        session, f"citizen:{draft.citizen_id}", at=_now(), actor=f"citizen:{draft.citizen_id}", act="drafts.refuse_file",
                        question=question.ask, name=one.filename[:100], why=error.why,
                    )  # fmt: skip
            if taken:
                draft.answers = draft.answers | {question.ask: [*draft.answers.get(question.ask, []), *taken]}
        return wrong

    def _read(self, form: Form, page: Page, given: FormData, draft: Draft) -> Answers:
        """Read a page's answers; of files those that the page still lists and those that came now, less the one that is dropped."""
        answers = read(form, page, [(name, value) for name, value in given.multi_items() if isinstance(value, str)])
        for question in page.questions:
            if widget_of(question, form.property(question.ask)) == "files":
                listed = set(given.getlist(question.ask))
                before = [one for one in draft.answers.get(question.ask, []) if one in listed or one not in given.getlist("known")]
                left = [one for one in before if one != given.get("drop")]
                answers.pop(question.ask, None)
                if left:
                    answers[question.ask] = left
        return answers

    def _keep(self, draft: Draft, form: Form, page: Page, answers: Answers, request: Request) -> None:
        drafts.keep(draft, form, [question.ask for question in page.questions], answers, _browser(request), _now())

    def _file(self, session: Session, request: Request, draft: Draft, citizen: CitizenVisitor, answers: Answers) -> uuid.UUID:
        procedure = self._procedure(draft.procedure)
        docket = self.counter.file_application(
            session,
            Filing(
                procedure=procedure.slug, version=procedure.version, subject=procedure.manifest.title.el,
                department=procedure.manifest.department, filed_by=citizen.actor, key=str(draft.id), citizen=citizen.id,
                mandate=draft.mandate_id, language=preferences.read(request).lang, days=procedure.manifest.deadline_days, answers=answers,
            ),
        )  # fmt: skip
        assert docket.application_id is not None
        return docket.application_id

    def _complete(self, session: Session, draft: Draft, citizen: CitizenVisitor, answers: Answers) -> uuid.UUID:
        """Put the completed answers in place of the filed ones, and give the case back to its officer."""
        assert draft.amends is not None
        task = _amending(session, draft.amends)
        if task is None:
            raise RefusedError(409, "The term to complete the file is over.", "Nothing was changed. Look at how the case stands.")
        application = session.get_one(Application, draft.amends)
        changed = sorted(name for name in application.answers.keys() | answers.keys() if application.answers.get(name) != answers.get(name))
        application.answers = answers
        try:
            self.cases.complete(session, task.token, citizen.actor, _now(), None, {"answers": changed})
        except NotWaitingError as error:
            raise RefusedError(
                409, "The term to complete the file is over.", "Nothing was changed. Look at how the case stands."
            ) from error
        acts.completed(session, application, _now())
        return application.id

    def _procedure(self, slug: str) -> Procedure:
        if (procedure := self.catalogue.get(slug)) is None:
            raise RefusedError(404, *NOWHERE)
        return procedure

    def _draft(self, session: Session, draft: uuid.UUID, citizen: CitizenVisitor) -> tuple[Draft, Procedure]:
        found = drafts.take(session, draft, citizen.id)
        if found is None:
            raise RefusedError(404, *GONE)
        return found, self._procedure(found.procedure)

    def _asked(self, form: Form, name: str) -> Page:
        if (page := form.page(name)) is None:
            raise RefusedError(404, *NOWHERE)
        return page

    def _first_wrong(self, form: Form, answers: Answers) -> Page | None:
        return next((page for page, _ in shown(form, answers) if faults(form, answers, self._today(), "el", page)), None)

    def _after(self, form: Form, answers: Answers, name: str) -> Page | None:
        pages = [page for page, _ in shown(form, answers)]
        places = [n for n, page in enumerate(pages) if page.id == name]
        return pages[places[0] + 1] if places and places[0] + 1 < len(pages) else None

    def _today(self) -> Any:
        return _now().astimezone(self.zone).date()


def _now() -> datetime:
    return datetime.now(UTC)


def _browser(request: Request) -> bytes:
    return drafts.browser_hash(csrf.token(request))


def _prefilled(session: Session, form: Form, citizen: CitizenVisitor) -> Answers:
    """Fill in what is known of the citizen: the login's names, the verified phone and e-mail."""
    points = session.scalars(select(ContactPoint).where(ContactPoint.citizen_id == citizen.id, ContactPoint.ended_at.is_(None)))
    known: dict[str, Any] = {point.kind: point.address for point in points}
    known |= {name: getattr(citizen, name) for name in ("taxid", "lastname", "firstname", "fathername", "mothername")}
    known["birthyear"] = str(citizen.birthyear) if citizen.birthyear else None
    return {question.ask: known[question.prefill] for question in form.questions() if question.prefill and known.get(question.prefill)}


def _amending(session: Session, case: uuid.UUID) -> CaseTask | None:
    """Return the citizen's task to complete the file, while it waits."""
    return session.scalars(
        select(CaseTask).where(CaseTask.application_id == case, CaseTask.step == "amend", CaseTask.done_at.is_(None))
    ).one_or_none()


def _wanted(session: Session, case: uuid.UUID) -> set[str]:
    """Return the questions that the officer asked to have completed."""
    last = session.scalars(
        select(CaseTask).where(CaseTask.application_id == case, CaseTask.outcome == "incomplete").order_by(CaseTask.done_at.desc()).limit(1)
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
