"""What the rooms hand to each other: a moment, an event that happened at one, and the record that it becomes."""

from dataclasses import dataclass
from typing import Literal

from asty_contracts.records import RecordData

DeviceState = Literal["up", "connecting", "lost", "silent", "misconfigured"]
"""How a device's connection is; `silent` stands, and says nothing although it should."""


@dataclass(frozen=True, slots=True)
class Moment:
    """`mono` monotonic ms, `utc` ms, and where the UTC came from: gnss, ntp, rtc or none."""

    mono: int
    utc: int
    tq: str


@dataclass(frozen=True, slots=True)
class Event:
    """A record before it has a sequence number: when, and what."""

    when: Moment
    data: RecordData


@dataclass(frozen=True, slots=True)
class Held:
    """A record with its sequence number `s`, as it waits in the outbox; `t` UTC ms, `k` its kind, `d` the JSON of its data."""

    s: int
    t: int
    mono: int
    tq: str
    k: str
    d: bytes
