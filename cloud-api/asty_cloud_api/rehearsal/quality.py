"""The table of `asty bench plan`: each engine on each instance, and a re-plan after a breakdown, in one list."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asty_cloud_api.planning import bench
from asty_cloud_api.planning.bench import ReplanRow, Row
from asty_cloud_api.planning.instances import best_known, read


@dataclass(frozen=True, slots=True)
class Breakdowns:
    """How many breakdowns are re-planned, by seeds from the run's on: within `seconds` of CPU, against an answer of `against`.

    With reading the day, timing and repair 2.4 s of search make an answer within 3 s.
    """

    count: int = 1
    bins: int = 300
    seconds: float = 2.4
    against: float = 60.0


@dataclass(frozen=True, slots=True)
class Quality:
    """One run of the benchmark: what was asked, where, and its rows."""

    seconds: float
    seed: int
    machine: str
    rows: tuple[Row, ...]
    replans: tuple[ReplanRow, ...]

    def as_json(self) -> dict[str, Any]:
        """The same for a program; a `replan` is a row of the same table, with the cost of the long answer as its `best`."""
        rows = [asdict(row) for row in self.rows]
        rows += [
            {"instance": _name(row), "engine": "ours", "stops": row.left, "best": row.long_cost, **asdict(row)} for row in self.replans
        ]
        return {"seconds": self.seconds, "seed": self.seed, "machine": self.machine, "threads": 1, "rows": rows}


def machine() -> str:
    """Name the machine as far as a figure needs it."""
    return f"{os.cpu_count()} cores of {platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def measure(files: Sequence[Path], seconds: float, seed: int, *, breakdowns: Breakdowns, say: Callable[[str], None]) -> Quality:
    """Run everything one after the other on one thread. Raises InstanceError and OSError before anything is run when a file is bad."""
    for path in files:
        read(path)
        best_known(path)
    rows: list[Row] = []
    for path in files:
        for engine in bench.ENGINES:
            say(f"{path.name}: {engine}, {seconds:g} s of CPU")
            rows += bench.measure([path], seconds, seed, engines=[engine])
    broken: list[ReplanRow] = []
    it = breakdowns
    for number in range(seed, seed + it.count):
        say(f"re-plan after a breakdown, {it.bins} bins, seed {number}: against an answer of {it.against:g} s")
        morning = 2 * it.seconds
        broken.append(bench.measure_replan(it.seconds, number, bins=it.bins, long_seconds=it.against, morning=morning))
    return Quality(seconds, seed, machine(), tuple(rows), tuple(broken))


def as_table(it: Quality) -> str:
    """The rows for people."""
    lines = [f"{'instance':<18}{'engine':<16}{'stops':>6}{'cost':>12}{'best known':>12}{'gap %':>8}{'CPU s':>8}"]
    lines += [_line(row.instance, row.engine, row.stops, row.cost, row.best, row.gap, row.cpu_seconds) + _why(row.why) for row in it.rows]
    for row in it.replans:
        line = _line(_name(row), "ours", row.left, row.cost, row.long_cost, row.gap, row.cpu_seconds)
        lines.append(line + _why(f"best: the same with {row.long_seconds:g} s; {row.violations} violations"))
    return "\n".join([*lines, f"seed {it.seed}, one thread, {it.machine}"])


def _name(row: ReplanRow) -> str:
    return f"replan-{row.bins}"


def _line(name: str, engine: str, stops: int, cost: float | None, best: float | None, gap: float | None, seconds: float) -> str:
    numbers = "".join(f"{_shown(value, '.2f'):>{width}}" for value, width in ((cost, 12), (best, 12), (gap, 8)))
    return f"{name:<18}{engine:<16}{stops:>6}{numbers}{seconds:>8.1f}"


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _why(text: str) -> str:
    return f"  {text}" if text else ""
