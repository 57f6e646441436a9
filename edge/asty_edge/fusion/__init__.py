"""Readings become events: lifts with their evidence, thinned positions, filtered fuel, worn vests, alarms.

Pure: no clock, no I/O. Each reading comes with its moment, and `tick` tells how far time went on without one.
"""

from asty_contracts.records import Level

from asty_edge.config import FusionSettings
from asty_edge.event import DeviceState, Event, Moment
from asty_edge.fusion.alarms import AlarmBook
from asty_edge.fusion.fuel import FuelWatch
from asty_edge.fusion.lifts import Lifts
from asty_edge.fusion.positions import Positions
from asty_edge.fusion.tags import Tags
from asty_edge.fusion.vests import Vests
from asty_edge.fusion.weighings import Weighings
from asty_edge.reading import (
    BeaconHeard,
    EngineReading,
    Fix,
    FuelReading,
    LevelReading,
    LiftReading,
    Reading,
    ScannerAlive,
    TagRead,
    Weighing,
)


class Fusion:
    """All that one edge makes of its readings."""

    def __init__(self, settings: FusionSettings, vests: tuple[str, ...] = (), scanner_heartbeat_s: float = 5.0) -> None:
        self.alarms = AlarmBook()
        self._tags = Tags()
        self._positions = Positions(settings.position_every_s)
        self._lifts = Lifts(self._tags, self._positions, settings.cycle_timeout_s)
        self._weighings = Weighings(settings.stable_s, self.alarms)
        self._fuel = FuelWatch(settings.fuel_every_s, settings.engine_every_s, settings.fuel_window_s, self.alarms)
        self._vests = Vests(vests, settings.ppe_every_s, settings.vest_absent_s, scanner_heartbeat_s)
        self._gnss_lost_ms = int(settings.gnss_lost_s * 1000)
        self._gnss_at: int | None = None
        self._lift: str | None = None

    def feed(self, reading: Reading, when: Moment) -> list[Event]:
        """Take one reading at its moment; returns what it completes."""
        match reading:
            case TagRead():
                self._tags.feed(reading, when)
                return []
            case Weighing():
                return self._weigh(reading, when)
            case Fix():
                return self._fix(reading, when)
            case LiftReading():
                return self._poll(reading, when)
            case FuelReading():
                return self._fuel.feed_fuel(reading, when)
            case EngineReading():
                return self._fuel.feed_engine(reading, when)
            case BeaconHeard() | ScannerAlive():
                return self._vests.feed(reading, when)
            case LevelReading():
                return [Event(when, _level(reading))]

    def tick(self, when: Moment) -> list[Event]:
        """Say what follows from time alone: bins that were only seen, vests that fell silent, a lost fix, a stuck lift."""
        events = self._tags.passed(when.mono, self._lifts.cycle_started, self._positions)
        events += self._vests.tick(when)
        if self._gnss_at is not None and when.mono - self._gnss_at > self._gnss_lost_ms:
            events += self.alarms.set("gnss_lost", True, when, info=f"no fix for {self._gnss_lost_ms // 1000} s")
        if self._lifts.is_stuck(when.mono):
            events += self.alarms.set("lift_fault", True, when, device=self._lift, info="the cycle does not end")
        return events

    def device(self, name: str, state: DeviceState, why: str, when: Moment) -> list[Event]:
        """Take the state of a device's connection; returns the alarms that begin or end with it."""
        self._fuel.note_device(name, lost=state != "up")
        if state == "connecting":
            return []
        events = []
        for code, bad in (("device_lost", "lost"), ("device_silent", "silent"), ("device_misconfigured", "misconfigured")):
            events += self.alarms.set(code, state == bad, when, device=name, info=why)
        return events

    def _weigh(self, weighing: Weighing, when: Moment) -> list[Event]:
        stable = self._weighings.is_stable(weighing)
        events = self._weighings.overload(weighing, when)
        if not self._lifts.weigh(weighing, stable):
            events += self._weighings.outside(weighing, stable, when)
        return events

    def _fix(self, fix: Fix, when: Moment) -> list[Event]:
        if self._gnss_at is None or fix.valid:
            self._gnss_at = fix.at
        events = self.alarms.set("gnss_lost", False, when, info="fix again") if fix.valid else []
        return events + self._positions.feed(fix, when)

    def _poll(self, reading: LiftReading, when: Moment) -> list[Event]:
        self._lift = reading.device
        self._fuel.note_pto(reading.pto, reading.at)
        events = self._lifts.feed(reading, when)
        fault = reading.state == "fault" or reading.fault != 0
        if fault or not self._lifts.is_stuck(reading.at):
            info = f"fault bits {reading.fault:04X}" if fault else ""
            events += self.alarms.set("lift_fault", fault, when, device=reading.device, info=info)
        return events


def _level(it: LevelReading) -> Level:
    return Level(it.bin, it.sensor, it.level, it.dist, it.full_at, it.battery, it.tilt, it.rssi, it.count)
