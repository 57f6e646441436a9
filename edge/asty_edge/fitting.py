"""From the configuration to devices that are ready to run; every driver checks its own options before anything is opened."""

import tomllib
from importlib.resources import files

from asty_edge import drivers
from asty_edge.config import Config, ConfigError
from asty_edge.device import DeviceMisconfiguredError, DeviceSettings
from asty_edge.devices import Fitted


def fit(config: Config) -> list[Fitted]:
    """Make the configured devices. Raises ConfigError with what is wrong in any of their tables."""
    fitted, problems = [], []
    for settings in config.devices:
        try:
            fitted.append(_fit_one(settings))
        except DeviceMisconfiguredError as error:
            problems.append(f"{config.file}: [[device]] {settings.name}: {error}")
    if problems:
        raise ConfigError(problems)
    return fitted


def _fit_one(settings: DeviceSettings) -> Fitted:
    device = drivers.load(settings.driver).open_device(settings)
    return Fitted(settings, device, drivers.points(settings.driver), _silent_after(settings.driver))


def _silent_after(kind: str) -> float | None:
    """Read from the kind's manifest after how many silent seconds such a device is not well; absent when silence is normal."""
    manifest = tomllib.loads((files(drivers) / kind / "manifest.toml").read_text(encoding="utf-8"))
    seconds = manifest.get("silent_after_s")
    return float(seconds) if isinstance(seconds, int | float) else None
