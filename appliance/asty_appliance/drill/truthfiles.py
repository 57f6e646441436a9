"""What the virtual edges' witnesses wrote down (asty_edge.rehearsal.witness): truth.jsonl in each edge's folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec


class Appended(NamedTuple):
    """One record of one edge: its number (0: the agent's own), epoch, time (UTC ms), kind, sequence; `sure`: its append returned.

    `s` is None when that is not known, 0 when a full outbox refused the record.
    """

    edge: str
    n: int
    ep: str
    t: int
    k: str
    s: int | None
    sure: bool


def read(folder: Path) -> Iterator[Appended]:
    """Read all truth files below a folder of virtual edges; a numbered record comes once, sure if any of its appends returned."""
    for path in sorted(folder.glob("*/truth.jsonl")):
        yield from _of_edge(path)


def _of_edge(path: Path) -> Iterator[Appended]:
    intended: dict[int, tuple[str, list[int], list[int], list[str]]] = {}
    done: dict[int, list[int]] = {}
    for line in path.read_bytes().splitlines():
        try:
            what, batch, *rest = msgspec.json.decode(line)
        except (msgspec.DecodeError, ValueError):
            continue  # killed while writing
        if what == "i":
            intended[batch] = (rest[0], rest[1], rest[2], rest[3])
        else:
            done[batch] = rest[0]
    edge = path.parent.name
    numbered: dict[int, Appended] = {}
    for batch, (ep, numbers, times, kinds) in intended.items():
        sequences: list[int] | list[None] = done.get(batch) or [None] * len(numbers)
        for n, t, k, s in zip(numbers, times, kinds, sequences, strict=True):
            record = Appended(edge, n, ep, t, k, s, s is not None)
            if n == 0:
                if record.sure:
                    yield record
            elif record.sure or n not in numbered:
                numbered[n] = record
    yield from numbered.values()
