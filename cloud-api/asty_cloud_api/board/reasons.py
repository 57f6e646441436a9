"""The planner's word as a sentence: why something is left out, what a truck says to it, how a trigger was answered. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from asty_look.formats import Formats

from asty_cloud_api.board.terms import ANSWERS, FIELDS, LEFT_OUT, REASONS, REFUSALS, ROADS, TODAY, WITH_PARAMS
from asty_cloud_api.reads.terms import STREAMS

_PARAM = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Sentences:
    """`say` translates a term, `f` writes numbers. What has no sentence here is said as the planner wrote it, in English."""

    say: Callable[[str], str]
    f: Formats

    def left_out(self, reason: str | None, params: Mapping[str, Any] | None, why: str | None) -> str:
        """Say why a stop, a truck or a station is left out, with the parameters that the planner gave."""
        given = params or {}
        if reason is None or reason not in LEFT_OUT:
            return why or ""
        if reason == "unreachable" and given.get("road") in ROADS:
            return self.say(ROADS[given["road"]])
        if reason in ("bad_number", "bad_place") and given.get("field") in FIELDS:
            return self.say(FIELDS[given["field"]])
        if reason in TODAY and given.get("today") and given.get("stream"):
            return self._filled(TODAY[reason], given)
        term = WITH_PARAMS.get(reason, "")
        if term and all(given.get(name) not in (None, "", []) for name in _PARAM.findall(term)):
            return self._filled(term, given)
        return self.say(LEFT_OUT[reason])

    def refusal(self, code: str | None, cost: float | None, why: str | None) -> str:
        """Say why one truck does not serve a stop."""
        if code is None or code not in REFUSALS:
            return why or ""
        term = self.say(REFUSALS[code])
        return term % {"cost": self.f.euro(cost)} if code == "costs" else term

    def answer(self, said: Mapping[str, Any] | None, why: str | None, names: Mapping[str, str]) -> str:
        """Say how a trigger was answered; `names` are trucks by their edge."""
        code, params = (said or {}).get("code"), (said or {}).get("params") or {}
        if code not in ANSWERS:
            return self.left_out(code, params, why)
        trucks = [names.get(one, one) for one in params.get("trucks") or [params.get("truck", "")]]
        shown = {**params, "truck": trucks[0], "trucks": ", ".join(trucks)}
        return self.say(ANSWERS[code]) % shown

    def _filled(self, term: str, given: Mapping[str, Any]) -> str:
        return self.say(term) % {name: self._written(name, value) for name, value in given.items()}

    def _written(self, name: str, value: Any) -> str:
        match name:
            case "kg":
                return self.f.quantity(float(value), "kg")
            case "litres":
                return self.f.quantity(float(value), "l")
            case "prize":
                return self.f.euro(float(value))
            case "stream":
                return self.say(STREAMS.get(value, value))
            case "said":
                return self.say(REASONS.get(value, value))
            case "skills":
                return ", ".join(value)
            case _:
                return str(value)
