"""The variables that a process is told by its environment, read once; everything that is wrong with them is said in one go."""

import math
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asty_contracts.ids import is_name


class OperatorError(Exception):
    """Something that whoever runs a command has to put right; its text says what."""


class SettingsError(OperatorError):
    """Variables are missing or wrong: names each, and what was expected."""


class Environment:
    """Reads variables and collects what is wrong with them; `done()` says it. An empty variable counts as one that is not set."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._wrong: list[str] = []

    def done(self) -> None:
        """Raise SettingsError when anything that was read is wrong: until then what was returned is not to be used."""
        if self._wrong:
            raise SettingsError("; ".join(self._wrong))

    def wrong(self, what: str) -> None:
        """Note what the variables together must not say."""
        self._wrong.append(what)

    def refuse(self, variable: str, expected: str) -> None:
        """Note that a variable holds what it must not."""
        self._wrong.append(f"{variable}={self._variables.get(variable, '')!r}: expected {expected}")

    def optional(self, variable: str) -> str | None:
        return self._variables.get(variable) or None

    def text(self, variable: str, default: str = "") -> str:
        return self._variables.get(variable) or default

    def needed(self, variable: str, expected: str) -> str:
        if not (value := self.text(variable)):
            self._wrong.append(f"{variable} is not set: expected {expected}")
        return value

    def address(self, variable: str) -> str:
        """Return an address without the slashes at its end; empty when it is not set."""
        return self.text(variable).rstrip("/")

    def path(self, variable: str) -> Path | None:
        value = self.text(variable)
        return Path(value) if value else None

    def is_on(self, variable: str) -> bool:
        """Tell whether a variable holds anything but 0."""
        return self.text(variable, "0") != "0"

    def one_of[T: str](self, variable: str, choices: tuple[T, ...]) -> T:
        """Return one of `choices`; the first when it is not set."""
        value = self.text(variable, choices[0])
        for choice in choices:
            if choice == value:
                return choice
        self.refuse(variable, " or ".join(choices))
        return choices[0]

    def whole(self, variable: str, default: int, lowest: int, highest: int) -> int:
        value = self.text(variable, str(default))
        if value.isascii() and value.isdigit() and lowest <= int(value) <= highest:
            return int(value)
        self.refuse(variable, f"a number from {lowest} to {highest}")
        return default

    def number(self, variable: str, default: float, lowest: float, highest: float) -> float:
        try:
            value = float(self.text(variable, str(default)))
        except ValueError:
            value = math.nan
        if lowest <= value <= highest:
            return value
        self.refuse(variable, f"a number from {lowest:g} to {highest:g}")
        return default

    def port(self, variable: str, default: int) -> int:
        return self.whole(variable, default, 1, 65535)

    def town(self) -> str:
        """Return the town's name in topics and rows."""
        value = self.needed("ASTY_ORG", "the town's name, such as demo")
        if value and not is_name(value):
            self.refuse("ASTY_ORG", "1 to 32 of a-z, 0-9 and inner hyphens, such as demo")
        return value

    def database(self) -> str:
        return self.needed("ASTY_DATABASE_DSN", "a PostgreSQL address such as postgresql://asty@127.0.0.1:5433/asty")

    def is_production(self) -> bool:
        """Tell whether this is the municipality's own system, where no double starts and nothing crosses a network in plain text."""
        return self.is_on("ASTY_PRODUCTION")

    def zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.text("ASTY_TIMEZONE", "Europe/Athens"))
        except (ZoneInfoNotFoundError, ValueError):
            self.refuse("ASTY_TIMEZONE", "a time zone such as Europe/Athens")
            return ZoneInfo("UTC")
