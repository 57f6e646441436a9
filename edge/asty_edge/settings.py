"""What the supervisor tells the process by its environment, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Supervision:
    """systemd's side: `address` of its socket (None: nobody supervises), and whether it waits for a sign of life."""

    address: str | None
    is_watched: bool


def read_supervision(environment: Mapping[str, str] | None = None, pid: int | None = None) -> Supervision:
    """Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID as sd_notify(3) and sd_watchdog_enabled(3) have them."""
    environment = os.environ if environment is None else environment  # noqa: TID251
    address = environment.get("NOTIFY_SOCKET") or None
    for_us = environment.get("WATCHDOG_PID") in (None, "", str(pid or os.getpid()))
    return Supervision(address, address is not None and for_us and environment.get("WATCHDOG_USEC", "0") not in ("", "0"))
