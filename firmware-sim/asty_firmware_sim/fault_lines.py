"""Faults on demand: lines that anybody appends to the file `faults` in the simulation's folder.

<name> <edge> [<seconds>] [<device>]      gnss_loss truck-01 60      unplugged_serial truck-02 30 scale
"""

from pathlib import Path

import msgspec

from asty_firmware_sim.scenario import FaultSpec, Scenario


class FaultLineError(Exception):
    """A line that names no fault; says what was expected."""


def parse(line: str, scenario: Scenario) -> FaultSpec:
    """Read one line. Raises FaultLineError."""
    words = line.split()
    if not 2 <= len(words) <= 4:
        raise FaultLineError(f"{line.strip()!r}: expected <name> <edge> [<seconds>] [<device>]")
    fields: dict[str, object] = {"name": words[0], "where": words[1]}
    if len(words) > 2:
        try:
            fields["for"] = float(words[2])
        except ValueError as error:
            raise FaultLineError(f"{line.strip()!r}: {words[2]!r} is no number of seconds") from error
    if len(words) > 3:
        fields["device"] = words[3]
    try:
        fault = msgspec.convert(fields, FaultSpec)
    except msgspec.ValidationError as error:
        raise FaultLineError(f"{line.strip()!r}: {error}") from error
    if fault.where not in scenario.edges:
        raise FaultLineError(f"{line.strip()!r}: {fault.where!r} is none of {', '.join(scenario.edges)}")
    return fault


class FaultLines:
    """Follows the file; lines that were there before are not read again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.touch()
        self._read = file.stat().st_size
        self._rest = ""

    def new(self) -> list[str]:
        """Return whole lines that were appended since the last look; a file that was cut short is read from its beginning."""
        size = self._file.stat().st_size if self._file.is_file() else 0
        if size < self._read:
            self._read, self._rest = 0, ""
        if size == self._read:
            return []
        with self._file.open("rb") as file:
            file.seek(self._read)
            data = file.read(size - self._read)
        self._read += len(data)
        *lines, self._rest = (self._rest + data.decode(errors="replace")).split("\n")
        return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
