"""What the rules are given: a newly stored record with where it came from."""

from typing import NamedTuple
from uuid import UUID


class Happened[D](NamedTuple):
    """One newly stored record. `credible` is false when its time is marked; `backlog` when it came over the backlog lane."""

    org: str
    edge: str
    ep: UUID
    epoch: int
    s: int
    t: int
    credible: bool
    backlog: bool
    d: D

    @property
    def order(self) -> tuple[int, int, int]:
        """What comes later in event time is higher; the same instant is ordered by epoch and sequence."""
        return (self.t, self.epoch, self.s)
