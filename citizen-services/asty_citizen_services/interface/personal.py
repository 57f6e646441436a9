"""What a program does for a citizen with his key: his cases, his drafts, filing."""

import hashlib
import uuid
from datetime import UTC, date, datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, File, Header, Path, Query, Request, UploadFile
from fastapi.responses import JSONResponse, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database
from asty_citizen_services.documents import papers
from asty_citizen_services.drafts import desk as drafts
from asty_citizen_services.drafts.filling import Filling, prefilled
from asty_citizen_services.drafts.models import Draft as DraftRow
from asty_citizen_services.drafts.scanner import ScannerAwayError
from asty_citizen_services.drafts.uploads import MOST_BYTES, NotTakenError, examine
from asty_citizen_services.forms.answers import faults
from asty_citizen_services.forms.answers import kept as called_for
from asty_citizen_services.forms.form import Form, widget_of
from asty_citizen_services.forms.formats import KEEP, tidy
from asty_citizen_services.interface.access import Caller, Door
from asty_citizen_services.interface.shapes import (
    Answers,
    Begun,
    Case,
    CaseEntry,
    CaseList,
    Draft,
    DraftList,
    Issued,
    Kept,
    Receipt,
    Step,
)
from asty_citizen_services.interface.tagging import Limit, Offset, etag, following, has
from asty_citizen_services.problems import PREFIX, ProblemError, Wrong, language, may
from asty_citizen_services.procedures.catalogue import Procedure
from asty_citizen_services.registry import receipt, tracking
from asty_citizen_services.registry.filing import Filing, KeyReusedError
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.workflow.desk import Desk as Cases
from asty_citizen_services.workflow.models import CaseState, CaseTask
from asty_citizen_services.workflow.route import route

MOST_ANSWERS = 200_000
"""Bytes of a form's answers as JSON."""
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=100, pattern=r"^[!-~]+$")]
IfMatch = Annotated[str | None, Header(max_length=1000, description="the ETag of the draft that was read")]
NO_FILES = (
    "Τα αρχεία στέλνονται με πρόχειρο: αρχίστε ένα με POST /api/v1/me/drafts.",
    "Files come with a draft: begin one with POST /api/v1/me/drafts.",
)
NOT_ASKED = ("Η φόρμα δεν έχει τέτοια ερώτηση.", "The form has no such question.")


class Personal:
    """The addresses below /api/v1/me. `counter` files, `cases` know where a case is, `secret` keys the codes of receipts."""

    def __init__(self, database: Database, filling: Filling, cases: Cases, secret: str) -> None:
        self._database, self._filling, self._cases, self._secret = database, filling, cases, secret
        self._catalogue, self._counter, self._zone = filling.catalogue, filling.counter, filling.zone

    def routes(self) -> APIRouter:
        """Return the router. Reading wants any key, writing one that may file."""
        door = Door()
        reads, files = Depends(door.read), Depends(door.file)
        router = APIRouter(prefix=f"{PREFIX}me", tags=["with a citizen's key"])

        @router.get("/cases", summary="The citizen's cases, newest first", responses=may("no-key"))
        def list_cases(
            request: Request, response: Response, caller: Annotated[Caller, reads],
            state: Annotated[str | None, Query(max_length=30)] = None, limit: Limit = 20, offset: Offset = 0,
        ) -> CaseList:  # fmt: skip
            response.headers["Cache-Control"] = "no-store"
            return self._list(request, caller, state, limit, offset)

        @router.get("/cases/{case}", summary="A case: where it is, what it waits for, its documents", responses=may("no-key", "unknown"))
        def show_case(request: Request, response: Response, caller: Annotated[Caller, reads], case: uuid.UUID) -> Case:
            response.headers["Cache-Control"] = "no-store"
            return self._show(request, caller, case)

        @router.get(
            "/cases/{case}/documents/{document}", summary="An issued document as PDF", response_class=Response,
            responses={
                **may("no-key", "unknown"),
                200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}, "description": "the document"},
            },
        )  # fmt: skip
        def take_document(caller: Annotated[Caller, reads], case: uuid.UUID, document: uuid.UUID) -> Response:
            return self._document(caller, case, document)

        @router.get("/drafts", summary="What was begun and not filed, newest first", responses=may("no-key"))
        def list_drafts(request: Request, response: Response, caller: Annotated[Caller, reads]) -> DraftList:
            response.headers["Cache-Control"] = "no-store"
            with self._database.begin() as session:
                return DraftList(items=[self._said(request, session, one) for one in self._mine(session, caller)])

        @router.post(
            "/drafts", status_code=201, response_model=Draft,
            summary="Begin a draft with what is known of the citizen, or take up the one begun",
            responses={
                200: {"model": Draft, "description": "It was begun before."},
                **may("no-key", "reads-only", "unknown", "not-right", "too-large"),
            },
        )  # fmt: skip
        def begin(request: Request, caller: Annotated[Caller, files], begun: Begun) -> Response:
            return self._begin(request, caller, begun)

        @router.get("/drafts/{draft}", summary="A draft, and what it lacks", response_model=Draft, responses=may("no-key", "unknown"))
        def show_draft(request: Request, caller: Annotated[Caller, reads], draft: uuid.UUID) -> Response:
            with self._database.begin() as session:
                return self._tagged(self._said(request, session, self._draft(session, caller, draft)))

        @router.put(
            "/drafts/{draft}", summary="Put answers in place of the earlier ones, right or wrong; files and what the login gave stay",
            response_model=Draft, responses=may("no-key", "reads-only", "unknown", "changed-meanwhile", "not-right", "too-large"),
        )  # fmt: skip
        def keep(
            request: Request, caller: Annotated[Caller, files], draft: uuid.UUID, given: Answers, if_match: IfMatch = None
        ) -> Response:  # fmt: skip
            return self._keep(request, caller, draft, given, if_match)

        @router.delete("/drafts/{draft}", status_code=204, summary="Give a draft up", responses=may("no-key", "reads-only", "unknown"))
        def give_up(caller: Annotated[Caller, files], draft: uuid.UUID) -> None:
            with self._database.begin() as session:
                drafts.give_up(session, self._draft(session, caller, draft))

        @router.post(
            "/drafts/{draft}/files/{question}", status_code=201, summary="Add a file to a question: PDF, JPEG, PNG or WebP, 20 MB at most",
            responses=may("no-key", "reads-only", "unknown", "not-taken", "scanner-away", "too-large"),
        )  # fmt: skip
        def add_file(
            request: Request, caller: Annotated[Caller, files], draft: uuid.UUID, question: Annotated[str, Path(max_length=100)],
            file: Annotated[UploadFile, File()],
        ) -> Kept:  # fmt: skip
            return self._add_file(request, caller, draft, question, file)

        @router.post(
            "/drafts/{draft}/filing", status_code=201, response_model=Receipt, summary="File a draft; a second time gives the same receipt",
            responses={
                200: {"model": Receipt, "description": "It was filed before."},
                **may("no-key", "reads-only", "unknown", "not-right"),
            },
        )  # fmt: skip
        def file_draft(request: Request, caller: Annotated[Caller, files], draft: uuid.UUID) -> Response:
            return self._file_draft(request, caller, draft)

        @router.post(
            "/applications", status_code=201, response_model=Receipt,
            summary="File at once a form that wants no files; the same Idempotency-Key gives the same receipt",
            responses={
                200: {"model": Receipt, "description": "It was filed before with this key."},
                **may("no-key", "reads-only", "unknown", "key-reused", "not-right", "too-large"),
            },
        )  # fmt: skip
        def apply(request: Request, caller: Annotated[Caller, files], begun: Begun, idempotency_key: Key) -> Response:
            return self._apply(request, caller, begun, idempotency_key)

        return router

    def _list(self, request: Request, caller: Caller, state: str | None, limit: int, offset: int) -> CaseList:
        wanted = [Application.citizen_id == caller.citizen.id, Application.mandate_id == _mandate(caller)]
        if state is not None:
            wanted.append(Application.state == _readable(state))
        with self._database.begin() as session:
            total = session.scalar(select(func.count()).select_from(Application).where(*wanted)) or 0
            rows = session.execute(
                select(Application, Docket).join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
                .where(*wanted).order_by(Application.filed_at.desc(), Application.id).limit(limit).offset(offset)
            ).all()  # fmt: skip
        items = [CaseEntry(**self._entry(application, docket)) for application, docket in rows]
        return CaseList(items=items, total=total, next=following(request, limit, offset, total))

    def _show(self, request: Request, caller: Caller, case: uuid.UUID) -> Case:
        with self._database.begin() as session:
            application, docket = self._case(session, caller, case)
            _audit(session, caller, case, "interface.read")
            state = session.get(CaseState, case)
            waits = session.scalars(
                select(CaseTask.step).where(CaseTask.application_id == case, CaseTask.seat == "citizen", CaseTask.done_at.is_(None))
            ).first()
            way = route(self._cases.model(session, case), state.passed, state.tokens, language(request)) if state else ()
            issued = [
                Issued(id=paper.id, title=paper.title, reference=number.reference, code=paper.code, sha256=paper.sha256.hex())
                for paper, number in papers.of_case(session, case, delivered=True)
            ]
        steps = [Step(name=box.name, lane=box.lane, where=box.where) for box in way]
        return Case(**self._entry(application, docket), waits_for=waits, way=steps, documents=issued)

    def _document(self, caller: Caller, case: uuid.UUID, document: uuid.UUID) -> Response:
        with self._database.begin() as session:
            self._case(session, caller, case)
            found = next((paper for paper, _ in papers.of_case(session, case, delivered=True) if paper.id == document), None)
            if found is None:
                raise ProblemError("unknown")
            _audit(session, caller, case, "interface.take_document", code=found.code)
            return Response(found.content, media_type="application/pdf", headers={"Cache-Control": "no-store"})

    def _begin(self, request: Request, caller: Caller, begun: Begun) -> Response:
        procedure = self._procedure(begun.procedure)
        given = _checked(request, procedure.form, begun.answers)
        with self._database.begin() as session:
            mine = self._mine(session, caller)
            known = next((one for one in mine if one.procedure == procedure.slug), None)
            draft = known
            if draft is None:
                first = prefilled(session, procedure.form, caller.citizen.id)
                draft = drafts.begin(session, procedure.slug, caller.citizen.id, _mandate(caller), first, _program(caller), _now())
            if given:
                drafts.keep(draft, procedure.form, list(given), given, _program(caller), _now())
            session.flush()
            answer = self._tagged(self._said(request, session, draft))
        answer.status_code = 200 if known else 201
        return answer

    def _keep(self, request: Request, caller: Caller, draft: uuid.UUID, given: Answers, if_match: str | None) -> Response:
        with self._database.begin() as session:
            found = self._draft(session, caller, draft)
            before = self._said(request, session, found)
            if if_match is not None and not has(if_match, _etag(before)):
                raise ProblemError("changed-meanwhile")
            form = self._procedure(found.procedure).form
            answers = _checked(request, form, given.answers)
            names = [question.ask for question in form.questions() if not _is_file(form, question.ask)]
            drafts.keep(found, form, names, answers, _program(caller), _now())
            session.flush()
            return self._tagged(self._said(request, session, found))

    def _add_file(self, request: Request, caller: Caller, draft: uuid.UUID, question: str, file: UploadFile) -> Kept:
        content = file.file.read(MOST_BYTES + 1)
        with self._database.begin() as session:
            found = self._draft(session, caller, draft)
            form = self._procedure(found.procedure).form
            if question not in form.schema["properties"] or not _is_file(form, question):
                raise ProblemError("unknown")
            try:
                if self._filling.scanner is not None:
                    self._filling.scanner.scan(content)
                upload = drafts.add_file(session, found, question, examine(file.filename or "file", content), _now())
            except ScannerAwayError as error:
                raise ProblemError("scanner-away") from error
            except NotTakenError as error:
                screens = self._filling.screens
                why = error.why if language(request) == "en" else screens.greek(error.why)
                raise ProblemError("not-taken", wrong=[Wrong(field=question, detail=why)]) from error
            found.answers = found.answers | {question: [*found.answers.get(question, []), str(upload.id)]}
            found.changed_at = _now()
            return Kept(id=upload.id, name=upload.name, media_type=upload.media_type, sha256=upload.sha256.hex())

    def _file_draft(self, request: Request, caller: Caller, draft: uuid.UUID) -> Response:
        with self._database.begin() as session:
            if (done := _filed_as(session, caller, draft)) is not None:
                return self._receipt(session, done, 200)
            found = self._draft(session, caller, draft)
            form = self._procedure(found.procedure).form
            if wrong := faults(form, found.answers, self._today(), language(request)):
                raise ProblemError("not-right", wrong=[Wrong(field=one.field, detail=one.text) for one in wrong])
            case = self._filling.file(session, request, found, caller.citizen.actor, "interface")
            return self._receipt(session, case, 201)

    def _apply(self, request: Request, caller: Caller, begun: Begun, key: str) -> Response:
        procedure = self._procedure(begun.procedure)
        form, it = procedure.form, procedure.manifest
        given = _checked(request, form, begun.answers)
        filer, key = caller.citizen.actor, f"interface:{key}"
        with self._database.begin() as session:
            known = prefilled(session, form, caller.citizen.id)
            fixed = {question.ask: known[question.ask] for question in form.questions() if question.fixed and question.ask in known}
            answers = called_for(form, known | given | fixed)
            if wrong := faults(form, answers, self._today(), language(request)):
                named = [Wrong(field=one.field, detail=_of_file(request, form, one.field) or one.text) for one in wrong]
                raise ProblemError("not-right", wrong=named)
            before = session.scalar(select(Application.id).where(Application.filed_by == filer, Application.key == key))
            try:
                docket = self._counter.file_application(
                    session,
                    Filing(
                        procedure=procedure.slug, version=procedure.version, subject=it.title.el, department=it.department, filed_by=filer,
                        key=key, citizen=caller.citizen.id, mandate=_mandate(caller), channel="interface", language=language(request),
                        days=it.deadline_days, answers=answers,
                    ),
                )  # fmt: skip
            except KeyReusedError as error:
                raise ProblemError("key-reused") from error
            assert docket.application_id is not None
            return self._receipt(session, docket.application_id, 200 if before else 201)

    def _receipt(self, session: Session, case: uuid.UUID, status: int) -> Response:
        docket = session.scalars(select(Docket).where(Docket.application_id == case, Docket.direction == "in")).one()
        it = receipt.of(docket, self._zone)
        said = Receipt(
            case=case, reference=it.reference, issuer=it.issuer, subject=it.subject, department=it.department, at=it.at, content=it.content,
            code=self._code(case),
        )  # fmt: skip
        headers = {"Location": f"{PREFIX}me/cases/{case}", "Cache-Control": "no-store"}
        return JSONResponse(said.model_dump(mode="json"), status, headers)

    def _said(self, request: Request, session: Session, draft: DraftRow) -> Draft:
        form = self._procedure(draft.procedure).form
        wrong = faults(form, draft.answers, self._today(), language(request))
        return Draft(
            id=draft.id, procedure=draft.procedure, answers=draft.answers, files=drafts.file_names(session, draft),
            changed_at=draft.changed_at, lacks=[Wrong(field=one.field, detail=one.text) for one in wrong],
        )  # fmt: skip

    def _tagged(self, said: Draft) -> Response:
        return JSONResponse(said.model_dump(mode="json"), 200, {"ETag": _etag(said), "Cache-Control": "no-store"})

    def _mine(self, session: Session, caller: Caller) -> list[DraftRow]:
        known = self._catalogue
        return [one for one in drafts.mine(session, caller.citizen.id) if one.mandate_id == _mandate(caller) and one.procedure in known]

    def _draft(self, session: Session, caller: Caller, draft: uuid.UUID) -> DraftRow:
        found = drafts.take(session, draft, caller.citizen.id)
        if found is None or found.mandate_id != _mandate(caller) or found.amends is not None:
            raise ProblemError("unknown")
        return found

    def _case(self, session: Session, caller: Caller, case: uuid.UUID) -> tuple[Application, Docket]:
        row = session.execute(
            select(Application, Docket).join(Docket, (Docket.application_id == Application.id) & (Docket.direction == "in"))
            .where(Application.id == case, Application.citizen_id == caller.citizen.id, Application.mandate_id == _mandate(caller))
        ).one_or_none()  # fmt: skip
        if row is None:
            raise ProblemError("unknown")
        return row[0], row[1]

    def _entry(self, application: Application, docket: Docket) -> dict[str, Any]:
        return {
            "id": application.id, "reference": docket.reference, "procedure": application.procedure, "subject": docket.subject,
            "state": application.state, "filed_at": application.filed_at, "due_at": application.due_at, "code": self._code(application.id),
        }  # fmt: skip

    def _procedure(self, slug: str) -> Procedure:
        if (procedure := self._catalogue.get(slug)) is None:
            raise ProblemError("unknown")
        return procedure

    def _code(self, case: uuid.UUID) -> str:
        return tracking.code(self._secret, case)

    def _today(self) -> date:
        return _now().astimezone(self._zone).date()


def _checked(request: Request, form: Form, answers: dict[str, Any]) -> dict[str, Any]:
    """Return answers that can be stored. Raises ProblemError: for a question that is not asked, a file, or text that no database takes."""
    n = 1 if language(request) == "en" else 0
    wrong = [Wrong(field=name[:100], detail=NOT_ASKED[n]) for name in answers if name not in form.schema["properties"]]
    wrong += [Wrong(field=name, detail=NO_FILES[n]) for name in answers if name in form.schema["properties"] and _is_file(form, name)]
    if wrong:
        raise ProblemError("not-right", wrong=wrong)
    try:
        text = msgspec.json.encode(answers).decode()
    except (UnicodeEncodeError, ValueError, OverflowError) as error:
        raise ProblemError("unreadable") from error
    if len(text) > MOST_ANSWERS:
        raise ProblemError("too-large")
    _readable(text)
    return {name: _tidied(value, form.property(name)) for name, value in answers.items()}


def _tidied(value: Any, schema: dict[str, Any]) -> Any:
    """Write a text as the form keeps it, as when somebody types it."""
    keep = KEEP.get(schema.get("format", ""))
    return keep(tidy(value)) if keep is not None and isinstance(value, str) else value


def _readable(text: str) -> str:
    """Raises ProblemError for signs that PostgreSQL keeps in no text."""
    if "\0" in text or "\\u0000" in text:
        raise ProblemError("unreadable")
    return text


def _is_file(form: Form, name: str) -> bool:
    return widget_of(form.question(name), form.property(name)) == "files"


def _of_file(request: Request, form: Form, field: str) -> str | None:
    name = field.split(".")[0]
    return NO_FILES[1 if language(request) == "en" else 0] if _is_file(form, name) else None


def _filed_as(session: Session, caller: Caller, draft: uuid.UUID) -> uuid.UUID | None:
    """Return the case that a draft of the citizen has become already."""
    return session.scalar(
        select(Application.id)
        .join(DraftRow, DraftRow.citizen_id == Application.citizen_id)
        .where(
            DraftRow.id == draft, DraftRow.filed_at.is_not(None), DraftRow.citizen_id == caller.citizen.id, Application.key == str(draft)
        )
    )


def _audit(session: Session, caller: Caller, case: uuid.UUID, act: str, **more: str) -> None:
    journal.write(
        session, f"case:{case}", at=_now(), actor=caller.citizen.actor, act=act, subject=f"citizen:{caller.citizen.id}",
        key=str(caller.key), **more,
    )  # fmt: skip


def _etag(said: Draft) -> str:
    return etag(said.model_dump_json(exclude={"lacks"}).encode())


def _mandate(caller: Caller) -> uuid.UUID | None:
    return caller.citizen.acts_for.mandate if caller.citizen.acts_for else None


def _program(caller: Caller) -> bytes:
    """Stand for the browser that writes a draft."""
    return hashlib.sha256(caller.key.bytes).digest()


def _now() -> datetime:
    return datetime.now(UTC)
