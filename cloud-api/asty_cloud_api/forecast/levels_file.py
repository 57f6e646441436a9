"""Level readings from a CSV file as Wyndham City publishes them: Bin ID, Fullness (0-10), fullnessThreshold, timestamp (dd-mm-yyyy)."""

import csv
from datetime import date
from pathlib import Path

from asty_cloud_api.forecast.history import Level

COLUMNS = ("Bin ID", "Fullness", "timestamp")


class LevelsFileError(ValueError):
    """A file that holds no readings, with file, line and what was expected."""


def read(path: Path) -> tuple[Level, ...]:
    """Read all rows. Raises LevelsFileError for a missing column or a bad value, OSError for a file that cannot be read."""
    levels: list[Level] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise LevelsFileError(f"{path}:1: expected a column {missing[0]!r}, found {', '.join(rows.fieldnames or ())}")
        for row in rows:
            try:
                day, month, year = (int(part) for part in row["timestamp"].split("-"))
                levels.append(Level(row["Bin ID"], date(year, month, day), float(row["Fullness"]) / 10))
            except (ValueError, TypeError, AttributeError) as error:
                raise LevelsFileError(f"{path}:{rows.line_num}: expected a fullness and a date dd-mm-yyyy: {error}") from error
    return tuple(levels)
