"""Forms as they are filled in, page by page, looked over and filed: the same for every channel, whoever types."""

import uuid
from collections.abc import AsyncIterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from asty_look import preferences
from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile

from asty_citizen_services import csrf
from asty_citizen_services.audit import journal
from asty_citizen_services.drafts import desk as drafts
from asty_citizen_services.drafts.models import Draft, Upload
from asty_citizen_services.drafts.scanner import Clamd, ScannerAwayError
from asty_citizen_services.drafts.uploads import MOST_BYTES, NotTakenError, examine
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.forms.answers import Answers, Fault, faults, kept, read, shown
from asty_citizen_services.forms.form import Form, Page, widget_of
from asty_citizen_services.forms.show import fields, summary
from asty_citizen_services.identity.models import Citizen, ContactPoint
from asty_citizen_services.procedures.catalogue import Catalogue, Procedure
from asty_citizen_services.registry.filing import Channel, Filing
from asty_citizen_services.registry.filing import Desk as Counter
from asty_citizen_services.screens import Screens

GONE = ("There is no such draft of yours.", "Perhaps it was filed or given up. Look under your cases, or begin anew.")
SCANNER = ("Files can't be checked right now.", "Your answers are kept. Try again in a few minutes.")
NAMES = ("taxid", "lastname", "firstname", "fathername", "mothername")


async def posted(request: Request) -> AsyncIterator[FormData]:
    """Give what the form sent; its files are closed when the answer is out."""
    async with request.form(max_files=20, max_fields=500) as form:
        yield form


Posted = Annotated[FormData, Depends(posted)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a draft is filled in and by whom.

    `at` is its address, without a slash at its end; `home` is where saving for later leads; `actor` is who types.
    `whose` names the person for whom somebody else types, `frame` the template around the page.
    """

    at: str
    home: str
    actor: str
    whose: str = ""
    frame: str = "civic.html"
    can_give_up: bool = True


@dataclass(frozen=True)
class Filling:
    """What filling in needs. `counter` files, `scanner` looks at uploads where there is one."""

    screens: Screens
    catalogue: Catalogue
    counter: Counter
    zone: ZoneInfo
    scanner: Clamd | None = None

    def procedure(self, slug: str) -> Procedure:
        """Raises RefusedError."""
        if (procedure := self.catalogue.get(slug)) is None:
            raise RefusedError(404, *NOWHERE)
        return procedure

    def begin(self, session: Session, request: Request, slug: str, citizen: uuid.UUID, mandate: uuid.UUID | None) -> Draft:
        """Take up the draft of a procedure that was begun for a citizen and a mandate, or begin one with what is known already."""
        form = self.procedure(slug).form
        known = next((one for one in drafts.mine(session, citizen) if (one.procedure, one.mandate_id) == (slug, mandate)), None)
        return known or drafts.begin(session, slug, citizen, mandate, prefilled(session, form, citizen), browser(request), _now())

    def first_wrong(self, draft: Draft) -> str:
        """Return the page on which something lacks, `check` when nothing does."""
        form = self.procedure(draft.procedure).form
        wrong = (page.id for page, _ in shown(form, draft.answers) if faults(form, draft.answers, self._today(), "el", page))
        return next(wrong, "check")

    def show(
        self, request: Request, session: Session, draft: Draft, name: str, place: Place, *, wanted: AbstractSet[str] = frozenset(),
        wrong: list[Fault] | None = None, entries: Mapping[str, int] | None = None, fresh: AbstractSet[str] = frozenset(),
        status: int = 200,
    ) -> Response:  # fmt: skip
        """Draw a page. `wanted` are questions that an officer asks for, `fresh` those that just came up, `entries` how many a group shows.

        Raises RefusedError.
        """
        procedure = self.procedure(draft.procedure)
        pages = [page for page, _ in shown(procedure.form, draft.answers)]
        page = next((one for one in pages if one.id == name), None)
        if page is None:
            raise RefusedError(404, *NOWHERE)
        lang = preferences.read(request).lang
        context = {
            "draft": draft,
            "procedure": procedure,
            "place": place,
            "page": page,
            "step": pages.index(page) + 1,
            "steps": len(pages),
            "before": pages[pages.index(page) - 1] if pages.index(page) else None,
            "fields": fields(procedure.form, page, draft.answers, wrong or [], lang, entries or {}),
            "wrong": wrong or [],
            "files": drafts.file_names(session, draft),
            "wanted": wanted,
            "fresh": fresh,
        }
        return self.screens.render(request, "form/page.html", context, status=status)

    def keep(
        self, request: Request, session: Session, draft: Draft, name: str, given: FormData, place: Place, *,
        wanted: AbstractSet[str] = frozenset(),
    ) -> Response:  # fmt: skip
        """Keep a page's answers, right or wrong, and go on when they are right. Raises RefusedError."""
        form = self.procedure(draft.procedure).form
        page = _page(form, name)
        drawn = _asked(form, draft.answers, name)
        try:
            refused = self._files(request, session, draft, page, form, given, place.actor)
        except ScannerAwayError as error:
            raise RefusedError(503, *SCANNER) from error
        self.keep_unseen(request, draft, name, given)
        session.flush()
        if "add" in given or "drop" in given or refused:
            more = {str(given["add"]): len(draft.answers.get(str(given["add"]), [])) + 1} if "add" in given else {}
            return self.show(
                request, session, draft, name, place, wanted=wanted, wrong=refused, entries=more, status=422 if refused else 200
            )
        if "later" in given:
            return RedirectResponse(place.home, 303)
        if wrong := faults(form, draft.answers, self._today(), preferences.read(request).lang, page):
            fresh = _asked(form, draft.answers, name) - drawn
            if all(fault.field.split(".")[0] in fresh for fault in wrong):  # nobody has seen these yet
                return self.show(request, session, draft, name, place, wanted=wanted, fresh=fresh)
            return self.show(request, session, draft, name, place, wanted=wanted, wrong=wrong, status=422)
        following = _after(form, draft.answers, name)
        return RedirectResponse(f"{place.at}/{following.id if following and 'back' not in given else 'check'}", 303)

    def keep_unseen(self, request: Request, draft: Draft, name: str, given: FormData) -> None:
        """Keep a page's answers and say nothing of them. Raises RefusedError."""
        form = self.procedure(draft.procedure).form
        page = _page(form, name)
        answers = _read(form, page, given, draft)
        drafts.keep(draft, form, [question.ask for question in page.questions], answers, browser(request), _now())

    def look_over(self, request: Request, session: Session, draft: Draft, place: Place) -> Response:
        """Show all answers before they are filed; a page that lacks something comes first."""
        if (page := self.first_wrong(draft)) != "check":
            return RedirectResponse(f"{place.at}/{page}", 303)
        procedure = self.procedure(draft.procedure)
        context = {
            "draft": draft,
            "procedure": procedure,
            "place": place,
            "said": summary(procedure.form, draft.answers, preferences.read(request).lang),
            "files": drafts.file_names(session, draft),
        }
        return self.screens.render(request, "form/check.html", context)

    def answers(self, draft: Draft) -> Answers:
        """Return what is filed of a draft: the answers to the questions that its conditions ask."""
        return kept(self.procedure(draft.procedure).form, draft.answers)

    def file(self, session: Session, request: Request, draft: Draft, filed_by: str, channel: Channel, lang: str = "") -> uuid.UUID:
        """File a draft whose answers are right, and return its case; `lang` is the applicant's language, the page's when empty."""
        procedure = self.procedure(draft.procedure)
        docket = self.counter.file_application(
            session,
            Filing(
                procedure=procedure.slug, version=procedure.version, subject=procedure.manifest.title.el,
                department=procedure.manifest.department, filed_by=filed_by, key=str(draft.id), citizen=draft.citizen_id,
                mandate=draft.mandate_id, channel=channel, language=lang or preferences.read(request).lang,
                days=procedure.manifest.deadline_days, answers=self.answers(draft),
            ),
        )  # fmt: skip
        assert docket.application_id is not None
        drafts.filed(session, draft, docket.application_id, _now())
        return docket.application_id

    def file_of(self, session: Session, draft: Draft, upload: uuid.UUID) -> Response:
        """Hand out a file of a draft. Raises RefusedError."""
        one = session.get(Upload, upload)
        if one is None or (one.draft_id != draft.id and (draft.amends is None or one.application_id != draft.amends)):
            raise RefusedError(404, *NOWHERE)
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return Response(one.content, media_type=one.media_type, headers=headers)

    def _files(
        self, request: Request, session: Session, draft: Draft, page: Page, form: Form, given: FormData, actor: str
    ) -> list[Fault]:  # fmt: skip
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
                        session, f"citizen:{draft.citizen_id}", at=_now(), actor=actor, act="drafts.refuse_file",
                        question=question.ask, name=one.filename[:100], why=error.why,
                    )  # fmt: skip
            if taken:
                draft.answers = draft.answers | {question.ask: [*draft.answers.get(question.ask, []), *taken]}
        return wrong

    def _today(self) -> date:
        return _now().astimezone(self.zone).date()


def browser(request: Request) -> bytes:
    """Name the browser that writes."""
    return drafts.browser_hash(csrf.token(request))


def prefilled(session: Session, form: Form, citizen: uuid.UUID) -> Answers:
    """Fill in what is known of a citizen: names as the register has them, the verified phone and e-mail."""
    points = session.scalars(select(ContactPoint).where(ContactPoint.citizen_id == citizen, ContactPoint.ended_at.is_(None)))
    known: dict[str, Any] = {point.kind: point.address for point in points}
    person = session.get_one(Citizen, citizen)
    known |= {name: getattr(person, name) for name in NAMES}
    known["birthyear"] = str(person.birthyear) if person.birthyear else None
    return {question.ask: known[question.prefill] for question in form.questions() if question.prefill and known.get(question.prefill)}


def _read(form: Form, page: Page, given: FormData, draft: Draft) -> Answers:
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


def _page(form: Form, name: str) -> Page:
    if (page := form.page(name)) is None:
        raise RefusedError(404, *NOWHERE)
    return page


def _asked(form: Form, answers: Answers, name: str) -> set[str]:
    """Return the questions that a page shows with these answers."""
    return {question.ask for page, questions in shown(form, answers) if page.id == name for question in questions}


def _after(form: Form, answers: Answers, name: str) -> Page | None:
    pages = [page for page, _ in shown(form, answers)]
    places = [n for n, page in enumerate(pages) if page.id == name]
    return pages[places[0] + 1] if places and places[0] + 1 < len(pages) else None


def _now() -> datetime:
    return datetime.now(UTC)
