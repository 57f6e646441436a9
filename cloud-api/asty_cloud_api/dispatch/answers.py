"""How triggers are answered: a code with its parameters, from which a screen makes its own sentence, and the English one. Pure."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

SENTENCES = {
    "no_day": "the day has no plan: the register has no bins or no trucks",
    "no_truck_of_register": "{truck} is no truck of the register that can be planned",
    "no_truck_of_day": "{truck} is no truck of this day's plan, or not any more",
    "no_stop_of_day": "{stop} is no stop of this day's plan, or not any more",
    "no_bin": "{stop} is no bin of the register, and the trigger tells no place (lat, lon)",
    "done_since": "{stop} was done by {truck} after that was said",
    "on_route": "{stop} must be emptied today already: it is on the route of {truck}",
    "not_planned": "no plan could be made of it, the one before goes on: {error}",
    "waits": "plan version {version} waits for the dispatcher's approval",
    "new_routes": "plan version {version}: new route for {trucks}",
    "same_routes": "plan version {version}: no route had to change",
}


@dataclass(frozen=True, slots=True)
class Said:
    """`code` is a key of SENTENCES, or a planner's Reason for a bin that can't be planned, with that reason's `params`."""

    code: str
    why: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def stored(self) -> dict[str, Any]:
        """What is kept beside the sentence."""
        return {"code": self.code, "params": self.params}


@dataclass(frozen=True, slots=True)
class Answer:
    """Why a trigger changes nothing; `ignored` when it means nothing here, else it was already so."""

    trigger: UUID
    said: Said
    ignored: bool


def said(code: str, **params: Any) -> Said:
    """Say one of SENTENCES; a list of trucks is written with commas."""
    words = {name: ", ".join(value) if isinstance(value, list) else value for name, value in params.items()}
    return Said(code, SENTENCES[code].format(**words), params)


def of_plan(version: int, told: list[str], *, proposed: bool) -> Said:
    """Say what a plan did; `told` are the trucks that get a new route."""
    if proposed:
        return said("waits", version=version)
    return said("new_routes", version=version, trucks=told) if told else said("same_routes", version=version)
