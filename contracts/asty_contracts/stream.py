"""What travels in Kafka as JSON."""

from datetime import date
from typing import Any, Literal
from uuid import UUID, uuid5

from msgspec import Raw, Struct

from asty_contracts.envelope import Pack, Reason


class Delivered(Struct, frozen=True):
    """A verified pack, with who sent it and when ingest received it (UTC ms).

    In telemetry.v1 and telemetry-backlog.v1 it is part of a group (`groups.py`). A reader also takes an array of these, or a single one.
    """

    org: str
    edge: str
    rx: int
    pack: Pack


class DeliveredRaw(Struct, frozen=True):
    """`Delivered` with the pack's own JSON bytes, untouched."""

    org: str
    edge: str
    rx: int
    pack: Raw


class EdgeLife(Struct, frozen=True):
    """edge-life.v1: a birth or a state, as sent."""

    org: str
    edge: str
    rx: int
    what: Literal["birth", "state"]
    body: Raw


class Refused(Struct, frozen=True, omit_defaults=True):
    """refused.v1: what ingest did not take; `payload` is base64 of at most its first 4096 bytes, `size` its true size.

    `ep` and `claims` are the epoch and the inclusive ranges of sequences of a refused pack, as far as they could be read.
    """

    topic: str
    edge: str | None
    rx: int
    reason: Reason
    detail: str
    size: int
    payload: bytes
    ep: UUID | None = None
    claims: tuple[tuple[int, int], ...] = ()


class Alert(Struct, frozen=True, omit_defaults=True):
    """alerts.v1: an alarm as the rules judged it; `live` is false for an alarm that arrived late and is filed as history."""

    org: str
    edge: str
    t: int
    code: str
    on: bool
    severity: str
    live: bool
    device: str | None = None
    info: str = ""


class BinLifted(Struct, frozen=True, omit_defaults=True, tag_field="ev", tag="bin_lifted"):
    """town-events.v1: a bin was lifted. `ev` names the kind of event, as it will for each kind to come."""

    org: str
    edge: str
    ep: UUID
    s: int
    t: int
    tag: str | None
    net: float | None
    lat: float | None
    lon: float | None


TriggerKind = Literal["overflow", "truck_full", "breakdown", "street_closed", "skip", "must_visit"]
TriggerSource = Literal["sensor", "forecast", "citizen", "driver", "dispatcher"]


class PlanTrigger(Struct, frozen=True, omit_defaults=True):
    """plan-triggers.v1: something that should make the planner look again. The same `id` is answered once, however often it comes.

    `t` is when it happened (UTC ms). `subject` is the id or tag of a bin (overflow, skip, must_visit), an edge (truck_full, breakdown)
    or the id of a closure (street_closed); `detail` holds what else is known, such as the edge and reason of a skip.
    """

    id: UUID
    t: int
    kind: TriggerKind
    subject: str
    said_by: TriggerSource
    detail: dict[str, Any] = {}


_OVERFLOWS = UUID("9c1f6f0e-6f0c-5b0a-8f6e-3b7f3a1d2c40")


def overflow_id(tag: str, day: date) -> UUID:
    """Name the trigger that sensor and forecast raise for a bin (its tag, or its id where it has none): one per bin and service day."""
    return uuid5(_OVERFLOWS, f"{tag} {day.isoformat()}")
