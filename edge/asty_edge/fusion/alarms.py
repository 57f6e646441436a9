"""Alarms begin and end once, however often their cause is seen."""

from typing import Literal

from asty_contracts.records import Alarm

from asty_edge.event import Event, Moment

Severity = Literal["info", "warning", "critical"]


class AlarmBook:
    """Which alarms stand, by code and device."""

    def __init__(self) -> None:
        self._standing: set[tuple[str, str | None]] = set()

    def is_on(self, code: str, device: str | None = None) -> bool:
        """Tell whether an alarm stands."""
        return (code, device) in self._standing

    def set(
        self, code: str, on: bool, when: Moment, *, device: str | None = None, severity: Severity = "warning", info: str = ""
    ) -> list[Event]:
        """Note that an alarm's cause is there or not; returns the alarm when that is news."""
        key = (code, device)
        if on == (key in self._standing):
            return []
        self._standing ^= {key}
        return [Event(when, Alarm(code=code, on=on, device=device, severity=severity, info=info))]
