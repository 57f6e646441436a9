"""The keys of one `[[device]]` table, taken one by one; everything that is wrong with them is told at once."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from asty_edge.device import DeviceMisconfiguredError, DeviceSettings

_MISSING = object()


class Options:
    """Takes a driver's keys from its table; `done()` raises DeviceMisconfiguredError with every fault found so far.

    A key at fault yields a placeholder, so that the remaining keys are checked too: nothing may be opened before `done()`.
    """

    def __init__(self, settings: DeviceSettings) -> None:
        self._who = f"device {settings.name!r} ({settings.driver})"
        self._given = dict(settings.options)
        self._known: set[str] = set()
        self._faults: list[str] = []

    def text(self, key: str, default: str | None = None, *, pattern: str = r"(?s).+", expected: str = "a text that is not empty") -> str:
        """Take a text that matches `pattern` in full; without a default it is required."""
        value = self._take(key, default)
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        self._fault(key, value, expected)
        return default or ""

    def choice(self, key: str, choices: Collection[str], default: str | None = None) -> str:
        """Take one of `choices`."""
        value = self._take(key, default)
        if isinstance(value, str) and value in choices:
            return value
        self._fault(key, value, "one of " + ", ".join(f'"{choice}"' for choice in choices))
        return default or next(iter(choices))

    def whole(self, key: str, default: int | None, low: int, high: int) -> int:
        """Take a whole number from `low` to `high`."""
        value = self._take(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self._fault(key, value, f"a whole number from {low} to {high}")
        return low

    def number(self, key: str, default: float | None, low: float, high: float) -> float | None:
        """Take a number from `low` to `high`; an absent key without a default is None."""
        if key not in self._given and default is None:
            self._known.add(key)
            return None
        value = self._take(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        self._fault(key, value, f"a number from {low:g} to {high:g}")
        return low

    def tables(self, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Take a list of at least one table; yields each with its place, like `vests[0]`."""
        value = self._take(key, None)
        if not isinstance(value, list) or not value or not all(isinstance(table, dict) for table in value):
            self._fault(key, value, "a list of at least one table { … }")
            return
        for number, table in enumerate(value):
            yield f"{key}[{number}]", table

    def fault(self, place: str, value: object, expected: str) -> None:
        """Report a fault that only the driver can see."""
        self._faults.append(f"{place} = {value!r}: expected {expected}")

    def done(self) -> None:
        """Raise DeviceMisconfiguredError if any key was missing, wrong or unknown."""
        for key in sorted(self._given.keys() - self._known):
            self._faults.append(f"{key}: no such key, this driver knows {', '.join(sorted(self._known))}")
        if self._faults:
            raise DeviceMisconfiguredError(f"{self._who}: " + "; ".join(self._faults))

    def _take(self, key: str, default: Any) -> Any:
        self._known.add(key)
        return self._given.get(key, _MISSING if default is None else default)

    def _fault(self, key: str, value: object, expected: str) -> None:
        if value is _MISSING:
            self._faults.append(f"{key} is missing: expected {expected}")
        else:
            self.fault(key, value, expected)
