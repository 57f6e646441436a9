"""The twin of every carrier that prints: for a laptop and for tests."""

import logging

from asty_citizen_services.identity.notifier import Message
from asty_citizen_services.notices.carrier import Channel, Parcel

log = logging.getLogger(__name__)


class Console:
    """Writes each message to the log, whole."""

    def send(self, message: Message) -> None:
        log.info("event=message kind=%s to=%s subject=%r text=%r", message.kind, message.address, message.subject, message.text)


class ConsoleCarrier:
    """Writes each parcel to the log, whole, as a carrier of one channel."""

    repeatable = True

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def send(self, parcel: Parcel) -> tuple[str, ...]:
        log.info(
            "event=notice channel=%s id=%s to=%s subject=%r text=%r", self._channel, parcel.reference, parcel.address, parcel.subject,
            parcel.text,
        )  # fmt: skip
        return (f"console-{parcel.reference}",)
