"""The monotonic clock of all readings. UTC is the business of `timekeeping`."""

import time


def mono_ms() -> int:
    """Return monotonic milliseconds since the machine started."""
    return time.monotonic_ns() // 1_000_000
