"""A configured device in its loop: connect, read, and connect again after a back-off, whatever the uplink does."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from asty_contracts.records import DeviceHealth

from asty_edge.clock import mono_ms
from asty_edge.device import Device, DeviceLostError, DeviceMisconfiguredError, DeviceSettings, PointDescription
from asty_edge.event import DeviceState
from asty_edge.reading import Reading

FIRST_RETRY_S = 0.5
LAST_RETRY_S = 30.0
MISCONFIGURED_RETRY_S = 60.0
"""Connecting again will not help, but an operator may have mended it meanwhile."""

SETTLED_MS = 5000
"""A connection that has not failed for so long stands, even if the device says nothing: an RFID reader without a bin."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A device ready to run. `silent_after_s` is for devices that talk all the time; None for those that speak when something happens."""

    settings: DeviceSettings
    device: Device
    points: tuple[PointDescription, ...] = ()
    silent_after_s: float | None = None


class DeviceLoop:
    """Runs one device and knows how it is."""

    def __init__(self, fitted: Fitted, take: Callable[[Reading], None], lost_after_s: float) -> None:
        self.fitted = fitted
        self.why = ""
        self._take = take
        self._lost_after_ms = int(lost_after_s * 1000)
        self._failing_since: int | None = None
        self._misconfigured = False
        self._tried_at: int | None = None
        self._frames = 0
        self._spoke_at: int | None = None
        self._retry_s = FIRST_RETRY_S

    async def run(self) -> None:
        """Read until cancelled. A device's failure, even a driver's own fault, never leaves this loop."""
        while True:
            self._tried_at = mono_ms()
            try:
                async with aclosing(self.fitted.device.readings()) as readings:  # type: ignore[type-var]
                    async for reading in readings:
                        self._heard()
                        self._take(reading)
                self._failed("the device ended the connection", misconfigured=False)
            except DeviceLostError as error:
                self._failed(str(error), misconfigured=False)
            except DeviceMisconfiguredError as error:
                self._failed(str(error), misconfigured=True)
            except Exception as error:
                _log.exception("driver %s of device %s failed; the device is connected again", self.fitted.settings.driver, self.name)
                self._failed(f"driver fault: {error!r}", misconfigured=False)
            await asyncio.sleep(MISCONFIGURED_RETRY_S if self._misconfigured else self._retry_s)
            self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)

    @property
    def name(self) -> str:
        """The device's name in the configuration."""
        return self.fitted.settings.name

    def state(self, now: int) -> DeviceState:
        """Judge how the device is at a monotonic time."""
        self._count(now)
        settled = self._tried_at is not None and now - self._tried_at > SETTLED_MS
        if settled:
            self._failing_since, self._misconfigured = None, False
        if self._misconfigured:
            return "misconfigured"
        if self._failing_since is not None:
            return "lost" if now - self._failing_since > self._lost_after_ms else "connecting"
        if self._spoke_at is None and not settled:
            return "connecting"
        last_sign = max(self._spoke_at or 0, self._tried_at or 0)
        limit_s = self.fitted.silent_after_s
        return "silent" if limit_s is not None and now - last_sign > limit_s * 1000 else "up"

    def health(self, now: int, utc: Callable[[int], int]) -> DeviceHealth:
        """Report the device's state and counts; `utc` turns monotonic ms into UTC ms."""
        counters = self.fitted.device.counters
        state = self.state(now)
        heard = utc(self._spoke_at) if self._spoke_at is not None else None
        return DeviceHealth(state, counters.frames, counters.bad, heard, "" if state == "up" else self.why)

    def _heard(self) -> None:
        self._misconfigured = False
        self._failing_since = None
        self._retry_s = FIRST_RETRY_S
        self.why = ""
        self._spoke_at = mono_ms()
        self._frames = self.fitted.device.counters.frames

    def _count(self, now: int) -> None:
        """Frames that yield no reading are signs of life too."""
        if (frames := self.fitted.device.counters.frames) != self._frames:
            self._frames = frames
            self._spoke_at = now

    def _failed(self, why: str, *, misconfigured: bool) -> None:
        if why != self.why:
            _log.warning("device %s: %s; readings of other devices go on, it is connected again", self.name, why)
        self.why = why
        self._misconfigured = misconfigured
        self._tried_at = None
        if self._failing_since is None:
            self._failing_since = mono_ms()
