"""The town's own fixed routes: read from CSV or JSON with every error by its line, kept, and given back by weekday.

CSV   weekday,truck,bin                one line per bin, in the order of the round
JSON  [{"weekday": "monday", "truck": "truck-01", "bins": ["bin-0001", …]}, …]
A weekday is 1 to 7 from Monday on, or its name in English or Greek; a bin is named by its id or its tag.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Session

from asty_cloud_api.fleet.models import Bin, FixedRoute, Vehicle

HEADER = ["weekday", "truck", "bin"]
_NAMES = (
    ("monday", "mon", "δευτέρα"),
    ("tuesday", "tue", "τρίτη"),
    ("wednesday", "wed", "τετάρτη"),
    ("thursday", "thu", "πέμπτη"),
    ("friday", "fri", "παρασκευή"),
    ("saturday", "sat", "σάββατο"),
    ("sunday", "sun", "κυριακή"),
)
WEEKDAYS = {name: number for number, names in enumerate(_NAMES, 1) for name in (str(number), *names)}
MOST_SAID = 20


class FixedRoutesFileError(Exception):
    """Fixed routes that can't be taken: says the file, each line and what was expected. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One bin of a round and where it stands in the file; `weekday` 1 to 7."""

    line: str
    weekday: int
    truck: str
    bin: str


def read(path: Path) -> list[Entry]:
    """Read a file by its suffix, .csv or .json. Raises FixedRoutesFileError with every line that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FixedRoutesFileError(f"{path} can't be read: {error.strerror}; nothing was changed") from error
    except UnicodeDecodeError as error:
        raise FixedRoutesFileError(f"{path} is not UTF-8 text (byte {error.start}); nothing was changed") from error
    wrong: list[str] = []
    entries = list((_of_json if path.suffix.lower() == ".json" else _of_csv)(text, wrong))
    if not entries and not wrong:
        wrong.append("line 1: no round in it; expected weekday,truck,bin and a line for each bin")
    wrong += _twice(entries)
    _raise(path, wrong)
    return entries


def unknown(entries: list[Entry], bins: Mapping[str, str], trucks: frozenset[str]) -> list[str]:
    """Say which lines name a truck or a bin that the register does not have; `bins` are ids by id and by tag."""
    wrong = [f"{it.line}: truck {it.truck!r} is no truck of the register" for it in entries if it.truck not in trucks]
    return wrong + [f"{it.line}: bin {it.bin!r} is no bin of the register, neither an id nor a tag" for it in entries if it.bin not in bins]


def store(session: Session, path: Path, entries: list[Entry]) -> None:
    """Make the table equal to the file. Raises FixedRoutesFileError for what the register does not have."""
    known = {name: row.id for row in session.execute(select(Bin.id, Bin.tag)) for name in (row.id, row.tag) if name}
    trucks = frozenset(session.execute(select(Vehicle.edge).where(Vehicle.kind == "truck")).scalars())
    _raise(path, unknown(entries, known, trucks))
    named = [Entry(it.line, it.weekday, it.truck, known[it.bin]) for it in entries]
    _raise(path, _twice(named))  # by its id and by its tag
    session.execute(delete(FixedRoute))
    rows = [{"weekday": it.weekday, "edge": it.truck, "seq": number, "bin": it.bin} for number, it in enumerate(named)]
    session.execute(insert(FixedRoute), rows)


async def of_day(connection: AsyncConnection, day: date) -> dict[str, list[str]]:
    """The bins of each truck's round on the weekday of a service day, in order; empty when the town has entered none."""
    chosen = select(FixedRoute.edge, FixedRoute.bin).where(FixedRoute.weekday == day.isoweekday()).order_by(FixedRoute.edge, FixedRoute.seq)
    rounds: dict[str, list[str]] = {}
    for row in await connection.execute(chosen):
        rounds.setdefault(row.edge, []).append(row.bin)
    return rounds


def _of_csv(text: str, wrong: list[str]) -> Iterator[Entry]:
    rows = csv.reader(text.splitlines(), strict=True)
    try:
        for row in rows:
            line = f"line {rows.line_num}"
            if not any(cell.strip() for cell in row) or [cell.strip().lower() for cell in row] == HEADER:
                continue
            if len(row) != len(HEADER):
                wrong.append(f"{line}: {len(row)} columns, expected {','.join(HEADER)}")
                continue
            weekday, truck, name = (cell.strip() for cell in row)
            yield from _entry(line, weekday, truck, name, wrong)
    except csv.Error as error:
        wrong.append(f"line {rows.line_num}: {error}")


def _of_json(text: str, wrong: list[str]) -> Iterator[Entry]:
    try:
        rounds = json.loads(text)
    except json.JSONDecodeError as error:
        wrong.append(f"line {error.lineno}: {error.msg} (column {error.colno})")
        return
    if not isinstance(rounds, list):
        wrong.append("line 1: expected a list of rounds, each with weekday, truck and bins")
        return
    for number, one in enumerate(rounds, 1):
        where = f"round {number}"
        if not isinstance(one, dict) or not isinstance(one.get("bins"), list):
            wrong.append(f"{where}: expected weekday, truck and bins, a list")
            continue
        for place, name in enumerate(one["bins"], 1):
            yield from _entry(f"{where}, bin {place}", one.get("weekday"), one.get("truck"), name, wrong)


def _entry(line: str, weekday: Any, truck: Any, name: Any, wrong: list[str]) -> Iterator[Entry]:
    number = WEEKDAYS.get(str(weekday).strip().lower())
    if number is None:
        wrong.append(f"{line}: weekday {weekday!r}, expected 1 to 7, monday to sunday or Δευτέρα to Κυριακή")
    for what, value in (("truck", truck), ("bin", name)):
        if not isinstance(value, str) or not value:
            wrong.append(f"{line}: {what} is missing")
    if number is not None and isinstance(truck, str) and isinstance(name, str) and truck and name:
        yield Entry(line, number, truck, name)


def _twice(entries: list[Entry]) -> list[str]:
    first: dict[tuple[int, str], str] = {}
    return [
        f"{it.line}: bin {it.bin!r} is emptied on the same weekday already ({before})"
        for it in entries
        if (before := first.setdefault((it.weekday, it.bin), it.line)) != it.line
    ]


def _raise(path: Path, wrong: list[str]) -> None:
    if wrong:
        more = [f"and {len(wrong) - MOST_SAID} more"] if len(wrong) > MOST_SAID else []
        raise FixedRoutesFileError("\n  ".join([f"{path}: nothing was changed", *wrong[:MOST_SAID], *more]))
