"""When an engine stops: called with the best cost so far (infinite while nothing is feasible), says how much of the budget is used."""

import math
import time
from typing import Protocol


class StoppingRule(Protocol):
    """1.0 or more means stop. The first call starts the budget."""

    def __call__(self, best: float) -> float: ...


class CpuSeconds:
    """Stops after CPU seconds of the calling thread."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._began: float | None = None

    def __call__(self, best: float) -> float:  # noqa: ARG002
        now = time.thread_time()
        if self._began is None:
            self._began = now
        return (now - self._began) / self._seconds if self._seconds > 0 else 1.0


class Iterations:
    """Stops after so many iterations: the same answer on every machine."""

    def __init__(self, iterations: int) -> None:
        self._iterations = iterations
        self._made = -1

    def __call__(self, best: float) -> float:  # noqa: ARG002
        self._made += 1
        return self._made / self._iterations if self._iterations > 0 else 1.0


class FirstFeasible:
    """Stops at the first feasible answer, or where `otherwise` stops."""

    def __init__(self, otherwise: StoppingRule) -> None:
        self._otherwise = otherwise

    def __call__(self, best: float) -> float:
        used = self._otherwise(best)
        return 1.0 if math.isfinite(best) else used


class Until:
    """Stops at a share of what is left of another rule's budget, which goes on for the next search.

    `hopeless` is the share after which it ends when nothing feasible was found.
    """

    def __init__(self, rule: StoppingRule, share: float, hopeless: float | None = None) -> None:
        self._rule = rule
        self._share = share
        self._hopeless = share if hopeless is None else hopeless
        self._began: float | None = None

    def __call__(self, best: float) -> float:
        used = self._rule(best)
        if self._began is None:
            self._began = used
        budget = (1 - self._began) * (self._share if math.isfinite(best) else self._hopeless)
        return (used - self._began) / budget if budget > 0 else 1.0
