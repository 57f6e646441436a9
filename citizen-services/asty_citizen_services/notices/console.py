"""The notifier that prints: for a laptop and for tests."""

import logging

from asty_citizen_services.identity.notifier import Message

log = logging.getLogger(__name__)


class Console:
    """Writes each message to the log, whole."""

    def send(self, message: Message) -> None:
        log.info("event=message kind=%s to=%s subject=%r text=%r", message.kind, message.address, message.subject, message.text)
