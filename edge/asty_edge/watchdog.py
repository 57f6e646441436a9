"""The sign of life for systemd: it goes out only while the agent's loops turn, so that a hung agent is started again."""

import logging
import socket

from asty_edge.settings import Supervision

STUCK_MS = 30_000
"""Work that waits longer for its loop says that the loop hangs; a disk that takes nothing is answered within a second."""

_log = logging.getLogger(__name__)


class Turning:
    """Which loops have work waiting, and since when. Times are monotonic ms."""

    def __init__(self) -> None:
        self._waiting: dict[str, int] = {}

    def waits(self, loop: str, now: int) -> None:
        """Note that there is work for a loop, unless it has some already."""
        self._waiting.setdefault(loop, now)

    def turned(self, loop: str) -> None:
        """Note that a loop has looked at its work, whatever came of it."""
        self._waiting.pop(loop, None)

    def hanging(self, now: int) -> list[str]:
        """Return the loops that have left their work for longer than 30 s."""
        return sorted(loop for loop, since in self._waiting.items() if now - since > STUCK_MS)


class Watchdog:
    """Tells systemd: ready, alive, stopping. Without systemd it says nothing. Never raises: a lost notice is systemd's to judge."""

    def __init__(self, supervision: Supervision) -> None:
        self._supervision = supervision
        self._said = ""

    def ready(self, what: str) -> None:
        """The agent runs; `what` is shown by `systemctl status`."""
        self._tell(f"READY=1\nSTATUS={what}")

    def alive(self, hanging: list[str]) -> None:
        """Give the sign of life, unless a loop hangs: then its absence makes systemd end and start the agent."""
        said = f"hangs: {', '.join(hanging)}" if hanging else ""
        if said and said != self._said:
            _log.error("the agent %s; no sign of life is given, so that systemd starts it again; what is stored is kept", said)
        self._said = said
        if self._supervision.is_watched and not hanging:
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The agent ends on purpose."""
        self._tell("STOPPING=1")

    def _tell(self, message: str) -> None:
        if self._supervision.address is None:
            return
        address = self._supervision.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as out:
                out.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError as error:
            _log.warning("systemd was not told %s: %s", message.partition("\n")[0], error)
