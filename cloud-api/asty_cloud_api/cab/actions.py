"""What a tablet may say, one struct per kind. Read and checked here, acted upon in journal.py."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from asty_contracts.stream import PlanTrigger
from msgspec import Meta, Struct

MOST_AT_ONCE = 200
Text = Annotated[str, Meta(max_length=500)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Kg = Annotated[float, Meta(ge=0, le=60_000)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Moment = Annotated[datetime, Meta(tz=True)]
Reason = Literal["not_out", "contaminated", "overloaded", "no_access", "damaged", "unsafe", "truck_full", "other"]


class BadActionError(Exception):
    """An action that can't be taken, now or later: says why."""


class _Action(Struct, frozen=True, tag_field="kind", kw_only=True):
    """`key` makes saying it twice harmless; `at` is when the driver tapped; `day` the day of the route; `driver` who tapped."""

    key: uuid.UUID
    at: Moment
    day: date
    edge: Name
    driver: uuid.UUID
    duty: uuid.UUID | None = None


class Check(Struct, frozen=True):
    """One line of the vehicle check."""

    item: Name
    ok: bool
    note: Text = ""


class Begin(_Action, frozen=True, kw_only=True, tag="begin"):
    """The duty begins: the vehicle check is done. The duty's id is the action's key."""

    checks: Annotated[list[Check], Meta(max_length=40)]


class End(_Action, frozen=True, kw_only=True, tag="end"):
    """The duty ends."""


class Outcome(_Action, frozen=True, kw_only=True, tag="outcome"):
    """What became of a bin; `version` is the route version on which the driver saw it."""

    stop: Name
    outcome: Literal["lifted", "missed"]
    reason: Reason | None = None
    version: int | None = None
    kg: Kg | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    note: Text | None = None


class Unload(_Action, frozen=True, kw_only=True, tag="unload"):
    """The truck was weighed and emptied at the transfer station: `kg` as the weighbridge said, None when it said nothing."""

    stop: Name
    n: int | None = None
    version: int | None = None
    kg: Kg | None = None


class BreakStart(_Action, frozen=True, kw_only=True, tag="break_start"):
    """The driver's break begins; `n` and `version` name the break of the route that it is."""

    n: int | None = None
    version: int | None = None


class BreakEnd(_Action, frozen=True, kw_only=True, tag="break_end"):
    """The driver's break ends."""


class TruckFull(_Action, frozen=True, kw_only=True, tag="truck_full"):
    """Nothing more goes in."""

    kg: Kg | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None


class Breakdown(_Action, frozen=True, kw_only=True, tag="breakdown"):
    """The truck can't go on; `fault` is one of the screen's words."""

    fault: Literal["engine", "lift", "tyre", "accident", "other"] = "other"
    lat: Latitude | None = None
    lon: Longitude | None = None


class Say(_Action, frozen=True, kw_only=True, tag="message"):
    """A line to the dispatcher."""

    text: Annotated[str, Meta(min_length=1, max_length=500)]


class ReadMessage(_Action, frozen=True, kw_only=True, tag="message_read"):
    """The dispatcher's line was on the screen."""

    message: uuid.UUID


class RouteState(_Action, frozen=True, kw_only=True, tag="route"):
    """A version of the route is on the tablet, was shown, or was accepted."""

    version: int
    state: Literal["delivered", "seen", "accepted"]


Action = Begin | End | Outcome | Unload | BreakStart | BreakEnd | TruckFull | Breakdown | Say | ReadMessage | RouteState


_ACTIONS: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)


class Sending(Struct, frozen=True):
    """What a tablet sends: its oldest actions, in the order of the taps."""

    actions: Annotated[list[msgspec.Raw], Meta(max_length=MOST_AT_ONCE)]


class Answer(Struct, frozen=True, omit_defaults=True):
    """`stored`: it is kept now; `known`: it was kept before; `refused`: it never will be, and why."""

    key: str
    state: Literal["stored", "known", "refused"]
    why: str = ""


class _Keyed(Struct, frozen=True):
    key: str


def key_of(raw: msgspec.Raw) -> str:
    """Return the key of an action that may be malformed otherwise. Raises BadActionError."""
    try:
        return msgspec.json.decode(raw, type=_Keyed).key
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadActionError("an action has a key") from error


def read(raw: msgspec.Raw) -> Action:
    """Read one action. Raises BadActionError."""
    try:
        action = _ACTIONS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadActionError(str(error)) from error
    if isinstance(action, Outcome) and (action.reason is None) != (action.outcome == "lifted"):
        raise BadActionError("a missed stop has a reason, a lifted one has none")
    return action


def trigger(action: Action) -> PlanTrigger | None:
    """Return what the planner is to know of an action; its id is the action's key, so that it is answered once."""
    at, seen = int(action.at.timestamp() * 1000), {"edge": action.edge}
    match action:
        case Outcome(outcome="missed", reason="truck_full") | TruckFull():
            detail = seen | ({"kg": action.kg} if action.kg is not None else {})
            return PlanTrigger(action.key, at, "truck_full", action.edge, "driver", detail)
        case Outcome(outcome="missed"):
            return PlanTrigger(action.key, at, "skip", action.stop, "driver", seen | {"reason": action.reason, "version": action.version})
        case Breakdown():
            place = {"lat": action.lat, "lon": action.lon} if action.lat is not None else {}
            return PlanTrigger(action.key, at, "breakdown", action.edge, "driver", seen | {"fault": action.fault} | place)
    return None
