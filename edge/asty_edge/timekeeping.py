"""UTC for the agent's monotonic time, and where it came from. Pure: it reads no clock.

The best source wins: a satellite fix with a date, then the system clock while it is synchronised, then the system clock as
it is (`rtc`), then nothing believable (`none`). GNSS time is taken as it is, however fast it runs, and anchored anew at
each fix; between fixes and after the last one it runs on with the monotonic clock (holdover). What was told once is never
told differently: each reading gets its moment when it arrives, and a later, better anchor leaves that moment alone.
"""

from dataclasses import dataclass

from asty_edge.event import Moment
from asty_edge.reading import Fix

HOLDOVER_MS = 15 * 60_000
"""A crystal of 50 ppm drifts 45 ms in this time; later the anchor is no better than the system clock."""

BUILT_UTC = 1_764_547_200_000
"""2025-12-01: no real record is older than the software; a system clock before it has forgotten the date."""


@dataclass(frozen=True, slots=True)
class SystemTime:
    """The system clock at one moment: monotonic ms, UTC ms, and whether the kernel knows it to be synchronised."""

    mono: int
    utc: int
    synchronised: bool


class Timekeeper:
    """Tells UTC ms and its quality for monotonic ms."""

    def __init__(self, system: SystemTime) -> None:
        self._system = system
        self._gnss: SystemTime | None = None

    def read_system(self, system: SystemTime) -> None:
        """Take a newer look at the system clock."""
        self._system = system

    def read_fix(self, fix: Fix) -> None:
        """Anchor at a fix; a fix that is not valid or has no date changes nothing."""
        if fix.valid and fix.utc is not None:
            self._gnss = SystemTime(fix.at, fix.utc, synchronised=True)

    @property
    def knows_gnss(self) -> bool:
        """Whether a fix with a date was ever seen."""
        return self._gnss is not None

    def moment(self, mono: int) -> Moment:
        """Return the moment of a monotonic time."""
        anchor, quality = self._anchor(mono)
        return Moment(mono, anchor.utc + (mono - anchor.mono), quality)

    def _anchor(self, mono: int) -> tuple[SystemTime, str]:
        gnss, system = self._gnss, self._system
        if gnss is not None and mono - gnss.mono <= HOLDOVER_MS:
            return gnss, "gnss"
        if system.synchronised:
            return system, "ntp"
        if gnss is not None:
            return gnss, "rtc"
        return system, "rtc" if system.utc >= BUILT_UTC else "none"
