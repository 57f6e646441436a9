"""One case on its way: begun, moved by what people and the system do, and by time."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct
from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.serializer.config import DEFAULT_CONFIG
from SpiffWorkflow.bpmn.serializer.default.task_spec import BpmnTaskSpecConverter
from SpiffWorkflow.bpmn.specs.event_definitions import MessageEventDefinition, timer
from SpiffWorkflow.bpmn.specs.event_definitions.timer import DurationTimerEventDefinition
from SpiffWorkflow.util.task import TaskState

from asty_citizen_services import working_days
from asty_citizen_services.bpmn.model import Model, Service, Step

_NOW: ContextVar[datetime] = ContextVar("now")
_WHOLE_DAYS = re.compile(r"[\"']P[^T]*[\"']")


class _Clock(datetime):
    """The time that the engine's timers see: the caller's, not the wall's."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return _NOW.get().astimezone(tz)


timer.datetime = _Clock
_SERIALIZER = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(DEFAULT_CONFIG | {Service: BpmnTaskSpecConverter}))


class NotWaitingError(Exception):
    """The step is not waiting (any more): somebody else did it, or its term ran out."""


class WrongOutcomeError(Exception):
    """The step can't end like this."""


class Waiting(Struct, frozen=True):
    """A step that waits for a person, or for the system when the step `does` something."""

    token: UUID
    step: Step


class Term(Struct, frozen=True):
    """A timer that runs, by its name in the diagram."""

    name: str
    due: datetime


class Case:
    """A case with the model that it began with. Terms of whole days end with a working day of `zone`."""

    def __init__(self, model: Model, workflow: Any, zone: ZoneInfo) -> None:
        self._model = model
        self._workflow = workflow
        self._zone = zone

    @classmethod
    def begin(cls, model: Model, facts: Mapping[str, Any], now: datetime, zone: ZoneInfo = working_days.ATHENS) -> "Case":
        """Begin a case. `facts` are what conditions of the model ask for, JSON values."""
        case = cls(model, BpmnWorkflow(model.spec()), zone)
        with _at(now):
            case._workflow.get_tasks(state=TaskState.READY)[0].data.update(facts)
            case._go_on()
        return case

    @classmethod
    def restore(cls, model: Model, text: str, zone: ZoneInfo = working_days.ATHENS) -> "Case":
        """Take up a case from what `text` gave; `model` is the one of the same digest."""
        return cls(model, _SERIALIZER.deserialize_json(text), zone)

    def text(self) -> str:
        """Return the state as JSON, the engine's form of the model included."""
        text: str = _SERIALIZER.serialize_json(self._workflow)
        return text

    def waiting(self) -> tuple[Waiting, ...]:
        """Return the steps that wait, in the order of the diagram."""
        ready = [task for task in self._workflow.get_tasks(state=TaskState.READY) if task.task_spec.bpmn_id in self._model.steps]
        order = list(self._model.steps)
        found = (Waiting(task.id, self._model.steps[task.task_spec.bpmn_id]) for task in ready)
        return tuple(sorted(found, key=lambda one: order.index(one.step.id)))

    def complete(
        self,
        token: UUID,
        now: datetime,
        outcome: str | None = None,
        facts: Mapping[str, Any] | None = None,
        runs: datetime | None = None,
    ) -> None:
        """End a waiting step. `runs` is the department's term that goes on at its next step, where it does not begin anew.

        Raises NotWaitingError, WrongOutcomeError.
        """
        one = next((one for one in self.waiting() if one.token == token), None)
        if one is None:
            raise NotWaitingError("this step is not waiting any more")
        if one.step.outcomes and (outcome is None or one.step.outcome(outcome) is None):
            raise WrongOutcomeError(f"{one.step.id} ends with {', '.join(o.value for o in one.step.outcomes)} and not with {outcome}")
        with _at(now):
            task = self._workflow.get_task_from_id(token)
            task.data.update(dict(facts or {}) | ({"outcome": outcome} if outcome is not None else {}))
            task.run()
            self._go_on(runs)

    def tick(self, now: datetime) -> None:
        """Let time pass: terms that are over take their way."""
        with _at(now):
            self._workflow.refresh_timers()
            self._go_on()

    def tell(self, message: str, now: datetime) -> None:
        """Bring a message that the case waits for. Raises NotWaitingError."""
        if message not in [event.name for event in self._workflow.waiting_events()]:
            raise NotWaitingError(f"this case does not wait for {message}")
        with _at(now):
            self._workflow.send_event(BpmnEvent(MessageEventDefinition(message)))
            self._go_on()

    def terms(self) -> tuple[Term, ...]:
        """Return the terms that run, the next one first."""
        pending = [event for event in self._workflow.waiting_events() if event.value]
        terms = (Term(event.name or "", datetime.fromisoformat(event.value).astimezone(UTC)) for event in pending)
        return tuple(sorted(terms, key=lambda term: term.due))

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return the ids of the boxes where the case is now."""
        return tuple(one.step.id for one in self.waiting()) or self._ids([self.ended] if self.ended else [])

    @property
    def passed(self) -> tuple[str, ...]:
        """Return the ids of the boxes that are behind, each once, in the order of time."""
        done = sorted(self._workflow.get_tasks(state=TaskState.COMPLETED), key=lambda task: task.last_state_change)
        return tuple(dict.fromkeys(self._ids(task.task_spec.bpmn_id for task in done)))

    @property
    def ended(self) -> str | None:
        """Return the id of the end event that was reached; None while the case runs."""
        if not self._workflow.completed:
            return None
        done = [task.task_spec.bpmn_id for task in self._workflow.get_tasks(state=TaskState.COMPLETED)]
        return next((end for end in self._model.ends if end in done), None)

    def _ids(self, ids: Iterable[str | None]) -> tuple[str, ...]:
        return tuple(one for one in ids if one)

    def _go_on(self, runs: datetime | None = None) -> None:
        before = {task.id for task in self._timers()}
        self._workflow.do_engine_steps()
        for task in self._timers():
            if task.id not in before:
                self._set_term(task, runs)

    def _timers(self) -> list[Any]:
        waiting = self._workflow.get_tasks(state=TaskState.WAITING)
        return [task for task in waiting if isinstance(getattr(task.task_spec, "event_definition", None), DurationTimerEventDefinition)]

    def _set_term(self, task: Any, runs: datetime | None) -> None:
        """Let a term that has just begun end with a working day; one that only warns goes on where the department's already runs."""
        due = datetime.fromisoformat(task.internal_data["event_value"])
        if runs is not None and not task.task_spec.cancel_activity:
            due = runs
        elif _WHOLE_DAYS.fullmatch(task.task_spec.event_definition.expression.strip()):
            due = working_days.end_of_term(due, self._zone)
        task.internal_data["event_value"] = due.isoformat()


@contextmanager
def _at(now: datetime) -> Iterator[None]:
    token = _NOW.set(now)
    try:
        yield
    finally:
        _NOW.reset(token)
