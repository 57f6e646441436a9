"""What an edge says of itself: birth, retained state; and what it is told: acknowledgement, command."""

from typing import Literal
from uuid import UUID

from msgspec import Struct


class PointInfo(Struct, frozen=True, omit_defaults=True):
    """A point of a device: what it measures and in which unit."""

    key: str
    unit: str | None = None
    about: str = ""


class DeviceInfo(Struct, frozen=True, omit_defaults=True):
    name: str
    driver: str
    points: tuple[PointInfo, ...] = ()


class Birth(Struct, frozen=True, omit_defaults=True):
    """up/birth, at each connect and on request."""

    edge: str  # must be the topic's edge
    kind: str  # truck, gateway
    software: str
    config: str  # hash of the configuration
    session: UUID
    ep: UUID
    at: int  # UTC ms
    v: int = 1
    devices: tuple[DeviceInfo, ...] = ()


class State(Struct, frozen=True, omit_defaults=True):
    """up/state, retained; `up` false is the Will. A state of an older session than the one known is ignored."""

    up: bool
    session: UUID
    n: int  # grows with every session of this edge: a late Will of session n does not bury session n + 1
    at: int
    ep: UUID | None = None
    head: int | None = None  # highest sequence produced, so that completeness knows what has not yet arrived
    v: int = 1


class Ack(Struct, frozen=True, omit_defaults=True):
    """dn/ack, retained: every record up to `upto` is stored, or accounted for by a gap; the edge may delete them.

    `miss` are the inclusive ranges above `upto` that the store lacks although it has later ones: they are sent again at once.
    `alone` were refused in the company of others: each is sent again in a pack of its own, so that one does not stop the others.
    `refused` were refused alone: the edge sets them aside, keeps them, and accounts for them in a gap.
    """

    ep: UUID
    upto: int
    miss: tuple[tuple[int, int], ...] = ()
    alone: tuple[tuple[int, int], ...] = ()
    refused: tuple[tuple[int, int], ...] = ()


class Command(Struct, frozen=True, omit_defaults=True):
    """dn/cmd."""

    id: str
    cmd: Literal["rebirth", "flush"]
