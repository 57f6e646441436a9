"""The desk before the outbox: events wait here for company, up to 200 ms, and as long as the disk takes nothing."""

import logging
from collections.abc import Sequence
from typing import Protocol

from asty_contracts.records import KIND_OF, THINNABLE, Alarm

from asty_edge.event import Event
from asty_edge.outbox import Appended, OutboxStuckError
from asty_edge.ranges import Ranges

TAIL = 5000
"""Events kept in memory while the disk takes nothing: some hours of lifts, a few MB."""

_log = logging.getLogger(__name__)


class Takes(Protocol):
    """The part of the outbox that the desk needs."""

    def append(self, events: Sequence[Event], spare: Ranges | None = None) -> Appended:
        """Store events, or raise OutboxStuckError."""
        ...


class Collector:
    """Gathers events into batches, so that one commit, and one wait for the disk, serves many."""

    def __init__(self, outbox: Takes) -> None:
        self._outbox = outbox
        self._events: list[Event] = []
        self.stuck = ""
        """Why the disk took nothing at the last attempt; empty when it did."""
        self.dropped = 0
        """Events given up since the disk got stuck, because the tail was full."""

    def __len__(self) -> int:
        return len(self._events)

    def add(self, events: Sequence[Event]) -> bool:
        """Take events; True when one of them is an alarm and nothing should wait."""
        self._events += events
        if len(self._events) > TAIL:
            self._shorten()
        return any(isinstance(event.data, Alarm) for event in events)

    def flush(self, spare: Ranges) -> Appended | None:
        """Append what was collected. None when there is nothing, or when the disk takes nothing: then all of it is kept."""
        if not self._events:
            return None
        try:
            appended = self._outbox.append(self._events, spare)
        except OutboxStuckError as error:
            if not self.stuck:
                _log.error("%s; %d records are kept in memory and tried again each second: make room on the disk", error, len(self._events))
            self.stuck = str(error)
            return None
        if self.stuck:
            _log.warning("the disk takes records again: %d kept in memory were stored, %d were given up", len(self._events), self.dropped)
        self._events, self.stuck, self.dropped = [], "", 0
        return appended

    def _shorten(self) -> None:
        """Give up positions first, and only then the oldest of the others."""
        kept = [event for event in self._events if KIND_OF[type(event.data)] not in THINNABLE][-TAIL:]
        self.dropped += len(self._events) - len(kept)
        self._events = kept
