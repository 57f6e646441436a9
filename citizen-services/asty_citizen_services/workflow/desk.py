"""Moving cases: begun at the filing, ended step by step by people, by the system and by time, each in one transaction."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from jsonschema import Draft202012Validator
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_citizen_services import jobs, working_days
from asty_citizen_services.audit import journal
from asty_citizen_services.bpmn.case import Case, NotWaitingError, Waiting
from asty_citizen_services.bpmn.model import CITIZEN, Model, Outcome, read
from asty_citizen_services.procedures.catalogue import COSIGNER, SERVICES, SYSTEM, Catalogue, Procedure
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.workflow.acts import Telling
from asty_citizen_services.workflow.models import CaseModel, CaseState, CaseTask

PEOPLE = {CITIZEN: "citizen", COSIGNER: "cosigner", SYSTEM: "system"}
STATES = {
    "issued": "granted",
    "shelved": "shelved",
    "rejected": "rejected",
    "upheld": "rejected",
    "unpaid": "shelved",
}
"""What an application's state is called by the end that its case came to."""

RUNNING = frozenset({"open", "waits_citizen", "waits_cosigner"})
"""States of an application whose case goes on."""

type Service = Callable[[Session, Application, str, datetime], Mapping[str, Any] | None]
"""Does one system step: gets what stands behind the colon of `asty:does`, and returns what the diagram's conditions may ask for.

What leaves the database goes through an outbox or a job.
"""
type Ended = Callable[[Session, Application, str, datetime], None]
"""Is told of the end of a case, by the id of the diagram's end event."""
PAYMENT = "payment"
"""What a step asks for that only the bank's word ends."""


class MissingError(Exception):
    """An outcome was chosen without what it asks for; `what` names it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is missing")
        self.what = what


class ClaimedError(Exception):
    """Somebody else has the task; `by` is who."""

    def __init__(self, by: uuid.UUID) -> None:
        super().__init__(f"the task is with {by}")
        self.by = by


class Desk:
    """Where cases lie. `catalogue` are today's procedures: a running case keeps the diagram that it began with."""

    def __init__(
        self,
        catalogue: Catalogue,
        services: Mapping[str, Service],
        telling: Telling | None = None,
        on_ended: Sequence[Ended] = (),
        zone: ZoneInfo = working_days.ATHENS,
    ) -> None:
        self._catalogue = catalogue
        self._services = services
        self._telling = telling
        self._on_ended = on_ended
        self._zone = zone

    def begin(self, session: Session, application: Application, docket: Docket) -> None:
        """Begin the case of a filed application; for `registry.filing.Desk.on_filed`."""
        procedure = self._catalogue[application.procedure]
        self._pin(session, procedure, docket.at)
        case = Case.begin(procedure.model, facts(procedure, application.answers), docket.at, self._zone)
        state = CaseState(application_id=application.id, digest=procedure.model.digest, passed=[], tokens=[], moved={}, ended=None)
        session.add(state)
        self._keep(session, application, state, case, docket.at)

    def complete(
        self,
        session: Session,
        token: uuid.UUID,
        actor: str,
        now: datetime,
        outcome: str | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> Application:
        """End a person's step. The right to do so is the caller's to check.

        Raises NotWaitingError, WrongOutcomeError, MissingError.
        """
        task = session.get(CaseTask, token)
        if task is None:
            raise NotWaitingError("there is no such step")
        application, state, model, case = self._take(session, task.application_id)
        session.refresh(task)
        step = model.steps[task.step]
        chosen = step.outcome(outcome) if outcome else None
        _demand(chosen, given or {})
        case.complete(token, now, outcome, runs=application.due_at)
        task.done_at, task.done_by, task.outcome, task.given = now, actor, outcome, dict(given or {})
        journal.write(
            session, f"case:{application.id}", at=now, actor=actor, act="workflow.complete", step=step.id, outcome=outcome or "",
            reason=str((given or {}).get("reason", "")),
        )  # fmt: skip
        self._keep(session, application, state, case, now)
        return application

    def claim(self, session: Session, token: uuid.UUID, staff: uuid.UUID, now: datetime, *, over: bool = False) -> None:
        """Give a task to an officer; `over` takes it from who has it (the head's right). Raises NotWaitingError, ClaimedError."""
        task = session.scalars(select(CaseTask).where(CaseTask.token == token, CaseTask.done_at.is_(None)).with_for_update()).one_or_none()
        if task is None:
            raise NotWaitingError("this step is not waiting any more")
        if task.claimed_by is not None and task.claimed_by != staff and not over:
            raise ClaimedError(task.claimed_by)
        task.claimed_by, task.claimed_at = staff, now
        journal.write(session, f"case:{task.application_id}", at=now, actor=f"staff:{staff}", act="workflow.claim", step=task.step)

    def release(self, session: Session, token: uuid.UUID, staff: uuid.UUID, now: datetime) -> None:
        """Put a task back for all. Raises NotWaitingError."""
        task = session.scalars(
            select(CaseTask).where(CaseTask.token == token, CaseTask.done_at.is_(None), CaseTask.claimed_by == staff).with_for_update()
        ).one_or_none()
        if task is None:
            raise NotWaitingError("this step is not with you")
        task.claimed_by = task.claimed_at = None
        journal.write(session, f"case:{task.application_id}", at=now, actor=f"staff:{staff}", act="workflow.release", step=task.step)

    def work(self, session: Session, application: uuid.UUID, now: datetime) -> bool:
        """Do one system step of a case, if one waits; tell whether there was one. A step that fails is rolled back whole by the caller."""
        taken, state, _, case = self._take(session, application)
        waiting = next((one for one in case.waiting() if one.step.does), None)
        if waiting is None:
            return False
        does, _, what = (waiting.step.does or "").partition(":")
        before, due = taken.department, taken.due_at
        case.complete(waiting.token, now, facts=self._services[does](session, taken, what, now), runs=due)
        state.moved = _passed_on(state.moved, before, taken.department)
        task = session.get_one(CaseTask, waiting.token)
        task.done_at, task.done_by = now, "system"
        journal.write(
            session, f"case:{taken.id}", at=now, actor="system", act="workflow.do", step=waiting.step.id, does=waiting.step.does or ""
        )
        self._keep(session, taken, state, case, now)
        return True

    def paid(self, session: Session, application: uuid.UUID, now: datetime) -> None:
        """Let a case go on that waits for its fee, which has come in; one that does not wait for it stays as it is."""
        taken, state, _, case = self._take(session, application)
        waiting = next((one for one in case.waiting() if PAYMENT in one.step.asks), None)
        if waiting is None:
            return
        case.complete(waiting.token, now)
        task = session.get_one(CaseTask, waiting.token)
        task.done_at, task.done_by = now, "bank"
        journal.write(session, f"case:{taken.id}", at=now, actor="bank", act="workflow.complete", step=waiting.step.id)
        self._keep(session, taken, state, case, now)

    def route(self, session: Session, application: uuid.UUID, department: str, now: datetime) -> None:
        """Give a case to another department: what waits for people of the one that has it waits there, and nobody has it yet."""
        it = session.get_one(Application, application)
        before, it.department = it.department, department
        if it.state not in RUNNING:
            return
        taken, state, _, case = self._take(session, application)
        state.moved = _passed_on(state.moved, before, department)
        waiting = select(CaseTask).where(CaseTask.application_id == application, CaseTask.done_at.is_(None), CaseTask.seat == before)
        for task in session.scalars(waiting):
            task.seat, task.claimed_by, task.claimed_at = department, None, None
        self._keep(session, taken, state, case, now)

    def tick(self, session: Session, application: uuid.UUID, now: datetime) -> None:
        """Let the terms of a case run out that are over."""
        taken, state, _, case = self._take(session, application)
        case.tick(now)
        self._keep(session, taken, state, case, now)

    def model(self, session: Session, application: uuid.UUID) -> Model:
        """Return the diagram that a case runs on. Raises NoResultFound."""
        row = session.execute(
            select(CaseModel).join(CaseState, CaseState.digest == CaseModel.digest).where(CaseState.application_id == application)
        ).scalar_one()
        return _model(row.xml)

    def _pin(self, session: Session, procedure: Procedure, now: datetime) -> None:
        seats = {lane: {"department": seat.department, "role": seat.role} for lane, seat in procedure.manifest.seats.items()}
        row = insert(CaseModel).values(
            digest=procedure.model.digest, procedure=procedure.slug, xml=procedure.model.xml, seats=seats, made_at=now
        )
        session.execute(row.on_conflict_do_nothing())

    def _take(self, session: Session, application: uuid.UUID) -> tuple[Application, CaseState, Model, Case]:
        """Lock a case and take it up: whoever else would move it waits, and finds it moved."""
        state = session.scalars(
            select(CaseState).where(CaseState.application_id == application).with_for_update().execution_options(populate_existing=True)
        ).one()
        model = _model(session.get_one(CaseModel, state.digest).xml)
        return session.get_one(Application, application), state, model, Case.restore(model, state.state, self._zone)

    def _keep(self, session: Session, application: Application, state: CaseState, case: Case, now: datetime) -> None:
        terms = case.terms()
        state.state, state.tokens, state.passed, state.ended = case.text(), list(case.tokens), list(case.passed), case.ended
        state.next_term, state.changed_at = (terms[0].due if terms else None), now
        session.flush()
        due = state.next_term or application.due_at
        waiting = case.waiting()
        seats = session.get_one(CaseModel, state.digest).seats
        known = {task.token: task for task in session.scalars(select(CaseTask).where(CaseTask.application_id == application.id))}
        for one in waiting:
            if one.token not in known:
                session.add(_task(application, one, seats, state.moved, now, due))
                if self._telling is not None:
                    self._telling.waits(session, application, one, now)
        for token, task in known.items():
            if task.done_at is None and token not in {one.token for one in waiting}:
                task.done_at, task.done_by = now, "time"
        application.state = STATES.get(case.ended, case.ended) if case.ended else _state(waiting)
        application.due_at = due if application.state == "open" else None
        application.changed_at = now
        if case.ended:
            for told in self._on_ended:
                told(session, application, case.ended, now)
        if any(one.step.does for one in waiting):
            jobs.defer(session, "workflow:work", lock=f"case:{application.id}", queue="cases", application=str(application.id))
        session.flush()


def facts(procedure: Procedure, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the conditions of a diagram may ask for: `cosigner` (yes, no) and `fee` (cents)."""
    second = procedure.manifest.cosignature
    needs = second is not None and (second.when is None or Draft202012Validator(second.when).is_valid(dict(answers)))
    return {"cosigner": "yes" if needs else "no", "fee": procedure.manifest.fee_for(answers)}


@lru_cache(maxsize=64)
def _model(xml: str) -> Model:
    return read(xml, "case_model", SERVICES)


def _task(
    application: Application, one: Waiting, seats: Mapping[str, Any], moved: Mapping[str, str], now: datetime, due: datetime | None
) -> CaseTask:
    lane = one.step.lane
    seat = PEOPLE[lane] if lane in PEOPLE else moved.get(seats[lane]["department"], seats[lane]["department"])
    role = None if lane in PEOPLE else seats[lane]["role"]
    return CaseTask(
        token=one.token, application_id=application.id, step=one.step.id, seat=seat, role=role, since=now,
        due_at=due if seat != "system" else None, claimed_by=None, claimed_at=None, done_at=None, done_by=None, outcome=None, given={},
    )  # fmt: skip


def _passed_on(moved: Mapping[str, str], before: str, after: str) -> dict[str, str]:
    """Return who does whose work once a department has given a case on: what it did for others goes on too."""
    if before == after:
        return dict(moved)
    others = {whose: after if by == before else by for whose, by in moved.items()}
    return others if before in moved.values() else others | {before: after}


def _state(waiting: tuple[Waiting, ...]) -> str:
    lanes = {one.step.lane for one in waiting}
    if CITIZEN in lanes:
        return "waits_citizen"
    return "waits_cosigner" if COSIGNER in lanes else "open"


def _demand(outcome: Outcome | None, given: Mapping[str, Any]) -> None:
    for what in outcome.asks if outcome else ():
        if not given.get(what):
            raise MissingError(what)
