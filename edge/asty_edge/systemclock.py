"""The system clock and what the kernel thinks of it (Linux adjtimex)."""

import ctypes
import time

from asty_edge.clock import mono_ms
from asty_edge.timekeeping import SystemTime

_TIME_ERROR = 5
_TIMEX_BYTES = 512
"""Larger than `struct timex` (208 bytes on 64-bit Linux); an all-zero one asks and changes nothing."""


def read() -> SystemTime:
    """Look at the system clock."""
    return SystemTime(mono_ms(), time.time_ns() // 1_000_000, _is_synchronised())


def _is_synchronised() -> bool:
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR
