"""A case's way in words, for those who can't see its diagram. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from asty_citizen_services.bpmn.model import Model

STATES: Mapping[str, str] = {
    "filed": "Filed",
    "open": "With the department",
    "waits_citizen": "Waits for the citizen",
    "waits_cosigner": "Waits for the second signature",
    "granted": "Issued",
    "rejected": "Rejected",
    "forwarded": "Sent on",
    "withdrawn": "Withdrawn",
    "shelved": "Shelved, never completed",
}
"""What an application's state is called: terms of the catalogue."""

type Where = Literal["passed", "now"]


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the diagram that the case has passed or is at. `lane` says who has it."""

    id: str
    name: str
    lane: str
    where: Where


def route(model: Model, passed: Sequence[str], tokens: Sequence[str], lang: str) -> tuple[Box, ...]:
    """Return the steps and the end that a case has come through, in order, and then those where it is now."""
    at = [Box(one, *_said(model, one, lang), "now") for one in tokens if _is_shown(model, one)]
    behind = [Box(one, *_said(model, one, lang), "passed") for one in passed if _is_shown(model, one) and one not in tokens]
    return (*behind, *at)


def _is_shown(model: Model, one: str) -> bool:
    return one in model.steps or one in model.ends


def _said(model: Model, one: str, lang: str) -> tuple[str, str]:
    if (step := model.steps.get(one)) is not None:
        return (step.english if lang == "en" else step.name), step.lane
    return model.ends[one], ""
