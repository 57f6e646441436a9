"""Readers of published instances: VRPLIB (CVRP; PyVRP's MTVRPTWR) and Solomon's VRPTW, and their best known costs.

Distances are Euclidean, rounded as each family's best known costs are: CVRP to whole numbers, MTVRPTWR cut to tenths, Solomon to
thousandths.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from asty_cloud_api.planning.model import Day, Prices, Roads, Station, Stop, Truck, Window

Kind = Literal["CVRP", "MTVRPTWR", "VRPTW"]
ENDLESS = 1 << 40


class InstanceError(ValueError):
    """A file that is not an instance, with file, line (0: the whole file) and what was expected."""

    def __init__(self, path: Path, line: int, expected: str) -> None:
        super().__init__(f"{path}:{line}: {expected}" if line else f"{path}: {expected}")
        self.path = path
        self.line = line


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """Node 0 is the depot. `ways` n x n, whole numbers: `scale` of them are one unit of length. Times are in the same units."""

    name: str
    kind: Kind
    scale: int
    ways: NDArray[np.int64]
    vehicles: int
    capacity: int
    demands: tuple[int, ...]
    windows: tuple[Window, ...]
    services: tuple[int, ...]
    releases: tuple[int, ...]


def read(path: Path) -> Instance:
    """Read an instance; Solomon's files end in .txt. Raises InstanceError, and OSError for a file that cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InstanceError(path, 0, "expected text in UTF-8") from error
    return _solomon(path, lines) if path.suffix == ".txt" else _vrplib(path, lines)


def best_known(path: Path) -> float | None:
    """The cost in the .sol file beside an instance, None without one. Raises InstanceError when it names none."""
    beside = path.with_suffix(".sol")
    if not beside.exists():
        return None
    lines = beside.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        words = line.replace(":", " ").split()
        if len(words) == 2 and words[0].lower() == "cost":
            return _number(beside, number, words[1])
    raise InstanceError(beside, max(1, len(lines)), "the file ends here without a line 'Cost <number>'")


def as_day(instance: Instance) -> Day:
    """The instance as one of our days: one unit of cost is 0.0001 EUR; several trips mean a transfer station at the depot."""
    shift = instance.windows[0] if instance.kind != "CVRP" else Window(0, ENDLESS)
    trucks = tuple(
        Truck(f"t{i}", float(instance.capacity), float(instance.capacity), shift, 0, 0, prices=Prices(per_km=0.1))
        for i in range(instance.vehicles)
    )
    stops = tuple(
        Stop(
            str(i),
            i,
            float(demand),
            0.0,
            service,
            () if instance.kind == "CVRP" else (window,),
            release=release,
        )
        for i, (demand, window, service, release) in enumerate(
            zip(instance.demands, instance.windows, instance.services, instance.releases, strict=True)
        )
        if i > 0
    )
    stations = (Station("depot", 0, 0),) if instance.kind == "MTVRPTWR" else ()
    ways = instance.ways.astype(np.float64)
    return Day(trucks, stops, stations, {"truck": Roads(ways, ways)})


Numbered = tuple[int, str]


def _number(path: Path, line: int, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise InstanceError(path, line, f"expected a number, found {word!r}") from None
    if not np.isfinite(value):
        raise InstanceError(path, line, f"expected a finite number, found {word!r}")
    return value


def _whole(path: Path, line: int, word: str) -> int:
    value = _number(path, line, word)
    if value != int(value):
        raise InstanceError(path, line, f"expected a whole number, found {word!r}")
    return int(value)


def _vrplib(path: Path, lines: list[str]) -> Instance:
    file = _parts(path, lines)
    line, kind = file.value("TYPE")
    if kind not in ("CVRP", "MTVRPTWR"):
        raise InstanceError(path, line, f"expected TYPE CVRP or MTVRPTWR, found {kind!r}")
    line, weights = file.value("EDGE_WEIGHT_TYPE")
    if weights != "EUC_2D":
        raise InstanceError(path, line, f"expected EDGE_WEIGHT_TYPE EUC_2D, found {weights!r}")
    size = _whole(path, *file.value("DIMENSION"))
    capacity = _whole(path, *file.value("CAPACITY"))
    xy = np.array(file.table("NODE_COORD_SECTION", size, 2))
    demands = [int(row[0]) for row in file.table("DEMAND_SECTION", size, 1)]
    head, nodes = file.section("DEPOT_SECTION")
    depots = [_whole(path, number, words) for number, words in nodes]
    if depots[:1] != [1] or depots[1:] not in ([], [-1]):
        raise InstanceError(path, head, "expected node 1 to be the only depot")
    if kind == "CVRP":
        least = -(-sum(demands) // max(1, capacity))
        windows = [Window(0, ENDLESS)] * size
        vehicles = min(size - 1, least + least // 4 + 3)
        return _instance(path, "CVRP", 1, xy, np.rint, vehicles, capacity, demands, windows, [0] * size, [0] * size)
    windows = [Window(int(a) * 10, int(b) * 10) for a, b in file.table("TIME_WINDOW_SECTION", size, 2)]
    releases = [int(row[0]) * 10 for row in file.table("RELEASE_TIME_SECTION", size, 1)]
    service = _whole(path, *file.value("SERVICE_TIME")) * 10
    vehicles = _whole(path, *file.value("VEHICLES"))
    return _instance(path, "MTVRPTWR", 10, xy, np.trunc, vehicles, capacity, demands, windows, [0] + [service] * (size - 1), releases)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A VRPLIB file: `KEY : value` lines and sections, both numbered, and its last line: where something that is missing was waited for."""

    path: Path
    values: dict[str, Numbered]
    sections: dict[str, tuple[int, list[Numbered]]]
    end: int

    def value(self, key: str) -> Numbered:
        if key not in self.values:
            raise InstanceError(self.path, self.end, f"the file ends here without a line '{key} : …'")
        return self.values[key]

    def section(self, name: str) -> tuple[int, list[Numbered]]:
        if name not in self.sections:
            raise InstanceError(self.path, self.end, f"the file ends here without a section {name}")
        return self.sections[name]

    def table(self, name: str, size: int, columns: int) -> list[list[float]]:
        """Rows of a section whose first column numbers the nodes from 1."""
        head, lines = self.section(name)
        rows: list[list[float]] = []
        for number, line in lines:
            words = line.split()
            if len(words) != columns + 1:
                raise InstanceError(self.path, number, f"expected {columns + 1} numbers in {name}, found {len(words)}")
            if _whole(self.path, number, words[0]) != len(rows) + 1:
                raise InstanceError(self.path, number, f"expected node {len(rows) + 1} in {name}, found {words[0]}")
            rows.append([_number(self.path, number, word) for word in words[1:]])
        if len(rows) != size:
            raise InstanceError(self.path, head, f"expected {size} rows in {name}, found {len(rows)}")
        return rows


def _parts(path: Path, lines: list[str]) -> _Parts:
    values: dict[str, Numbered] = {}
    sections: dict[str, tuple[int, list[Numbered]]] = {}
    current: list[Numbered] | None = None
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or line == "EOF":
            continue
        if line.endswith("_SECTION"):
            current = []
            sections[line] = (number, current)
        elif ":" in line:
            key, _, value = line.partition(":")
            values[key.strip()] = (number, value.strip().strip('"'))
        elif current is not None:
            current.append((number, line))
        else:
            raise InstanceError(path, number, "expected 'KEY : value' or a section")
    return _Parts(path, values, sections, max(1, len(lines)))


def _solomon(path: Path, lines: list[str]) -> Instance:
    numbered = [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]
    rows = iter(numbered)
    fleet = _after(path, rows, "NUMBER", max(1, len(lines)))
    vehicles, capacity = (_whole(path, fleet[0], word) for word in _exactly(path, fleet, 2))
    first = _after(path, rows, "CUST", max(1, len(lines)))
    customers = [(row[0], _exactly(path, row, 7)) for row in (first, *rows)]
    data = [[_number(path, number, word) for word in words] for number, words in customers]
    for (number, _), row, expected in zip(customers, data, range(len(data)), strict=True):
        if row[0] != expected:
            raise InstanceError(path, number, f"expected customer {expected}, found {row[0]:g}")
    xy = np.array([row[1:3] for row in data])
    windows = [Window(round(row[4] * 1000), round(row[5] * 1000)) for row in data]
    services = [round(row[6] * 1000) for row in data]
    demands = [round(row[3]) for row in data]
    return _instance(path, "VRPTW", 1000, xy, np.rint, vehicles, capacity, demands, windows, services, [0] * len(data))


def _after(path: Path, rows: Iterator[tuple[int, list[str]]], head: str, end: int) -> tuple[int, list[str]]:
    """The row after the one that begins with `head`."""
    for _, words in rows:
        if words[0] == head:
            for row in rows:
                return row
    raise InstanceError(path, end, f"the file ends here without a table headed {head}")


def _exactly(path: Path, row: tuple[int, list[str]], count: int) -> list[str]:
    if len(row[1]) != count:
        raise InstanceError(path, row[0], f"expected {count} numbers, found {len(row[1])}")
    return row[1]


def _instance(
    path: Path,
    kind: Kind,
    scale: int,
    xy: NDArray[np.float64],
    rounded: np.ufunc,
    vehicles: int,
    capacity: int,
    demands: list[int],
    windows: list[Window],
    services: list[int],
    releases: list[int],
) -> Instance:
    ways = rounded(np.hypot(*(xy[:, None] - xy[None]).T) * scale).T.astype(np.int64)
    return Instance(path.stem, kind, scale, ways, vehicles, capacity, tuple(demands), tuple(windows), tuple(services), tuple(releases))
