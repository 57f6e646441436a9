"""Notices a worker that takes nothing although messages wait (Faust has open reports of that). Pure: the time is an argument."""

from asty_stream.kafka import Progress


class Watchdog:
    """Observes progress; `stalled` after `patience` seconds without any, while messages wait and no known trouble explains it."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._last: dict[tuple[str, int], int] | None = None
        self._moved_at: float | None = None

    def observe(self, at: float, progress: Progress, *, excused: bool) -> bool:
        """Take one observation at `at` (monotonic s); true when the worker is stalled. `excused`: the database is known to be away."""
        moved = progress.committed != self._last
        self._last = progress.committed
        if moved or excused or progress.waiting == 0 or self._moved_at is None:
            self._moved_at = at
        return at - self._moved_at >= self._patience
