"""The data protection officer's pages: what people ask of their data, and the cases that are kept for a court."""

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
from asty_citizen_services.database import Database
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity.door import anybody, staff
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.privacy import erasing, export, requests
from asty_citizen_services.privacy.erasing import Erased, NoSuchCaseError
from asty_citizen_services.privacy.models import LegalHold
from asty_citizen_services.privacy.requests import Asked, DecidedError
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.screens import Screens

AnOfficer = Annotated[StaffVisitor, Depends(staff(Role.DATA_PROTECTION))]
Words = Annotated[str, Query(max_length=100)]
Field = Annotated[str, Form(max_length=4000)]
DECIDED = ("The request was answered already.", "Nothing was changed. Look at what was answered.")
_UNKNOWN = "Nobody with this tax number is known here: nothing is held of this person."
_WORDS = "Write what is answered: the citizen reads it."
_NO_CASE = "No application has this number. It looks like 12/2026."
_WHY = "Write why the case is kept, such as the court and its file."


@dataclass(frozen=True)
class OfficerPages:
    """What the pages need."""

    database: Database
    screens: Screens
    catalogue: Catalogue
    zone: ZoneInfo
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routes(self) -> APIRouter:
        """Return the router of /office/data-requests and /office/holds."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/office/data-requests", self.list)
        router.add_api_route("/office/data-requests.csv", self.export_list)
        router.add_api_route("/office/data-requests", self.record, methods=["POST"])
        router.add_api_route("/office/data-requests/{asked}", self.show)
        router.add_api_route("/office/data-requests/{asked}/copy", self.copy, methods=["POST"])
        router.add_api_route("/office/data-requests/{asked}/erase", self.erase, methods=["POST"])
        router.add_api_route("/office/data-requests/{asked}/{act}", self.decide, methods=["POST"])
        router.add_api_route("/office/holds", self.holds)
        router.add_api_route("/office/holds.csv", self.export_holds)
        router.add_api_route("/office/holds", self.place, methods=["POST"])
        router.add_api_route("/office/holds/{hold}/end", self.release, methods=["POST"])
        return router

    def list(
        self, request: Request, _who: AnOfficer, q: Words = "", kind: Words = "", state: Words = "", sort: Words = "due"
    ) -> Response:  # fmt: skip
        return self._list(request, {"q": q, "kind": kind, "state": state, "sort": sort})

    def export_list(
        self, request: Request, who: AnOfficer, q: Words = "", kind: Words = "", state: Words = "", sort: Words = "due"
    ) -> Response:  # fmt: skip
        now = self.clock()
        with self.database.begin() as session:
            found = requests.chosen(requests.all_of(session), q, kind, state, sort, now)
            journal.write(session, f"staff:{who.id}", at=now, actor=who.actor, act="privacy.export_requests", lines=len(found))
        terms = ("Name", "Tax number (AFM)", "What is asked", "How it came", "Asked", "Deadline", "State", "Answered")
        say = self.screens.gettext
        rows = [
            (
                one.name, one.taxid, say(request, requests.KINDS[one.kind]), say(request, requests.WAYS[one.way]), self._at(one.asked_at),
                self._at(one.due_at), say(request, requests.STATES[one.state]), self._at(one.decided_at),
            )
            for one in found
        ]  # fmt: skip
        return self._csv(request, terms, rows, "data-requests.csv")

    def record(self, request: Request, who: AnOfficer, taxid: Field = "", kind: Field = "", way: Field = "", words: Field = "") -> Response:
        """Record a request that came by letter, e-mail, telephone or at the counter."""
        with self.database.begin() as session:
            citizen = session.scalar(select(Citizen.id).where(Citizen.taxid == taxid.strip()))
            if citizen is not None and kind in requests.KINDS and way in requests.WAYS:
                made = requests.ask(session, citizen, kind, way, words.strip(), by=who.actor, now=self.clock())
                return RedirectResponse(f"/office/data-requests/{made}", 303)
        return self._list(request, {}, wrong=_UNKNOWN, typed={"taxid": taxid, "kind": kind, "way": way, "words": words}, status=422)

    def show(self, request: Request, asked: uuid.UUID, who: AnOfficer) -> Response:
        return self._page(request, asked, who)

    def copy(self, asked: uuid.UUID, who: AnOfficer) -> Response:
        """Hand out what is held of the person as a ZIP."""
        with self.database.begin() as session:
            found = self._asked(session, asked)
            held = export.export(session, found.citizen)
            journal.write(
                session, f"citizen:{found.citizen}", at=self.clock(), actor=who.actor, act="privacy.export", octets=len(held),
                request=str(asked),
            )  # fmt: skip
        headers = {"Content-Disposition": 'attachment; filename="data.zip"', "Cache-Control": "no-store"}
        return Response(held, media_type="application/zip", headers=headers)

    def erase(self, request: Request, asked: uuid.UUID, who: AnOfficer, sure: Field = "") -> Response:
        """Erase what no law keeps; the request stays open until it is answered."""
        if sure != "yes":
            return self._page(request, asked, who, wrong="Tick the box if you want it. Nothing was erased.", status=422)
        with self.database.begin() as session:
            found = self._asked(session, asked)
            if found.state != "open":
                raise RefusedError(409, *DECIDED)
            erased = erasing.erase_at_wish(session, self.catalogue, found.citizen, self.clock(), who.actor)
        return self._page(request, asked, who, erased=erased)

    def decide(self, request: Request, asked: uuid.UUID, act: str, who: AnOfficer, answer: Field = "") -> Response:
        """Answer, refuse or extend a request, with words for the citizen."""
        if act not in ("done", "refused", "extend"):
            raise RefusedError(404, *NOWHERE)
        if not answer.strip():
            return self._page(request, asked, who, wrong=_WORDS, status=422)
        try:
            with self.database.begin() as session:
                self._asked(session, asked)
                if act == "extend":
                    requests.extend(session, asked, answer.strip(), by=who.actor, now=self.clock())
                else:
                    requests.decide(session, asked, act, answer.strip(), by=who.actor, now=self.clock())
        except DecidedError as error:
            raise RefusedError(409, *DECIDED) from error
        return RedirectResponse(f"/office/data-requests/{asked}", 303)

    def holds(self, request: Request, _who: AnOfficer, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        return self._holds(request, {"q": q, "state": state, "sort": sort})

    def export_holds(self, request: Request, _who: AnOfficer, q: Words = "", state: Words = "", sort: Words = "-at") -> Response:
        with self.database.begin() as session:
            found = requests.chosen_holds(requests.holds(session), q, state, sort)
        rows = [(one.reference, one.subject, one.why, self._at(one.placed_at), self._at(one.ended_at)) for one in found]
        return self._csv(request, ("Protocol number", "Subject", "Why", "Since", "Ended"), rows, "holds.csv")

    def place(self, request: Request, who: AnOfficer, reference: Field = "", why: Field = "") -> Response:
        typed = {"reference": reference, "why": why}
        if not why.strip():
            return self._holds(request, {}, wrong=_WHY, typed=typed, status=422)
        try:
            with self.database.begin() as session:
                erasing.hold(session, reference.strip(), why.strip(), who.actor, self.clock())
        except NoSuchCaseError:
            return self._holds(request, {}, wrong=_NO_CASE, typed=typed, status=422)
        return RedirectResponse("/office/holds", 303)

    def release(self, hold: uuid.UUID, who: AnOfficer) -> Response:
        """End one hold; others of the same case keep it."""
        with self.database.begin() as session:
            if session.get(LegalHold, hold) is None:
                raise RefusedError(404, *NOWHERE)
            erasing.end_hold(session, hold, who.actor, self.clock())
        return RedirectResponse("/office/holds", 303)

    def _list(
        self, request: Request, given: dict[str, str], *, wrong: str = "", typed: dict[str, str] | None = None, status: int = 200
    ) -> Response:
        now = self.clock()
        chosen = {"q": "", "kind": "", "state": "", "sort": "due"} | given
        with self.database.begin() as session:
            known = requests.all_of(session)
        context: dict[str, Any] = {
            "known": known, "found": requests.chosen(known, **chosen, now=now), "now": now, "kinds": requests.KINDS, "ways": requests.WAYS,
            "states": requests.STATES, "sorts": requests.SORTS, "late": sum(one.is_late(now) for one in known), "wrong": wrong,
            "typed": {"taxid": "", "kind": "", "way": "letter", "words": ""} | (typed or {}),
        }  # fmt: skip
        return self.screens.render(request, "privacy/requests.html", context | chosen, status=status)

    def _page(
        self, request: Request, asked: uuid.UUID, who: StaffVisitor, *, wrong: str = "", erased: Erased | None = None, status: int = 200
    ) -> Response:  # fmt: skip
        now = self.clock()
        with self.database.begin() as session:
            found = self._asked(session, asked)
            journal.write(session, f"citizen:{found.citizen}", at=now, actor=who.actor, act="privacy.read_request", request=str(asked))
        context = {
            "it": found, "now": now, "kinds": requests.KINDS, "ways": requests.WAYS, "states": requests.STATES, "wrong": wrong,
            "erased": erased,
        }  # fmt: skip
        return self.screens.render(request, "privacy/request.html", context, status=status)

    def _holds(
        self, request: Request, given: dict[str, str], *, wrong: str = "", typed: dict[str, str] | None = None, status: int = 200
    ) -> Response:
        chosen = {"q": "", "state": "", "sort": "-at"} | given
        with self.database.begin() as session:
            known = requests.holds(session)
        context: dict[str, Any] = {
            "known": known, "found": requests.chosen_holds(known, **chosen), "states": requests.HELD, "wrong": wrong, "now": self.clock(),
            "typed": {"reference": "", "why": ""} | (typed or {}),
        }  # fmt: skip
        return self.screens.render(request, "privacy/holds.html", context | chosen, status=status)

    def _asked(self, session: Session, asked: uuid.UUID) -> Asked:
        found = next((one for one in requests.all_of(session) if one.id == asked), None)
        if found is None:
            raise RefusedError(404, *NOWHERE)
        return found

    def _csv(self, request: Request, terms: tuple[str, ...], rows: Any, name: str) -> Response:
        heads = [self.screens.gettext(request, term) for term in terms]
        return spreadsheet.answer(spreadsheet.csv_of(heads, rows, preferences.read(request).lang), name)

    def _at(self, moment: datetime | None) -> str:
        return moment.astimezone(self.zone).isoformat(timespec="seconds") if moment else ""
