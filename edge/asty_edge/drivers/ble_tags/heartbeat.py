"""Is the scanner scanning? BlueZ can stall silently, and then nothing heard means nothing. Pure."""

from dataclasses import dataclass, field
from typing import Literal

PROOF_BEATS = 2
"""Beats for which an advertisement, or a start of discovery that worked, proves that the scanner is alive."""
BELIEVED_RESTARTS = 1

Beat = Literal["alive", "doubtful", "restart"]


@dataclass(slots=True)
class Heartbeat:
    """Decides at each beat, `every_ms` apart from `started` on, what to say and do.

    After two silent beats discovery is to be restarted. One restart that works is believed; when nothing at all is heard after it either,
    restarts go on, but the scanner is not called alive before it hears something: a stalled scanner must not look like an empty street.
    """

    every_ms: int
    started: int
    next: int = field(init=False)
    _since: int = field(init=False)
    _restarts: int = 0

    def __post_init__(self) -> None:
        self.next = self._since = self.started

    def heard(self, at: int) -> None:
        """Any advertisement arrived, of whomever."""
        self._since, self._restarts = at, 0

    def restarted(self, at: int) -> Beat:
        """Discovery was restarted without an error."""
        self._since = at
        self._restarts += 1
        return self._judge()

    def beat(self, now: int) -> Beat:
        """Say what this beat is."""
        self.next = now + self.every_ms
        return "restart" if now - self._since >= PROOF_BEATS * self.every_ms else self._judge()

    def _judge(self) -> Beat:
        return "alive" if self._restarts <= BELIEVED_RESTARTS else "doubtful"
