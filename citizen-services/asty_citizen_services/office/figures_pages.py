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
from asty_citizen_services.office import period as periods
from asty_citizen_services.office.pages import Office, department_names
from asty_citizen_services.office.period import Period
from asty_citizen_services.office.statistics import Course, Figures, Stay, figures
from asty_citizen_services.registry.models import Application
from asty_citizen_services.workflow.models import CaseState, CaseTask

AHead = Annotated[StaffVisitor, Depends(staff(Role.HEAD))]
ADay = Annotated[str, Query(max_length=10)]
ABeginning = Annotated[str, Query(max_length=10, alias="from")]
Words = Annotated[str, Query(max_length=100)]
UNREADABLE = "The period can't be read: two dates, the first one not after the second. All cases are shown."


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

    def statistics(self, request: Request, head: AHead, begins: ABeginning = "", to: ADay = "", department: Words = "") -> Response:
        """Show the figures of the cases that were filed in a period, of all departments that the officer heads or of one."""
        lang = preferences.read(request).lang
        asked = periods.read(begins, to)
        with self.office.database.begin() as session:
            found = self._figures(session, head, lang, asked or Period(), department)
            names = department_names(session, lang)
        context = {
            "found": found, "titles": self._titles(request), "wrong": "" if asked else UNREADABLE, "begins": begins, "to": to,
            "asked": asked, "department": department, "departments": {slug: names[slug] for slug in sorted(_headed(head)) if slug in names},
            "quick": periods.quick(self.office.clock().astimezone(self.office.zone).date()),
        }  # fmt: skip
        return self.office.screens.render(request, "office/statistics.html", context, status=200 if asked else 422)

    def export(self, request: Request, head: AHead, begins: ABeginning = "", to: ADay = "", department: Words = "") -> Response:
        """Write the same figures for a spreadsheet."""
        lang = preferences.read(request).lang
        with self.office.database.begin() as session:
            found = self._figures(session, head, lang, periods.read(begins, to) or Period(), department)
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

    def _figures(self, session: Session, head: StaffVisitor, lang: str, period: Period, department: str) -> list[Figures]:
        headed = _headed(head) & ({department} if department else _headed(head))
        since, before = period.bounds(self.office.zone)
        asked = select(Application, CaseState).join(CaseState, CaseState.application_id == Application.id)
        asked = asked.where(Application.department.in_(headed))
        if since is not None:
            asked = asked.where(Application.filed_at >= since)
        if before is not None:
            asked = asked.where(Application.filed_at < before)
        rows = session.execute(asked).all()
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


def _headed(head: StaffVisitor) -> set[str]:
    return {one.department for one in head.granted if one.role is Role.HEAD}
