"""The tank and the engine: levels filtered for slosh, ignition and PTO beside them, and fuel that leaves a standing truck."""

from collections import deque
from statistics import median

from asty_contracts.records import Engine, Fuel

from asty_edge.event import Event, Moment
from asty_edge.fusion.alarms import AlarmBook
from asty_edge.reading import Answer, EngineReading, FuelReading

FRESH_MS = 10_000
"""What a bus said longer ago than this is not what it says now."""

KEY_OFF_MS = 30_000
"""An engine control unit that was heard before and then falls silent for this long has no ignition."""

THEFT_PERCENT = 3.0
THEFT_LITRES = 5.0
LEAST_SAMPLES = 5
"""A median of fewer samples does not filter a wave."""

PARKED_SAMPLES = 10
PERSISTS_MS = 10_000
"""A drop has to last: waves go on for a while after the truck has stopped."""


class FuelWatch:
    """Fuel and engine records, and the alarm fuel_theft."""

    def __init__(self, fuel_every_s: float, engine_every_s: float, window_s: float, alarms: AlarmBook) -> None:
        self._fuel_every = int(fuel_every_s * 1000)
        self._engine_every = int(engine_every_s * 1000)
        self._window = int(window_s * 1000)
        self._alarms = alarms
        self._levels: deque[FuelReading] = deque()
        self._engine: EngineReading | None = None
        self._pto: tuple[bool, int] | None = None
        self._lost: set[str] = set()
        self._fuel_at: int | None = None
        self._engine_at: int | None = None
        self._parked: list[float] | None = None
        self._full: tuple[float, float | None] | None = None
        self._low_since: int | None = None

    def note_pto(self, pto: bool, at: int) -> None:
        """Take the power take-off's state from the lift controller."""
        self._pto = (pto, at)

    def note_device(self, name: str, *, lost: bool) -> None:
        """Take note that a device is lost or there: a bus that cannot be heard says nothing about the ignition."""
        (self._lost.add if lost else self._lost.discard)(name)

    def ignition(self, now: int) -> Answer:
        """Tell whether the engine is on: yes with revolutions or a talking bus, no without, unknown when nothing can say."""
        engine = self._engine
        if engine is None or engine.device in self._lost:
            return "unknown"
        if now - engine.at > KEY_OFF_MS:
            return "no"
        if engine.rpm is None:
            return "yes" if now - engine.at <= FRESH_MS else "unknown"
        return "yes" if engine.rpm > 0 else "no"

    def pto(self, now: int) -> Answer:
        """Tell whether the power take-off is engaged."""
        if self._pto is None or now - self._pto[1] > FRESH_MS:
            return "unknown"
        return "yes" if self._pto[0] else "no"

    def feed_engine(self, reading: EngineReading, when: Moment) -> list[Event]:
        """Take an engine reading; returns a record when one is due."""
        self._engine = reading
        if self._engine_at is not None and reading.at - self._engine_at < self._engine_every:
            return []
        self._engine_at = reading.at
        return [Event(when, Engine(reading.rpm, reading.v, reading.dist, reading.hours))]

    def feed_fuel(self, reading: FuelReading, when: Moment) -> list[Event]:
        """Take a fuel reading; returns a record when one is due, and the alarm when fuel is being taken."""
        self._levels.append(reading)
        while self._levels[0].at < reading.at - self._window:
            self._levels.popleft()
        events = self._watch(reading, when)
        if self._fuel_at is not None and reading.at - self._fuel_at < self._fuel_every:
            return events
        self._fuel_at = reading.at
        fuel = Fuel(
            level=_middle([one.level for one in self._levels]),
            litres=_middle([one.litres for one in self._levels]),
            rate=reading.rate,
            total=reading.total,
            ignition=self.ignition(reading.at),
            pto=self.pto(reading.at),
            src=reading.src,
        )
        return [*events, Event(when, fuel)]

    def _watch(self, reading: FuelReading, when: Moment) -> list[Event]:
        """Compare the level before the engine stopped with the one since. PTO `unknown` is no excuse: without engine it turns nothing."""
        ignition, pto = self.ignition(reading.at), self.pto(reading.at)
        if ignition != "no" or pto == "yes":
            self._parked = self._full = self._low_since = None
            if ignition == "yes":
                return self._alarms.set("fuel_theft", False, when, info="engine on")
            return []
        if self._full is None:
            before = [one.level for one in self._levels if one.level is not None]
            if len(before) < LEAST_SAMPLES:
                return []
            self._full = (median(before), _litres_per_percent(self._levels))
            self._parked = []
        if reading.level is None or self._parked is None:
            return []
        self._parked = [*self._parked, reading.level][-PARKED_SAMPLES:]
        if len(self._parked) < PARKED_SAMPLES:
            return []
        return self._compare(median(self._parked), when)

    def _compare(self, level: float, when: Moment) -> list[Event]:
        assert self._full is not None
        full, per_percent = self._full
        self._full = (max(full, level), per_percent)
        drop = full - level
        litres = drop * per_percent if per_percent is not None else None
        if drop <= THEFT_PERCENT or (litres is not None and litres <= THEFT_LITRES):
            self._low_since = None
            return []
        self._low_since = when.mono if self._low_since is None else self._low_since
        if when.mono - self._low_since < PERSISTS_MS:
            return []
        amount = f"{drop:.1f} %" if litres is None else f"{drop:.1f} %, {litres:.0f} l"
        return self._alarms.set("fuel_theft", True, when, severity="critical", info=f"{amount} left the tank with the engine off")


def _middle(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 2) if known else None


def _litres_per_percent(levels: deque[FuelReading]) -> float | None:
    ratios = [one.litres / one.level for one in levels if one.litres is not None and one.level]
    return median(ratios) if ratios else None
