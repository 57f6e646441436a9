"""Who gets a place: points by the table, places by points, the earlier application first among equals. Pure."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from asty_citizen_services.forms.form import Words


class PointsError(Exception):
    """The table of points is wrong: says the file and what was expected."""


class Station(Struct, frozen=True, forbid_unknown_fields=True):
    """One nursery and how many children it takes."""

    places: int
    name: Words


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """`points` when the answer to `question` is or holds `value`, or is a number from `at_least` or up to `at_most`."""

    question: str
    points: int
    why: Words
    value: str | None = None
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, answers: Mapping[str, Any]) -> bool:
        given = answers.get(self.question)
        if given is None:
            return False
        if self.value is not None:
            return self.value in given if isinstance(given, list) else given == self.value
        if isinstance(given, bool) or not isinstance(given, int | float):
            return False
        return (self.at_least is None or given >= self.at_least) and (self.at_most is None or given <= self.at_most)


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """A folder's points.toml. `objection_days` is how long a provisional list can be objected to."""

    stations: dict[str, Station]
    rules: tuple[Rule, ...]
    objection_days: int = 5

    def points(self, answers: Mapping[str, Any]) -> tuple[tuple[Rule, ...], int]:
        """Return the rules that hold and what they add up to."""
        held = tuple(rule for rule in self.rules if rule.holds(answers))
        return held, sum(rule.points for rule in held)


class Applicant(Struct, frozen=True):
    """One application that counts. `wishes` are stations, the first one first."""

    id: str
    reference: str
    filed_at: datetime
    points: int
    wishes: tuple[str, ...]


class Place(Struct, frozen=True):
    """Where an applicant stands in a station's list, from 1. `taken`: has a place; else waits."""

    applicant: Applicant
    station: str
    rank: int
    taken: bool


def read(path: Path) -> Table:
    """Read a table. Raises PointsError, OSError."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Table)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PointsError(f"{path}: {error}") from error


def rank(table: Table, applicants: Sequence[Applicant]) -> dict[str, tuple[Place, ...]]:
    """Return each station's list: those who have a place, then those who wait.

    The best has the first choice: one who finds the first wish full takes the second, and waits for both when that is full too.
    """
    in_order = sorted(applicants, key=lambda one: (-one.points, one.filed_at, one.reference))
    lists: dict[str, list[tuple[Applicant, bool]]] = {station: [] for station in table.stations}
    left = {station: it.places for station, it in table.stations.items()}
    for one in in_order:
        wishes = [wish for wish in dict.fromkeys(one.wishes) if wish in lists]
        got = next((wish for wish in wishes if left[wish] > 0), None)
        if got is not None:
            left[got] -= 1
            lists[got].append((one, True))
        for wish in wishes if got is None else ():
            lists[wish].append((one, False))
    return {
        station: tuple(Place(one, station, n, taken) for n, (one, taken) in enumerate(found, start=1)) for station, found in lists.items()
    }


class Seat(Struct, frozen=True):
    """One line of a published list: the application, its code, what it has. A frozen `Place` without a person."""

    application: str
    code: str
    points: int
    rank: int
    taken: bool
    why: tuple[str, ...] = ()


type Lists = Mapping[str, tuple[Seat, ...]]
"""Each station's seats, by rank."""


class Move(Struct, frozen=True):
    """Who got a place in a station because another gave one up."""

    application: str
    station: str
    because: str


def moved(table: Table, lists: Lists, withdrawn: Sequence[str]) -> tuple[Move, ...]:
    """Return who moved up from the waiting lists of a final list, as one application after the other was withdrawn.

    A place that is given up goes to the best who waits for that station and has none; whoever gets one waits nowhere any more.
    """
    held = {seat.application: station for station, seats in lists.items() for seat in seats if seat.taken}
    gone: set[str] = set()
    moves: list[Move] = []
    for one in withdrawn:
        gone.add(one)
        station = held.pop(one, None)
        if station is None or station not in table.stations:
            continue
        if sum(where == station for where in held.values()) >= table.stations[station].places:
            continue
        best = next((seat for seat in lists[station] if seat.application not in held and seat.application not in gone), None)
        if best is not None:
            held[best.application] = station
            moves.append(Move(best.application, station, one))
    return tuple(moves)
