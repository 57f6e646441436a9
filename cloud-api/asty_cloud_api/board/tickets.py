"""Which bins need a person: tags that are missing, never read, unknown, or on another bin. Pure: from lifts, visits and the register."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from asty_cloud_api.board.arrivals import metres_between

Kind = Literal["no_tag", "never_read", "swapped", "moved", "unknown_tag"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`near`: a lift within so many metres of a bin is at that bin, unless another stands within twice as far; `away`: so far it is not.

    `lifts`: how often it must have happened; `visits`: how many planned visits without a reading make a tag unread.
    """

    near: float = 20.0
    away: float = 60.0
    lifts: int = 2
    visits: int = 3


@dataclass(frozen=True, slots=True)
class KnownBin:
    """A bin of the register."""

    id: str
    tag: str | None
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A lift: `tag` None when none was read; without a position it says nothing about a place."""

    at: datetime
    edge: str
    tag: str | None
    lat: float | None
    lon: float | None


@dataclass(frozen=True, slots=True)
class Visit:
    """A planned stop of a day that is over, which the driver did not report as missed."""

    bin: str
    day: date
    at: datetime
    read: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """`bin` is of the register; `other` the bin whose place the tag was read at; `tag` as read; seen `times`, from `first` to `last`."""

    kind: Kind
    bin: str
    first: datetime
    last: datetime
    times: int
    other: str | None = None
    tag: str | None = None
    metres: float | None = None


def find(
    bins: Sequence[KnownBin],
    readings: Iterable[Reading],
    visits: Iterable[Visit],
    settled: Mapping[str, datetime] | None = None,
    limits: Thresholds | None = None,
) -> tuple[Finding, ...]:
    """Find what is wrong, by bin. What happened until a bin was `settled` (its last ticket closed) does not count again."""
    limits, settled = limits or Thresholds(), settled or {}
    ground = Ground(bins, limits.near)
    by_tag = {known.tag: known for known in bins if known.tag}
    own: dict[str, list[Reading]] = defaultdict(list)
    untagged: dict[str, list[Reading]] = defaultdict(list)
    strange: dict[tuple[str, str], list[Reading]] = defaultdict(list)
    for reading in sorted(readings, key=lambda r: r.at):
        if reading.tag in by_tag:
            own[by_tag[reading.tag].id].append(reading)
        elif (there := ground.bin_at(reading)) is not None:
            (untagged[there.id] if reading.tag is None else strange[there.id, reading.tag]).append(reading)
    found: dict[str, Finding] = {}
    for known in bins:
        since = settled.get(known.id)
        mine = [r for r in own[known.id] if since is None or r.at > since]
        last_read = mine[-1].at if mine else since
        finding = _elsewhere(known, mine, ground, limits) or _stranger(known, strange, last_read, limits)
        finding = finding or _nameless(known, untagged[known.id], last_read, limits)
        if finding is not None:
            found[known.id] = finding
    for name, seen in _visits_of(visits, settled).items():
        if name not in found and name in ground.known and (unread := _unread(name, seen, limits)):
            found[name] = unread
    return tuple(finding for finding in found.values() if not _told_by_its_twin(finding, found))


class Ground:
    """Which bin stands where: a lookup over cells of about 100 m."""

    CELL = 0.001

    def __init__(self, bins: Sequence[KnownBin], near: float) -> None:
        self.known = {known.id: known for known in bins}
        self._near = near
        self._cells: dict[tuple[int, int], list[KnownBin]] = defaultdict(list)
        for known in bins:
            self._cells[self._cell(known.lat, known.lon)].append(known)

    def _cell(self, lat: float, lon: float) -> tuple[int, int]:
        return int(lat // self.CELL), int(lon // self.CELL)

    def bin_at(self, reading: Reading) -> KnownBin | None:
        """The one bin that a lift can have been at; None without a position, and where two bins stand too close to tell."""
        if reading.lat is None or reading.lon is None:
            return None
        lat, lon = reading.lat, reading.lon
        row, column = self._cell(lat, lon)
        near = sorted(
            (metres_between(lat, lon, known.lat, known.lon), known.id)
            for y in (row - 1, row, row + 1)
            for x in (column - 1, column, column + 1)
            for known in self._cells.get((y, x), ())
        )
        if not near or near[0][0] > self._near or (len(near) > 1 and near[1][0] <= 2 * self._near):
            return None
        return self.known[near[0][1]]


def _elsewhere(known: KnownBin, readings: Sequence[Reading], ground: Ground, limits: Thresholds) -> Finding | None:
    """The newest readings of a bin's tag were all far from its place."""
    far: list[tuple[float, Reading]] = []
    for reading in reversed(readings):
        if reading.lat is None or reading.lon is None:
            continue
        metres = metres_between(known.lat, known.lon, reading.lat, reading.lon)
        if metres <= limits.away:
            break
        far.append((metres, reading))
    if len(far) < limits.lifts:
        return None
    metres, newest = far[0]
    other = ground.bin_at(newest)
    kind: Kind = "swapped" if other is not None else "moved"
    return Finding(kind, known.id, far[-1][1].at, newest.at, len(far), other.id if other else None, known.tag, round(metres))


def _stranger(
    known: KnownBin, strange: Mapping[tuple[str, str], Sequence[Reading]], last_read: datetime | None, limits: Thresholds
) -> Finding | None:
    """A tag that nobody registered is read at this bin's place, and its own is not any more."""
    for (name, tag), readings in strange.items():
        newer = [r for r in readings if last_read is None or r.at > last_read] if name == known.id else []
        if len(newer) >= limits.lifts:
            return Finding("unknown_tag", known.id, newer[0].at, newer[-1].at, len(newer), tag=tag)
    return None


def _nameless(known: KnownBin, readings: Sequence[Reading], last_read: datetime | None, limits: Thresholds) -> Finding | None:
    newer = [r for r in readings if last_read is None or r.at > last_read]
    return Finding("no_tag", known.id, newer[0].at, newer[-1].at, len(newer)) if len(newer) >= limits.lifts else None


def _visits_of(visits: Iterable[Visit], settled: Mapping[str, datetime]) -> dict[str, list[Visit]]:
    by_bin: dict[str, list[Visit]] = defaultdict(list)
    for visit in sorted(visits, key=lambda v: v.at):
        if visit.bin not in settled or visit.at > settled[visit.bin]:
            by_bin[visit.bin].append(visit)
    return by_bin


def _unread(name: str, visits: Sequence[Visit], limits: Thresholds) -> Finding | None:
    """The newest visits of a bin all went by without a reading of its tag."""
    missed: list[Visit] = []
    for visit in reversed(visits):
        if visit.read:
            break
        missed.append(visit)
    if len(missed) < limits.visits:
        return None
    return Finding("never_read", name, missed[-1].at, missed[0].at, len(missed))


def _told_by_its_twin(finding: Finding, found: Mapping[str, Finding]) -> bool:
    """Two bins that carry each other's tags are one ticket: that of the first."""
    if finding.kind != "swapped" or finding.other is None or finding.other >= finding.bin:
        return False
    twin = found.get(finding.other)
    return twin is not None and twin.kind == "swapped" and twin.other == finding.bin
