"""The register of representatives: who acts for which legal person, by which deed and its scan, until when."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from asty_look import preferences
from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services import spreadsheet
from asty_citizen_services.audit import journal
from asty_citizen_services.drafts.filling import SCANNER
from asty_citizen_services.drafts.scanner import Clamd, ScannerAwayError
from asty_citizen_services.drafts.uploads import MOST_BYTES, NotTakenError, Taken, examine
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity import mandates, roster
from asty_citizen_services.identity.door import anybody, staff
from asty_citizen_services.identity.mandates import MandateError
from asty_citizen_services.identity.models import Citizen, Mandate, MandateScan
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.office.pages import AnOfficer, Office, content

ARecorder = Annotated[StaffVisitor, Depends(staff(Role.OFFICER, Role.HEAD, Role.REGISTRAR))]
Words = Annotated[str, Query(max_length=100)]
Field = Annotated[str, Form(max_length=300)]
AFile = Annotated[UploadFile | None, File()]
MOST = 200
_UNKNOWN = "Nobody with this tax number has signed in yet: the representative signs in once with TaxisNet, then the deed is recorded."
_WRONG = "The legal person's tax number and name, the deed, and days in their order are needed."


@dataclass(frozen=True)
class MandatePages:
    """What the pages need. `scanner` looks at scans of deeds where there is one."""

    office: Office
    scanner: Clamd | None = None

    def routes(self) -> APIRouter:
        """Return the router of /staff/mandates, and of the deed beside a case."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/staff/mandates", self.show)
        router.add_api_route("/staff/mandates.csv", self.export)
        router.add_api_route("/staff/mandates", self.add, methods=["POST"])
        router.add_api_route("/staff/mandates/{mandate}/scan", self.scan)
        router.add_api_route("/office/cases/{case}/mandate", self.of_case)
        router.add_api_route("/staff/mandates/{mandate}/end", self.end, methods=["POST"])
        return router

    def show(self, request: Request, who: ARecorder, q: Words = "", state: Words = "", sort: Words = "name") -> Response:
        return self._page(request, who, {"q": q, "state": state, "sort": sort})

    def export(self, request: Request, who: ARecorder, q: Words = "", state: Words = "", sort: Words = "name") -> Response:
        now = self.office.clock()
        with self.office.database.begin() as session:
            found = mandates.chosen(mandates.register(session), q, state, sort, now)
            journal.write(session, f"staff:{who.id}", at=now, actor=who.actor, act="identity.export_mandates", lines=len(found))
        terms = ("Legal person", "Tax number (AFM)", "Representative", "Deed", "From", "Until", "State", "Recorded by")
        heads = [self.office.screens.gettext(request, term) for term in terms]
        rows = [
            (
                one.legal_name, one.afm, one.person, one.basis, self._day(one.valid_from), self._day(one.valid_until),
                self.office.screens.gettext(request, mandates.STATES[one.state(now)]), one.recorded_by,
            )
            for one in found
        ]  # fmt: skip
        return spreadsheet.answer(spreadsheet.csv_of(heads, rows, preferences.read(request).lang), "mandates.csv")

    def add(
        self, request: Request, who: ARecorder, taxid: Field = "", afm: Field = "", legal_name: Field = "", basis: Field = "",
        first: Field = "", last: Field = "", scan: AFile = None,
    ) -> Response:  # fmt: skip
        """Record a deed that the officer saw, with its scan where one was handed in."""
        now = self.office.clock()
        typed = {"taxid": taxid, "afm": afm, "legal_name": legal_name, "basis": basis, "first": first, "last": last}
        try:
            taken = self._examined(scan)
            begins = roster.days(first, first, self.office.zone)[0] if first else now
            ends = roster.days(last, last, self.office.zone)[1] if last else None
            with self.office.database.begin() as session:
                citizen = session.scalar(select(Citizen.id).where(Citizen.taxid == taxid.strip()))
                if citizen is None:
                    return self._page(request, who, {}, wrong=_UNKNOWN, typed=typed, status=422)
                made = mandates.record(
                    session, citizen=citizen, afm=afm.strip(), legal_name=legal_name, basis=basis, valid_from=begins, valid_until=ends,
                    staff=who.id, now=now,
                )  # fmt: skip
                if taken is not None:
                    mandates.keep_scan(session, made, taken.name, taken.media_type, taken.content, staff=who.id, now=now)
        except NotTakenError as error:
            with self.office.database.begin() as session:
                journal.write(
                    session, f"staff:{who.id}", at=now, actor=who.actor, act="identity.refuse_mandate_scan",
                    name=(scan.filename or "")[:100] if scan else "", why=error.why,
                )  # fmt: skip
            return self._page(request, who, {}, wrong=error.why, typed=typed, status=422)
        except ScannerAwayError as error:
            raise RefusedError(503, *SCANNER) from error
        except (MandateError, ValueError):
            return self._page(request, who, {}, wrong=_WRONG, typed=typed, status=422)
        return RedirectResponse("/staff/mandates?sort=-at", 303)

    def scan(self, mandate: uuid.UUID, who: ARecorder) -> Response:
        """Show the scan of a deed. Audited."""
        with self.office.database.begin() as session:
            return self._scan(session, mandate, who, f"staff:{who.id}")

    def of_case(self, case: uuid.UUID, officer: AnOfficer) -> Response:
        """Show the deed by which a case was filed for a legal person, to whoever may read the case. Audited."""
        with self.office.database.begin() as session:
            found = self.office.read(session, case, officer)
            return self._scan(session, found.application.mandate_id, officer, f"case:{case}")

    def end(self, mandate: uuid.UUID, who: ARecorder) -> Response:
        """End a mandate at once."""
        with self.office.database.begin() as session:
            found = session.get(Mandate, mandate)
            if found is None:
                raise RefusedError(404, *NOWHERE)
            if found.revoked_at is None:
                mandates.revoke(session, mandate, staff=who.id, now=self.office.clock())
        return RedirectResponse("/staff/mandates", 303)

    def _page(
        self, request: Request, who: StaffVisitor, given: dict[str, str], *, wrong: str = "", typed: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:  # fmt: skip
        chosen = {"q": "", "state": "", "sort": "name"} | given
        now = self.office.clock()
        with self.office.database.begin() as session:
            known = mandates.register(session)
            journal.write(session, f"staff:{who.id}", at=now, actor=who.actor, act="identity.read_mandates", q=chosen["q"])
        found = mandates.chosen(known, chosen["q"], chosen["state"], chosen["sort"], now)
        context: dict[str, Any] = {
            "known": known, "found": found[:MOST], "more": len(found) - MOST, "states": mandates.STATES, "sorts": mandates.SORTS,
            "now": now, "wrong": wrong,
            "typed": dict.fromkeys(("taxid", "afm", "legal_name", "basis", "first", "last"), "") | (typed or {}),
        }  # fmt: skip
        return self.office.screens.render(request, "identity/mandates.html", context | chosen, status=status)

    def _examined(self, scan: UploadFile | None) -> Taken | None:
        """Look into a scan as into every file that citizens send. Raises NotTakenError, ScannerAwayError."""
        if scan is None or not scan.filename:
            return None
        content = scan.file.read(MOST_BYTES + 1)
        if self.scanner is not None:
            self.scanner.scan(content)
        return examine(scan.filename, content)

    def _scan(self, session: Session, mandate: uuid.UUID | None, who: StaffVisitor, stream: str) -> Response:
        found = session.get(MandateScan, mandate) if mandate else None
        if found is None:
            raise RefusedError(404, *NOWHERE)
        subject = f"citizen:{session.get_one(Mandate, mandate).citizen_id}"
        journal.write(
            session,
            stream,
            at=self.office.clock(),
            actor=who.actor,
            act="identity.read_mandate_scan",
            subject=subject,
            mandate=str(mandate),
        )
        return content(found.content, found.media_type, found.name, download=False)

    def _day(self, moment: datetime | None) -> str:
        return moment.astimezone(self.office.zone).isoformat(timespec="minutes") if moment else ""
