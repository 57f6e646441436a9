"""Which fault comes when: drawn from a seed, the same for the same seed. Pure.

Three lanes run beside each other, so that faults meet: what is done to processes, to the network with the outboxes, and to what
edges believe. Within a lane one fault ends before the next begins. A lane deals its kinds in rounds, each once a round, so that even
a short drill has seen every kind.
"""

from collections.abc import Iterator
from itertools import cycle
from random import Random
from typing import Literal

from msgspec import Struct

Kind = Literal[
    "kill", "freeze", "restart", "broker-wipe", "database-stop",
    "network-cut", "network-loss", "network-silent", "lost-acks", "replay", "outbox-deleted", "bit-flipped",
    "clock", "disk-full",
]  # fmt: skip
Lane = Literal["process", "network", "edge"]

SERVERS = ("postgres", "mqtt", "kafka")
PROCESSES = ("ingest", "stream")

LANES: dict[Lane, tuple[Kind, ...]] = {
    "process": ("kill", "freeze", "restart", "broker-wipe", "database-stop"),
    "network": ("network-cut", "network-loss", "network-silent", "lost-acks", "replay", "outbox-deleted", "bit-flipped"),
    "edge": ("clock", "disk-full"),
}
KINDS: tuple[Kind, ...] = tuple(kind for kinds in LANES.values() for kind in kinds)

_LASTS: dict[Kind, tuple[float, float]] = {
    "kill": (0, 0),
    "freeze": (2, 8),
    "restart": (0, 0),
    "broker-wipe": (1, 4),
    "database-stop": (4, 8),
    "network-cut": (2, 8),
    "network-loss": (4, 10),
    "network-silent": (3, 8),
    "lost-acks": (2, 6),
    "replay": (0, 0),
    "outbox-deleted": (1, 3),
    "bit-flipped": (1, 3),
    "clock": (4, 10),
    "disk-full": (3, 8),
}
"""How long each lasts at least and at most, in seconds of a drill of two minutes; a longer drill has longer faults."""

DAY_S = 86_400
_PAUSE = {"process": (1.0, 4.0), "network": (0.5, 2.5), "edge": (1.0, 4.0)}


class Step(Struct, frozen=True):
    """One fault: from `at` (s since the drill began), for `lasts` s, to a program or an edge; `chance` in [0, 1) settles the rest."""

    at: float
    kind: Kind
    target: str
    lasts: float
    chance: float

    def __str__(self) -> str:
        return f"{self.kind:<15}" + (f" {self.target}" if self.target else "") + (f" for {self.lasts:.1f} s" if self.lasts else "")


def schedule(seed: int, seconds: float, edges: tuple[str, ...], runners: tuple[str, ...]) -> list[Step]:
    """Draw the faults of a drill, by time; `runners` are the programs in which the virtual `edges` live."""
    steps = [step for lane in LANES for step in _lane(lane, Random(f"{seed}/{lane}"), seconds, edges, runners)]  # noqa: S311
    return sorted(steps, key=lambda step: step.at)


def _lane(lane: Lane, random: Random, seconds: float, edges: tuple[str, ...], runners: tuple[str, ...]) -> Iterator[Step]:
    pace = min(max(seconds / 120, 0.6), 5.0)
    targets = {kind: cycle(_shuffled(random, _targets(kind, edges, runners))) for kind in LANES[lane]}
    at = random.uniform(*_PAUSE[lane])
    while True:
        for kind in _shuffled(random, LANES[lane]):
            lasts = round(pace * random.uniform(*_LASTS[kind]), 1)
            if at + lasts > seconds:
                return
            yield Step(round(at, 1), kind, next(targets[kind]), lasts, random.random())
            at += lasts + random.uniform(*_PAUSE[lane])


def _targets(kind: Kind, edges: tuple[str, ...], runners: tuple[str, ...]) -> tuple[str, ...]:
    match kind:
        case "kill" | "freeze" | "restart":
            return (*runners, *PROCESSES, *SERVERS)
        case "outbox-deleted" | "bit-flipped" | "disk-full":
            return edges
        case "clock":
            return ("1 day ahead", "1 day behind")
        case _:
            return ("",)


def _shuffled[T](random: Random, items: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(random.sample(items, len(items)))
