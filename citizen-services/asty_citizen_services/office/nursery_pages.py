"""The nurseries' desk: the ranking as it is, publishing it signed, objections, withdrawals; and the published lists for everybody."""

import asyncio
import hashlib
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services.documents import profiles
from asty_citizen_services.documents.compose import Letterhead, compose, grouped, new_code
from asty_citizen_services.documents.models import Document, SigningProfile
from asty_citizen_services.documents.places import FIELD, seal
from asty_citizen_services.documents.signing import Mark, NotSignedError
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity.door import anybody
from asty_citizen_services.identity.models import Department
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.municipal.registers import folded
from asty_citizen_services.nursery import desk, publishing
from asty_citizen_services.nursery.desk import FINAL, PROVISIONAL
from asty_citizen_services.nursery.models import NurseryList
from asty_citizen_services.nursery.publishing import Draft, NotNowError
from asty_citizen_services.nursery.ranking import Lists, Table
from asty_citizen_services.office import rights
from asty_citizen_services.office.pages import NOT_YOURS, AnOfficer, Office
from asty_citizen_services.procedures.catalogue import Procedure
from asty_citizen_services.registry import protocol
from asty_citizen_services.workflow.models import CaseTask

TEMPLATES = Path(__file__).parent / "nursery_list"
KINDS: Mapping[str, str] = {PROVISIONAL: "Provisional list", FINAL: "Final list"}
TITLES: Mapping[str, str] = {
    PROVISIONAL: "Προσωρινός πίνακας κατάταξης παιδικών και βρεφονηπιακών σταθμών",
    FINAL: "Οριστικός πίνακας κατάταξης παιδικών και βρεφονηπιακών σταθμών",
}
PLACE = "place"
"""The step of the process that waits for the final list."""
NOT_SIGNED = "The list was not signed: check the key and its passphrase. Nothing was published."
log = logging.getLogger(__name__)
Year = Annotated[int | None, Query(ge=2000, le=2100)]
Words = Annotated[str, Query(max_length=100)]
Field = Annotated[str, Form(max_length=4000)]


@dataclass(frozen=True)
class NurseryPages:
    """What the pages need. `address` is what links begin with; `municipality` issues the lists."""

    office: Office
    municipality: str
    address: str
    timestamps: str | None = None

    def routes(self) -> APIRouter:
        """Return the router of /office/nursery and /nursery."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/office/nursery", self.show)
        router.add_api_route("/office/nursery/publish", self.publish, methods=["POST"])
        router.add_api_route("/office/nursery/objections/{objection}", self.decide, methods=["POST"])
        router.add_api_route("/office/nursery/withdraw", self.withdraw, methods=["POST"])
        router.add_api_route("/nursery/ranking", self.ranking)
        router.add_api_route("/nursery/lists/{published}.pdf", self.pdf)
        return router

    def show(self, request: Request, officer: AnOfficer, year: Year = None) -> Response:
        return self._desk(request, officer, year or self._year())

    def ranking(
        self, request: Request, year: Year = None, version: int | None = None, q: Annotated[str, Query(max_length=100)] = ""
    ) -> Response:
        """Show a published list by protocol number alone; the newest without a version. `q` finds a number."""
        _, table = self._known()
        chosen = year or self._year()
        with self.office.database.begin() as session:
            known = desk.publications(session, chosen)
            shown = next((one for one in known if version in (None, one.version)), None)
            if shown is None and version is not None:
                raise RefusedError(404, *NOWHERE)
            lists = desk.seats(shown) if shown else {}
            up = {move.application: move.station for move in desk.moves(session, table, shown)} if shown else {}
            gone = set(desk.withdrawn(session)) if shown and shown.kind == FINAL else set()
        words = folded(q).split()
        found = {station: [seat for seat in seats if all(word in folded(seat.code) for word in words)] for station, seats in lists.items()}
        context = {
            "known": known, "shown": shown, "lists": found, "any": any(found.values()), "table": table, "year": chosen, "q": q,
            "kinds": KINDS, "up": up, "gone": gone, "now": self.office.clock(),
        }  # fmt: skip
        return self.office.screens.render(request, "office/nursery_public.html", context)

    def pdf(self, published: uuid.UUID) -> Response:
        """Hand the signed list out to anybody."""
        with self.office.database.begin() as session:
            found = session.get(NurseryList, published)
            if found is None:
                raise RefusedError(404, *NOWHERE)
            content = session.get_one(Document, found.document_id).content
            name = f"nursery-{found.year}-{found.version}.pdf"
        return Response(content, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'})

    def publish(self, request: Request, officer: AnOfficer, kind: Field = "", profile: Field = "", secret: Field = "") -> Response:
        """Freeze the list of now, signed by the head of department, and tell everybody on it."""
        procedure, table = self._known()
        if not rights.heads(officer, procedure.manifest.department):
            raise RefusedError(403, *NOT_YOURS)
        if kind not in KINDS:
            raise RefusedError(422, "Choose which list is published.", "Nothing was published. Go back.")
        now, year = self.office.clock(), self._year()
        try:
            with self.office.database.begin() as session:
                version = publishing.next_version(session, year, kind, now)
                way = self._way(session, officer, profile)
                lists = desk.frozen(session, procedure.slug, table, year, self.office.zone)
                paper = self._paper(session, procedure, table, kind, version, lists, way, secret, officer, now)
                published = publishing.publish(session, table, Draft(year, kind, lists, paper.id), officer.id, self.office.zone, now)
                if kind == FINAL:
                    placed = {seat.application for seats in lists.values() for seat in seats if seat.taken}
                    self._move(session, [uuid.UUID(one) for one in placed], "placed", officer, now)
        except NotNowError as error:
            return self._desk(request, officer, year, error.why, 409)
        except NotSignedError as error:
            log.warning("event=not_signed why=%r", str(error))
            return self._desk(request, officer, year, NOT_SIGNED, 422)
        return RedirectResponse(f"/nursery/ranking?year={published.year}", 303)

    def decide(
        self, request: Request, officer: AnOfficer, objection: uuid.UUID, outcome: Field = "", points: Field = "", reason: Field = ""
    ) -> Response:
        procedure, _ = self._known()
        year = self._year()
        if not rights.heads(officer, procedure.manifest.department):
            raise RefusedError(403, *NOT_YOURS)
        if outcome not in (desk.ACCEPTED, desk.DENIED) or not reason.strip():
            return self._desk(request, officer, year, "Write the reason of the decision: the applicant reads it.", 422)
        if outcome == desk.ACCEPTED and not (points.isascii() and points.isdigit() and int(points) <= 1000):
            return self._desk(request, officer, year, "Write the right points: a whole number from 0 to 1000.", 422)
        try:
            with self.office.database.begin() as session:
                right = int(points) if outcome == desk.ACCEPTED else None
                publishing.decide(session, objection, right, reason.strip(), officer.id, self.office.clock())
        except NotNowError as error:
            return self._desk(request, officer, year, error.why, 409)
        return RedirectResponse("/office/nursery#objections", 303)

    def withdraw(self, request: Request, officer: AnOfficer, code: Field = "") -> Response:
        """Write down that parents gave a place up, or their wait for one, as they told the department."""
        procedure, table = self._known()
        self._allowed(officer, procedure)
        year, now = self._year(), self.office.clock()
        with self.office.database.begin() as session:
            rows = desk.applications(session, procedure.slug, year, self.office.zone)
            found = next((one for one, docket in rows if docket.reference == code.strip()), None)
        if found is None:
            return self._desk(request, officer, year, "No application of this year has this protocol number.", 422)
        try:
            with self.office.database.begin() as session:
                self.give_up(session, table, year, found.id, officer.actor, now)
        except NotNowError as error:
            return self._desk(request, officer, year, error.why, 409)
        return RedirectResponse("/office/nursery#withdrawals", 303)

    def give_up(self, session: Session, table: Table, year: int, application: uuid.UUID, actor: str, now: datetime) -> None:
        """Withdraw an application, end its case where it waits for a place, and move those on who moved up."""
        moves = publishing.withdraw(session, table, year, application, actor, now)
        for one, outcome in ((application, "withdrawn"), *((uuid.UUID(move.application), "placed") for move in moves)):
            self._end_place(session, one, outcome, actor, now)

    def _move(self, session: Session, applications: Sequence[uuid.UUID], outcome: str, officer: StaffVisitor, now: datetime) -> None:
        for one in applications:
            self._end_place(session, one, outcome, officer.actor, now)

    def _end_place(self, session: Session, application: uuid.UUID, outcome: str, actor: str, now: datetime) -> None:
        """End the step that waits for the list, where the case is there; one whose papers are still examined goes its own way."""
        task = session.scalars(
            select(CaseTask).where(CaseTask.application_id == application, CaseTask.step == PLACE, CaseTask.done_at.is_(None))
        ).one_or_none()
        if task is not None:
            self.office.desk.complete(session, task.token, actor, now, outcome)

    def _paper(
        self, session: Session, procedure: Procedure, table: Table, kind: str, version: int, lists: Lists, way: SigningProfile, secret: str,
        officer: StaffVisitor, now: datetime,
    ) -> Document:  # fmt: skip
        """Write, number and sign the list as a document that anybody can check."""
        title, department, code = TITLES[kind], session.get(Department, procedure.manifest.department), new_code()
        docket = protocol.enter(
            session, direction="out", issuer=self.municipality, subject=title, department=procedure.manifest.department,
            content_hash=hashlib.sha256(repr(lists).encode()).digest(), zone=self.office.zone,
        )  # fmt: skip
        facts: dict[str, Any] = {
            "title": title, "docket": {"number": docket.reference}, "applicant": "κάθε ενδιαφερόμενο", "test_data": False, "lists": lists,
            "stations": {slug: one.name.el for slug, one in table.stations.items()},
            "places": {slug: one.places for slug, one in table.stations.items()},
            "year": self._year(), "version": version, "objection_days": table.objection_days if kind == PROVISIONAL else 0,
        }  # fmt: skip
        head = Letterhead(self.municipality, department.name_el if department else "", self.address)
        content = compose(TEMPLATES, "list", facts, head, code, now, self.office.zone, signers=1)
        shown = seal(way.name, way.office, now, self.office.zone, grouped(code))
        mark = Mark(way.name, way.office, "Δημοσίευση πίνακα", shown)
        signed = asyncio.run(profiles.opened(way, secret, self.timestamps).sign(content, mark, FIELD.format(n=1)))
        paper = Document(
            id=uuid.uuid4(), application_id=None, kind="nursery_list", title=f"{title} {self._year()}", code=code, docket_id=docket.id,
            sha256=hashlib.sha256(signed).digest(), content=signed, test_data=False, state="delivered",
            signatures=[{"staff": str(officer.id), "name": mark.name, "office": mark.office, "at": now.isoformat(), "way": way.kind}],
            made_at=now, delivered_at=now,
        )  # fmt: skip
        session.add(paper)
        session.flush()
        return paper

    def _way(self, session: Session, officer: StaffVisitor, profile: str) -> SigningProfile:
        """Return the officer's own way of signing. Raises NotSignedError."""
        mine = [one for one in profiles.of(session, officer.id) if one.kind != "upload"]
        found = next((one for one in mine if str(one.id) == profile), None)
        if found is None:
            raise NotSignedError("no way of signing was chosen")
        return found

    def _desk(self, request: Request, officer: StaffVisitor, year: int, wrong: str = "", status: int = 200) -> Response:
        procedure, table = self._known()
        self._allowed(officer, procedure)
        with self.office.database.begin() as session:
            rows = desk.applications(session, procedure.slug, year, self.office.zone)
            codes = {one.id: docket.reference for one, docket in rows}
            context = {
                "lists": desk.lists(session, procedure.slug, table, year, self.office.zone), "table": table, "year": year, "wrong": wrong,
                "points": {str(one.id): table.points(one.answers)[0] for one, _ in rows}, "codes": codes, "kinds": KINDS,
                "known": desk.publications(session, year), "objections": publishing.of_year(session, year), "now": self.office.clock(),
                "withdrawn": [uuid.UUID(one) for one in desk.withdrawn(session) if uuid.UUID(one) in codes],
                "profiles": [one for one in profiles.of(session, officer.id) if one.kind != "upload"], "ways": profiles.KINDS,
                "heads": rights.heads(officer, procedure.manifest.department),
            }  # fmt: skip
        return self.office.screens.render(request, "office/nursery.html", context, status=status)

    def _allowed(self, officer: StaffVisitor, procedure: Procedure) -> None:
        if not rights.may_read(officer, (procedure.manifest.department,)):
            raise RefusedError(403, "Your account may not open this page.", "Ask your head of department for the role.")

    def _known(self) -> tuple[Procedure, Table]:
        known = desk.procedure_of(self.office.catalogue)
        if known is None:
            raise RefusedError(404, *NOWHERE)
        return known

    def year_of(self, at: datetime) -> int:
        """Return the year whose lists an application of a moment stands on."""
        return at.astimezone(self.office.zone).year

    def _year(self) -> int:
        return self.year_of(self.office.clock())
