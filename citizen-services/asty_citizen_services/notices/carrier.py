"""The port through which notices leave: an adapter for each carrier, and a twin that prints."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

type Channel = Literal["sms", "email", "push"]
CHANNELS: tuple[Channel, ...] = ("sms", "email", "push")


class RefusedByCarrierError(Exception):
    """The carrier will never take this message: the number or address is wrong, or gone. Not tried again."""


class UnclearError(Exception):
    """The connection broke when the carrier may have had the message: sending again could tell the same thing twice."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message for one address. `reference` is the delivery's id: the same one twice is one message, where the carrier can tell.

    `address` is a phone number in E.164, an e-mail address, or a push subscription as JSON; `link` leads to the notice's page.
    """

    reference: str
    address: str
    subject: str
    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message (or of a part of a long one), by the carrier's own id for it."""

    carrier_id: str
    state: Literal["delivered", "failed"]
    at: datetime
    why: str = ""


class Carrier(Protocol):
    """Takes messages of one channel. `repeatable`: the carrier knows a reference again, so that an unclear message can be sent again."""

    repeatable: bool

    def send(self, parcel: Parcel) -> tuple[str, ...]:
        """Hand a message over; return the carrier's ids, one for each part, none where it gives none.

        Raises identity.notifier.NotSentError (try again), RefusedByCarrierError (never), UnclearError (perhaps it has it).
        """
