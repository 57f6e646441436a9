"""The head's figures."""

from dataclasses import dataclass
from typing import Annotated

from asty_look import preferences
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services import spreadsheet
from asty_citizen_services.identity.door import anybody, staff
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.visitor import StaffVisitor
from asty_citizen_services.office.pages import Office
from asty_citizen_services.office.statistics import Course, Figures, Stay, figures
from asty_citizen_services.registry.models import Application
from asty_citizen_services.workflow.models import CaseState, CaseTask

AHead = Annotated[StaffVisitor, Depends(staff(Role.HEAD))]
Year = Annotated[int | None, Query(ge=2000, le=2100)]


@dataclass(frozen=True)
class FiguresPages:
    """What the pages need."""

    office: Office

    def routes(self) -> APIRouter:
        """Return the router of the figures."""
        router = APIRouter(include_in_schema=False, default_response_class=Response, dependencies=[Depends(anybody)])
        router.add_api_route("/office/statistics", self.statistics)
        router.add_api_route("/office/statistics.csv", self.export)
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
