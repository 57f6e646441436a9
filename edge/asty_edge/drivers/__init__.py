"""The kinds of devices. A kind is a folder here with a manifest.toml: adding one edits nothing else (device.py says what it holds)."""

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from asty_edge.device import Device, DeviceMisconfiguredError, DeviceSettings, PointDescription

_HERE = Path(__file__).parent


class Driver(Protocol):
    """What a kind's device.py offers."""

    def open_device(self, settings: DeviceSettings) -> Device:
        """Check all options and return the device, without opening anything. Raises DeviceMisconfiguredError."""
        ...


def kinds() -> tuple[str, ...]:
    """Return the names of all kinds, sorted."""
    return tuple(sorted(manifest.parent.name for manifest in _HERE.glob("*/manifest.toml")))


def load(kind: str) -> Driver:
    """Import the driver of a kind, and only that one. Raises DeviceMisconfiguredError for a kind that there isn't."""
    return cast("Driver", import_module(f"{__name__}.{_known(kind)}.device"))


def points(kind: str) -> tuple[PointDescription, ...]:
    """Return what a kind measures, without importing its driver. Raises DeviceMisconfiguredError for a kind that there isn't."""
    return cast("tuple[PointDescription, ...]", import_module(f"{__name__}.{_known(kind)}.points").POINTS)


def _known(kind: str) -> str:
    if kind not in kinds():
        raise DeviceMisconfiguredError(f"driver = {kind!r}: expected one of {', '.join(kinds())}")
    return kind
