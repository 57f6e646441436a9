"""The head's figures and the nursery's list."""

from dataclasses import dataclass
from typing import Annotated

from asty_look import preferences
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services import spreadsheet
from asty_citizen_services.failures import NOWHERE, RefusedError
from asty_citizen_services.identity.door import anybody, staff
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.nursery import desk as nursery
from asty_citizen_services.nursery.ranking import Table
from asty_citizen_services.office import rights
from asty_citizen_services.office.pages import AnOfficer, Office
from asty_citizen_services.office.statistics import Course, Figures, Stay, figures
from asty_citizen_services.procedures.catalogue import Procedure
from asty_citizen_services.registry.models import Application
from asty_citizen_services.workflow.models import CaseState, CaseTask

AHead = Annotated[StaffVisitor, Depends(staff(Role.HEAD))]
Year = Annotated[int | None, Query(ge=2000, le=2100)]


@dataclass(frozen=True)
class FiguresPages:
    """What the pages need."""

    office: Office

    def routes(self) -> APIRouter:
        """Return the router of figures and of the nursery."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/office/statistics", self.statistics)
        router.add_api_route("/office/statistics.csv", self.export)
        router.add_api_route("/office/nursery", self.nursery)
        router.add_api_route("/nursery/ranking", self.ranking)
        return router

    def statistics(self, request: Request, head: AHead) -> Response:
        with self.office.database.begin() as session:
            found = self._figures(session, head, preferences.read(request).lang)
        return self.office.screens.render(request, "office/statistics.html", {"found": found, "titles": self._titles(request)})

    def export(self, request: Request, head: AHead) -> Response:
        lang = preferences.read(request).lang
        with self.office.database.begin() as session:
            found = self._figures(session, head, lang)
        terms = ("Procedure", "Step", "Finished", "Waiting", "Median hours", "Late share")
        titles = self._titles(request)
        rows = [
            (
                titles.get(one.procedure, one.procedure), step.step, step.finished, step.waiting,
                "" if step.median_hours is None else f"{step.median_hours:.2f}", "" if step.late is None else f"{step.late:.3f}",
            )
            for one in found
            for step in one.steps
        ]  # fmt: skip
        heads = [self.office.screens.gettext(request, term) for term in terms]
        return spreadsheet.answer(spreadsheet.csv_of(heads, rows, lang), "statistics.csv")

    def nursery(self, request: Request, officer: AnOfficer, year: Year = None) -> Response:
        """Show the department each application with its points, and the lists they make."""
        procedure, table = self._known()
        if not rights.may_read(officer, (procedure.manifest.department,)):
            raise RefusedError(403, "Your account may not open this page.", "Ask your head of department for the role.")
        year = year or self._year()
        with self.office.database.begin() as session:
            lists = nursery.lists(session, procedure.slug, table, year, self.office.zone)
            rows = nursery.applications(session, procedure.slug, year, self.office.zone)
            points = {str(one.id): table.points(one.answers)[0] for one, _ in rows}
        context = {"lists": lists, "table": table, "year": year, "points": points, "public": False}
        return self.office.screens.render(request, "office/nursery.html", context)

    def ranking(self, request: Request, year: Year = None) -> Response:
        """Publish the lists by protocol number alone."""
        procedure, table = self._known()
        year = year or self._year()
        with self.office.database.begin() as session:
            lists = nursery.lists(session, procedure.slug, table, year, self.office.zone)
        context = {"lists": lists, "table": table, "year": year, "points": {}, "public": True}
        return self.office.screens.render(request, "office/nursery.html", context)

    def _known(self) -> tuple[Procedure, Table]:
        known = nursery.procedure_of(self.office.catalogue)
        if known is None:
            raise RefusedError(404, *NOWHERE)
        return known

    def _year(self) -> int:
        return self.office.clock().astimezone(self.office.zone).year

    def _titles(self, request: Request) -> dict[str, str]:
        lang = preferences.read(request).lang
        return {slug: one.manifest.title.of(lang) for slug, one in self.office.catalogue.items()}

    def _figures(self, session: Session, head: StaffVisitor, lang: str) -> list[Figures]:
        headed = {one.department for one in head.granted if one.role is Role.HEAD}
        rows = session.execute(
            select(Application, CaseState).join(CaseState, CaseState.application_id == Application.id)
            .where(Application.department.in_(headed))
        ).all()  # fmt: skip
        cases = {application.id: application.procedure for application, _ in rows}
        courses = [
            Course(application.procedure, application.filed_at, state.changed_at if state.ended else None, application.state)
            for application, state in rows
        ]
        tasks = session.scalars(
            select(CaseTask).where(CaseTask.application_id.in_(cases), CaseTask.seat != "system").order_by(CaseTask.since)
        )
        stays = [
            Stay(
                cases[task.application_id],
                self._step(cases[task.application_id], task.step, lang),
                task.since,
                task.done_at,
                task.due_at if task.role else None,
            )
            for task in tasks
        ]
        return figures(courses, stays, self.office.clock())

    def _step(self, procedure: str, step: str, lang: str) -> str:
        known = self.office.catalogue.get(procedure)
        found = known.model.steps.get(step) if known else None
        return step if found is None else found.english if lang == "en" else found.name
