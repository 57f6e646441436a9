"""What a driver is: a folder under `drivers/` whose `device.py` has `open_device(settings) -> Device`.

drivers/<kind>/manifest.toml   kind, title, protocol, owner, docs page, quality tier with reasons for exemptions
drivers/<kind>/codec.py        sans-IO: decode(bytes) -> (used, Frame | Bad | None); used = 0 means "read more"
drivers/<kind>/points.py       POINTS: tuple[PointDescription, ...], what it measures, for the birth message
drivers/<kind>/device.py       connects, feeds the codec, yields readings
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from asty_edge.reading import Reading


class DeviceLostError(Exception):
    """The device went away or does not answer: connect again after a back-off."""


class DeviceMisconfiguredError(Exception):
    """Connecting again will not help: an operator has to change the configuration. Says the key and what was expected."""


@dataclass(slots=True)
class Counters:
    """What a device has said so far, for health."""

    frames: int = 0
    bad: int = 0
    last_bad: str = ""


@dataclass(frozen=True, slots=True)
class PointDescription:
    key: str
    unit: str | None
    about: str


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """One `[[device]]` table of the edge's configuration: `options` are the driver's own keys, checked by the driver."""

    name: str
    driver: str
    options: dict[str, Any] = field(default_factory=dict)


class Device(Protocol):
    """One connected thing. `readings()` connects, yields until the device is lost, and releases the port when closed."""

    counters: Counters

    def readings(self) -> AsyncIterator[Reading]:
        """Yield readings. Raises DeviceLostError or DeviceMisconfiguredError, and nothing else that is foreign."""
        ...
