"""The port through which a person is reached: an adapter each for SMS and e-mail, and a twin that prints."""

from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["phone", "email"]


class NotSentError(Exception):
    """The message was not taken by the carrier; it can be tried again."""


@dataclass(frozen=True, slots=True)
class Message:
    """`address` is a phone number in E.164 or an e-mail address; `subject` is for e-mail."""

    kind: Kind
    address: str
    subject: str
    text: str


class Notifier(Protocol):
    """Hands messages to a carrier."""

    def send(self, message: Message) -> None:
        """Return when the carrier has it. Raises NotSentError."""
