"""The officers' addresses: inbox, case, what is done with it."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from asty_look import preferences
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from asty_citizen_services import spreadsheet, working_days
from asty_citizen_services.audit import journal
from asty_citizen_services.bpmn.case import NotWaitingError, WrongOutcomeError
from asty_citizen_services.database import Database
from asty_citizen_services.documents import papers as documents
from asty_citizen_services.documents import profiles
from asty_citizen_services.documents.models import Document
from asty_citizen_services.drafts.models import Upload
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.forms.form import widget_of
from asty_citizen_services.forms.show import summary
from asty_citizen_services.identity import accounts, checks
from asty_citizen_services.identity.door import anybody, staff
from asty_citizen_services.identity.models import Department, Staff, StaffRole
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.municipal import desk as municipal
from asty_citizen_services.municipal import pickups
from asty_citizen_services.municipal.registers import REGISTERS, compared
from asty_citizen_services.office import fee_words, inbox, rights, view
from asty_citizen_services.office.models import CaseNote
from asty_citizen_services.payments import desk as payments
from asty_citizen_services.payments import rf
from asty_citizen_services.procedures.catalogue import Catalogue, Procedure
from asty_citizen_services.registry.models import Application
from asty_citizen_services.screens import Screens
from asty_citizen_services.workflow.desk import ClaimedError, Desk, MissingError
from asty_citizen_services.workflow.models import CaseTask
from asty_citizen_services.workflow.route import STATES, route

Words = Annotated[str, Query(max_length=100)]
Text = Annotated[str, Form(max_length=4000)]
AnOfficer = Annotated[StaffVisitor, Depends(staff(*rights.READERS))]
NO_CASE = ("There is no such case in your departments.", "Perhaps it was sent on to another department.")
MOVED = ("Somebody was quicker: this step is done.", "Nothing was changed by you. Look at how the case stands now.")
HELD = ("Somebody else has this task.", "Ask for it, or let the head of department take it over.")
NOT_YOURS = ("This step is not yours to do.", "Nothing was changed. The head of department gives the role.")
NOTHING_TYPED: dict[str, Any] = {"outcome": "", "profile": "", "reason": "", "questions": (), "department": "", "record": {}}
FORWARD_DAYS = 3
"""Days within which a misdirected application has to be sent on (law 2690/1999, article 4)."""
MISSING: Mapping[str, str] = {
    "reason": "Write the reason: the citizen reads it.",
    "questions": "Choose what has to be completed.",
    "department": "Choose the department.",
    "record": "The register has no entry: write what the document says.",
    "signature": "The document has to be signed first.",
}
FILE_POLICY = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"


@dataclass(frozen=True)
class Office:
    """What the pages need. `desk` moves cases."""

    database: Database
    screens: Screens
    catalogue: Catalogue
    desk: Desk
    zone: ZoneInfo
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routes(self) -> APIRouter:
        """Return the router of /office."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/office", self.inbox)
        router.add_api_route("/office/inbox.csv", self.export)
        router.add_api_route("/office/claim", self.bulk, methods=["POST"])
        router.add_api_route("/office/cases/{case}", self.case)
        router.add_api_route("/office/cases/{case}/diagram.bpmn", self.diagram)
        router.add_api_route("/office/cases/{case}/files/{upload}", self.file)
        router.add_api_route("/office/cases/{case}/documents/{paper}", self.document)
        router.add_api_route("/office/cases/{case}/notes", self.note, methods=["POST"])
        router.add_api_route("/office/tasks/{token}/{act}", self.hold, methods=["POST"])
        router.add_api_route("/office/cases/{case}/decide", self.decide, methods=["POST"])
        return router

    def inbox(
        self, request: Request, officer: AnOfficer, q: Words = "", procedure: Words = "", department: Words = "", whose: Words = "",
        state: Words = "", sort: Words = "due",
    ) -> Response:  # fmt: skip
        lang = preferences.read(request).lang
        now = self.clock()
        with self.database.begin() as session:
            mine = inbox.lines(session, officer, self.desk.model, lang, now)
            colleagues = self._colleagues(session, officer)
            names = department_names(session, lang)
        found = inbox.chosen(mine, q, procedure, department, whose, sort, state, now)
        context = {
            "mine": mine, "found": found[: inbox.MOST], "more": len(found) - inbox.MOST, "now": now, "q": q, "procedure": procedure,
            "department": department, "whose": whose, "state": state, "sort": sort,
            "states": {"overdue": "Overdue"} | {key: STATES[key] for key in STATES if key in {one.state for one in mine}},
            "stands_in": sorted({(one.lent_by, one.until) for one in officer.granted if one.lent_by and one.until}),
            "sorts": inbox.SORTS, "all_whose": inbox.WHOSE, "departments": names,
            "procedures": {
                slug: it.manifest.title.of(lang) for slug, it in self.catalogue.items() if slug in {one.procedure for one in mine}
            },
            "overdue": sum(one.is_overdue(now) for one in mine), "colleagues": colleagues,
        }  # fmt: skip
        return self.screens.render(request, "office/inbox.html", context)

    def export(
        self, request: Request, officer: AnOfficer, q: Words = "", procedure: Words = "", department: Words = "", whose: Words = "",
        state: Words = "", sort: Words = "due",
    ) -> Response:  # fmt: skip
        lang = preferences.read(request).lang
        now = self.clock()
        with self.database.begin() as session:
            mine = inbox.lines(session, officer, self.desk.model, lang, now)
            found = inbox.chosen(mine, q, procedure, department, whose, sort, state, now)
            journal.write(session, f"staff:{officer.id}", at=now, actor=officer.actor, act="office.export", lines=len(found))
        terms = ("Protocol number", "Subject", "Applicant", "Step", "Filed", "Waiting since", "Deadline", "With")
        heads = [self.screens.gettext(request, term) for term in terms]
        return spreadsheet.answer(spreadsheet.csv_of(heads, inbox.rows(found, self.zone), lang), "inbox.csv")

    def bulk(
        self, officer: AnOfficer, token: Annotated[list[uuid.UUID] | None, Form()] = None, to: Annotated[str, Form()] = ""
    ) -> Response:
        """Claim several tasks, or give them to a colleague, as far as they are free or the officer heads the department."""
        now = self.clock()
        for one in token or []:
            with self.database.begin() as session:
                task = self._task(session, one, officer)
                if task is None:
                    continue
                taker = self._taker(session, officer, task, to)
                try:
                    self.desk.claim(session, one, taker, now, over=taker != officer.id and rights.heads(officer, task.seat))
                except (NotWaitingError, ClaimedError):
                    continue
        return RedirectResponse("/office", 303)

    def case(self, request: Request, case: uuid.UUID, officer: AnOfficer) -> Response:
        return self.show(request, case, officer)

    def show(
        self,
        request: Request,
        case: uuid.UUID,
        officer: StaffVisitor,
        wrong: str = "",
        status: int = 200,
        kept: Mapping[str, Any] | None = None,
    ) -> Response:
        """Draw a case; `wrong` says what was not done, `kept` what was typed for it. The reading is audited."""
        lang = preferences.read(request).lang
        now = self.clock()
        with self.database.begin() as session:
            found = self.read(session, case, officer)
            procedure = self.catalogue.get(found.application.procedure)
            register = procedure.manifest.register if procedure else None
            entry = municipal.find(session, register, found.application.answers)
            known = REGISTERS.get(register or "")
            forward_by = working_days.end_of_term(found.docket.at + timedelta(days=FORWARD_DAYS), self.zone)
            subject = f"citizen:{found.application.citizen_id}" if found.application.citizen_id else ""
            journal.write(session, f"case:{case}", at=now, actor=officer.actor, act="office.read", subject=subject)
            context = {
                "it": found, "procedure": procedure, "states": STATES, "kinds": profiles.KINDS, "now": now, "wrong": wrong,
                "kept": NOTHING_TYPED | dict(kept or {}),
                "said": summary(procedure.form, found.application.answers, lang) if procedure else [],
                "files": _files(procedure, found) if procedure else {},
                "earlier": _earlier(found),
                "register": known.title(lang) if known else "", "entry": entry,
                "compared": compared(known, entry.record if entry else {}, found.application.answers, lang) if known else (),
                "way": route(found.model, found.state.passed, found.state.tokens, lang),
                "fees": payments.of_case(session, case), "euros": payments.euros, "grouped": rf.grouped,
                "fee_states": fee_words.STATES, "fee_why": fee_words.WHY,
                "papers": documents.of_case(session, case), "departments": department_names(session, lang),
                "colleagues": self._colleagues(session, officer), "profiles": profiles.of(session, officer.id),
                "pickups": pickups.of(session, found.application) if register == "businesses" else None,
                "is_business": register == "businesses",
                "recognised": checks.of_case(session, case), "check_questions": checks.QUESTIONS,
                "late_to_forward": now > forward_by, "forward_days": FORWARD_DAYS,
                "reads_record": register in REGISTERS and procedure is not None and _reads_record(procedure),
            }  # fmt: skip
            return self.screens.render(request, "office/case.html", context, status=status)

    def diagram(self, case: uuid.UUID, officer: AnOfficer) -> Response:
        with self.database.begin() as session:
            return Response(
                self.read(session, case, officer).model.xml, media_type="application/xml", headers={"Cache-Control": "no-store"}
            )

    def file(self, case: uuid.UUID, upload: uuid.UUID, officer: AnOfficer, download: bool = False) -> Response:
        """Show a filed file, or hand it out; it was looked into when it was filed. Audited."""
        with self.database.begin() as session:
            self.read(session, case, officer)
            one = session.get(Upload, upload)
            if one is None or one.application_id != case:
                raise RefusedError(404, *NOWHERE)
            journal.write(session, f"case:{case}", at=self.clock(), actor=officer.actor, act="office.read_file", name=one.name)
            return content(one.content, one.media_type, one.name, download=download)

    def document(self, case: uuid.UUID, paper: uuid.UUID, officer: AnOfficer, download: bool = False) -> Response:
        with self.database.begin() as session:
            self.read(session, case, officer)
            one = session.get(Document, paper)
            if one is None or one.application_id != case:
                raise RefusedError(404, *NOWHERE)
            return content(one.content, "application/pdf", f"{one.kind}.pdf", download=download)

    def note(self, case: uuid.UUID, officer: AnOfficer, text: Text) -> Response:
        now = self.clock()
        with self.database.begin() as session:
            self.read(session, case, officer)
            if text.strip():
                session.add(CaseNote(id=uuid.uuid4(), application_id=case, staff_id=officer.id, text=text.strip(), made_at=now))
                journal.write(session, f"case:{case}", at=now, actor=officer.actor, act="office.note")
        return RedirectResponse(f"/office/cases/{case}#notes", 303)

    def hold(self, token: uuid.UUID, act: str, officer: AnOfficer, to: Annotated[str, Form()] = "") -> Response:
        """Claim, release, take over or give a task."""
        now = self.clock()
        try:
            with self.database.begin() as session:
                task = self._task(session, token, officer)
                if task is None:
                    raise RefusedError(403, *NOT_YOURS)
                match act:
                    case "claim":
                        self.desk.claim(session, token, officer.id, now)
                    case "release":
                        self.desk.release(session, token, officer.id, now)
                    case "take-over" if rights.heads(officer, task.seat) or task.claimed_by in accounts.absent(session, now):
                        self.desk.claim(session, token, officer.id, now, over=True)
                    case "give" if rights.heads(officer, task.seat):
                        self.desk.claim(session, token, self._taker(session, officer, task, to), now, over=True)
                    case _:
                        raise RefusedError(403, *NOT_YOURS)
                return RedirectResponse(f"/office/cases/{task.application_id}", 303)
        except ClaimedError as error:
            raise RefusedError(409, *HELD) from error
        except NotWaitingError as error:
            raise RefusedError(409, *MOVED) from error

    async def decide(self, request: Request, case: uuid.UUID, officer: AnOfficer) -> Response:
        """Take an officer's decision, with what it asks for."""
        form = await request.form()
        token, outcome = str(form.get("token", "")), str(form.get("outcome", ""))
        given: dict[str, Any] = {
            "reason": str(form.get("reason", "")).strip()[:4000],
            "questions": [str(one) for one in form.getlist("questions")],
            "department": str(form.get("department", "")),
            "record": {
                name.removeprefix("record."): str(value).strip()[:300]
                for name, value in form.items()
                if name.startswith("record.") and str(value).strip()
            },
        }
        return self.take(request, case, officer, token, outcome, given)

    def take(self, request: Request, case: uuid.UUID, officer: StaffVisitor, token: str, outcome: str, given: dict[str, Any]) -> Response:
        try:
            with self.database.begin() as session:
                self.end(session, case, officer, uuid.UUID(token), outcome, given)
        except (NotWaitingError, WrongOutcomeError, ValueError, NoResultFound) as error:
            raise RefusedError(409, *MOVED) from error
        except ClaimedError as error:
            raise RefusedError(409, *HELD) from error
        except MissingError as error:
            return self.show(request, case, officer, MISSING.get(error.what, error.what), 422, given | {"outcome": outcome})
        return RedirectResponse(f"/office/cases/{case}", 303)

    def end(
        self, session: Session, case: uuid.UUID, officer: StaffVisitor, token: uuid.UUID, outcome: str, given: Mapping[str, Any]
    ) -> None:
        """End a step of a case. Raises RefusedError, NotWaitingError, WrongOutcomeError, ClaimedError, MissingError."""
        task = self._task(session, token, officer)
        if task is None or task.application_id != case:
            raise RefusedError(403, *NOT_YOURS)
        if task.claimed_by is not None and task.claimed_by != officer.id:
            raise ClaimedError(task.claimed_by)
        step = self.desk.model(session, case).steps[task.step]
        asked = step.outcome(outcome)
        wanted = set(asked.asks) if asked else set()
        application = session.get_one(Application, case)
        if outcome == "signed" and "signature" in step.asks and not given.get("signature"):
            raise MissingError("signature")
        if "department" in wanted and (
            given["department"] == application.department or session.get(Department, given["department"]) is None
        ):
            raise MissingError("department")
        if self._needs_record(session, application, task.step, outcome) and not given.get("record"):
            raise MissingError("record")
        kept = {name: value for name, value in given.items() if value and (name in wanted or name in ("record", "signature"))}
        self.desk.complete(session, token, officer.actor, self.clock(), outcome, kept)

    def read(self, session: Session, case: uuid.UUID, officer: StaffVisitor) -> view.View:
        """Return a case that the officer may open. Raises RefusedError."""
        try:
            found = view.read(session, case, officer, self.desk.model(session, case), self.clock())
        except NoResultFound:
            found = None
        if found is None:
            raise RefusedError(404, *NO_CASE)
        return found

    def _needs_record(self, session: Session, application: Application, step: str, outcome: str) -> bool:
        """Tell whether a document is about to be written from a register that has no entry."""
        procedure = self.catalogue.get(application.procedure)
        if step != "check" or outcome != "complete" or procedure is None or procedure.manifest.register not in REGISTERS:
            return False
        return _reads_record(procedure) and municipal.find(session, procedure.manifest.register, application.answers) is None

    def _task(self, session: Session, token: uuid.UUID, officer: StaffVisitor) -> CaseTask | None:
        task = session.get(CaseTask, token)
        return task if task is not None and rights.may_do(officer, task.seat, task.role) else None

    def _taker(self, session: Session, officer: StaffVisitor, task: CaseTask, to: str) -> uuid.UUID:
        """Return whom a task goes to: the officer, or the colleague that the head of its department names."""
        if not to or not rights.heads(officer, task.seat):
            return officer.id
        return next(
            (one for one, _, department in self._colleagues(session, officer) if str(one) == to and department == task.seat), officer.id
        )

    def _colleagues(self, session: Session, officer: StaffVisitor) -> list[tuple[uuid.UUID, str, str]]:
        """Return who works in the departments that the officer heads: id, name, department."""
        headed = [one.department for one in officer.granted if one.role is Role.HEAD]
        rows = session.execute(
            select(Staff.id, Staff.name, StaffRole.department).join(StaffRole, StaffRole.staff_id == Staff.id)
            .where(StaffRole.department.in_(headed), StaffRole.role.in_(rights.WORKERS), Staff.ended_at.is_(None))
            .distinct().order_by(Staff.name)
        )  # fmt: skip
        return [(one, name, department) for one, name, department in rows]


def department_names(session: Session, lang: str) -> dict[str, str]:
    return {it.slug: it.name_en if lang == "en" else it.name_el for it in session.scalars(select(Department).order_by(Department.slug))}


def content(body: bytes, media_type: str, name: str, *, download: bool) -> Response:
    """Hand a file out under a policy of its own: it can run nothing and reach nothing."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    headers = {
        "Content-Disposition": f'{"attachment" if download else "inline"}; filename="{plain}"',
        "Content-Security-Policy": FILE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(body, media_type=media_type, headers=headers)


def _reads_record(procedure: Procedure) -> bool:
    path = procedure.folder / "documents" / "document.html"
    return path.exists() and "record." in path.read_text(encoding="utf-8")


def _files(procedure: Procedure, found: view.View) -> dict[str, list[Upload]]:
    """Return the files that stand with each question now."""
    by_id = {str(one.id): one for one in found.files}
    answers = found.application.answers
    asked = [
        question.ask for question in procedure.form.questions() if widget_of(question, procedure.form.property(question.ask)) == "files"
    ]
    return {ask: [by_id[one] for one in answers.get(ask) or () if one in by_id] for ask in asked if answers.get(ask)}


def _earlier(found: view.View) -> list[Upload]:
    """Return the files that were filed first and have been replaced since."""
    now = {one for value in found.application.answers.values() if isinstance(value, list) for one in value if isinstance(one, str)}
    return [one for one in found.files if str(one.id) not in now]
