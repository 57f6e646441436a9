"""Is a vest worn: yes, no, or unknown. A scanner that is silent makes every answer unknown, never no."""

from dataclasses import dataclass

from asty_contracts.records import Answer, Ppe

from asty_edge.event import Event, Moment
from asty_edge.reading import BeaconHeard, ScannerAlive

STILL_MS = 300_000
"""A vest that has not moved for 5 min hangs on a hook."""

HEARTBEATS = 3
"""Missed heartbeats after which a scanner is silent."""

LEAST_SILENCE_MS = 15_000


@dataclass(slots=True)
class _Vest:
    heard: Moment | None = None
    still_since: int | None = None
    battery: float | None = None
    said: Answer | None = None
    said_at: int = 0


class Vests:
    """Folds what scanners hear into one answer for each vest."""

    def __init__(self, vests: tuple[str, ...], every_s: float, absent_s: float, heartbeat_s: float) -> None:
        self._vests = {vest: _Vest() for vest in vests}
        self._every_ms = int(every_s * 1000)
        self._absent_ms = int(absent_s * 1000)
        self._silence_ms = max(int(HEARTBEATS * heartbeat_s * 1000), LEAST_SILENCE_MS)
        self._alive_at: int | None = None
        self._alive_since: int | None = None

    def feed(self, reading: BeaconHeard | ScannerAlive, when: Moment) -> list[Event]:
        """Take what a scanner says; returns answers that changed."""
        if self._alive_at is None or reading.at - self._alive_at > self._silence_ms:
            self._alive_since = reading.at
        self._alive_at = reading.at
        if isinstance(reading, ScannerAlive) or reading.authentic is False:
            return []
        vest = self._vests.setdefault(reading.vest, _Vest())
        vest.heard = when
        vest.battery = reading.battery if reading.battery is not None else vest.battery
        if reading.moving is False:
            vest.still_since = reading.at if vest.still_since is None else vest.still_since
        elif reading.moving:
            vest.still_since = None
        return self._say(reading.vest, vest, when)

    def tick(self, when: Moment) -> list[Event]:
        """Return answers that changed by time alone, or that are due again."""
        return [event for name, vest in self._vests.items() for event in self._say(name, vest, when)]

    def _say(self, name: str, vest: _Vest, when: Moment) -> list[Event]:
        answer = self._answer(vest, when.mono)
        if answer == vest.said and when.mono - vest.said_at < self._every_ms:
            return []
        vest.said, vest.said_at = answer, when.mono
        return [Event(when, Ppe(name, answer, vest.battery, vest.heard.utc if vest.heard else None))]

    def _answer(self, vest: _Vest, now: int) -> Answer:
        if self._alive_at is None or self._alive_since is None or now - self._alive_at > self._silence_ms:
            return "unknown"
        if vest.heard is not None and now - vest.heard.mono <= self._absent_ms:
            return "no" if vest.still_since is not None and now - vest.still_since > STILL_MS else "yes"
        # Absence counts only while somebody listened: from the moment at which the scanner came (back) to life.
        listened_since = max(self._alive_since, vest.heard.mono if vest.heard else self._alive_since)
        return "no" if now - listened_since > self._absent_ms else "unknown"
