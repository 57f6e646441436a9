"""Bins: where they stand, their tags, how they fill."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import hypot

import numpy as np
from asty_town import Town
from asty_town.graph import Edge

from asty_firmware_sim.world.chance import chance

_SITE_GAP = 48.0  # m between two places with bins
_KERB = 4.2  # m from the middle of the street
_BAY = 1.7  # m of kerb for one bin
_GREECE = 300  # ISO 3166-1 numeric, in the country field of FDX-B


class Stream(StrEnum):
    """Waste streams, by the words on the bins."""

    MIXED = "σύμμεικτα"
    RECYCLING = "ανακύκλωση"
    ORGANIC = "οργανικά"
    GLASS = "γυαλί"


EM4100_STREAMS = frozenset({Stream.RECYCLING, Stream.GLASS})
"""These bins came from another supplier, with 125 kHz tags; all others carry FDX-B tags."""

_DENSITY = {Stream.MIXED: 0.115, Stream.RECYCLING: 0.046, Stream.ORGANIC: 0.30, Stream.GLASS: 0.27}  # kg/l
_PER_HOUR = {Stream.MIXED: 0.055, Stream.RECYCLING: 0.06, Stream.ORGANIC: 0.045, Stream.GLASS: 0.035}  # share of volume
_WEEKDAY = {
    Stream.MIXED: (1.05, 0.95, 0.95, 1.0, 1.1, 1.2, 0.9),
    Stream.RECYCLING: (1.1, 1.0, 1.0, 1.0, 1.1, 1.2, 0.7),
    Stream.ORGANIC: (0.9, 0.9, 0.95, 1.0, 1.1, 1.3, 1.1),
    Stream.GLASS: (0.9, 0.8, 0.8, 0.9, 1.1, 1.5, 1.3),
}
_EMPTY_KG = {1100: 54.0, 660: 41.0, 240: 13.5, 1300: 82.0}
_SITES: tuple[tuple[float, tuple[tuple[Stream, int], ...]], ...] = (
    (0.34, ((Stream.MIXED, 1100), (Stream.RECYCLING, 1100))),
    (0.22, ((Stream.MIXED, 1100), (Stream.MIXED, 1100), (Stream.RECYCLING, 1100))),
    (0.20, ((Stream.MIXED, 660), (Stream.ORGANIC, 240))),
    (0.12, ((Stream.MIXED, 1100), (Stream.ORGANIC, 660), (Stream.RECYCLING, 660), (Stream.GLASS, 1300))),
    (0.12, ((Stream.MIXED, 660),)),
)


@dataclass(slots=True)
class Bin:
    """One bin. `tag` is what the register says, `on_air` what the tag answers: None without a tag."""

    id: str
    tag: str
    on_air: str | None
    stream: Stream
    litres: int
    lat: float
    lon: float
    street: str
    edge: Edge
    along: float  # m from the edge's tail, where a truck stops for it
    rng: np.random.Generator = field(repr=False)
    content: float = 0.0  # l
    pace: float = 1.0
    filled_at: int = 0
    tried_at: int = 0

    @property
    def em4100(self) -> bool:
        """Whether its tag is a 125 kHz one."""
        return self.stream in EM4100_STREAMS

    @property
    def empty_kg(self) -> float:
        """Weight of the empty bin."""
        return _EMPTY_KG[self.litres]

    def fill(self, now: int) -> float:
        """Let it fill until `now` (UTC ms); return its level as a share of its volume (more than 1: bags beside it)."""
        self.content = self._content_at(now)
        self.filled_at = max(now, self.filled_at)
        return self.content / self.litres

    def level(self, now: int) -> float:
        """Look how full it is at `now`, and change nothing."""
        return self._content_at(now) / self.litres

    def _content_at(self, now: int) -> float:
        hours = max(0, now - self.filled_at) / 3_600_000
        local = datetime.fromtimestamp(now / 1000, UTC) + timedelta(hours=2)
        busy = 1.5 if 8 <= local.hour < 22 else 0.35
        rate = _PER_HOUR[self.stream] * _WEEKDAY[self.stream][local.weekday()] * busy * self.pace
        return min(self.content + hours * rate * self.litres, 1.15 * self.litres)

    def emptied(self, now: int) -> float:
        """Empty it; return the kilograms that fell out. A little sticks."""
        self.fill(now)
        sticks = self.content * self.rng.uniform(0.0, 0.02)
        kg = (self.content - sticks) * _DENSITY[self.stream] * float(self.rng.lognormal(0, 0.18))
        self.content = sticks
        self.pace = float(self.rng.lognormal(0, 0.35))
        self.tried_at = now
        return kg


def place_bins(town: Town, seed: int, count: int, tagless: int, now: int) -> list[Bin]:
    """Set `count` bins along the kerbs of the town's drivable streets; `tagless` of them have lost their tag."""
    rng = chance(seed, "bins")
    graph = town.graph()
    edges = [edge for edge in graph.edges if edge.metres > 16 and town.streets[edge.street].highway not in ("motorway", "trunk", "service")]
    edges = edges or graph.edges
    sites: list[tuple[float, float]] = []
    bins: list[Bin] = []
    gap = _SITE_GAP
    while len(bins) < count:
        for k in rng.permutation(len(edges)):
            if len(bins) >= count:
                break
            edge = edges[k]
            start = float(rng.uniform(5.0, max(5.1, edge.metres - 8.0)))
            x, y = _kerb(town, edge, start)
            if any(hypot(x - sx, y - sy) < gap for sx, sy in sites):
                continue
            sites.append((x, y))
            shares = np.array([share for share, _ in _SITES])
            _, kinds = _SITES[int(rng.choice(len(_SITES), p=shares / shares.sum()))]
            for bay, (stream, litres) in enumerate(kinds[: count - len(bins)]):
                bins.append(_bin(town, len(bins) + 1, edge, min(start + bay * _BAY, edge.metres), stream, litres, seed, now))
        gap *= 0.7  # a small town with many bins: closer then
    with_tags = [one for one in bins if not one.em4100]
    for k in rng.permutation(len(with_tags))[:tagless]:
        with_tags[k].on_air = None
    return bins


def _kerb(town: Town, edge: Edge, along: float) -> tuple[float, float]:
    graph = town.graph()
    (ax, ay), (bx, by) = graph.xy[edge.tail], graph.xy[edge.head]
    ex, ey = (bx - ax) / edge.metres, (by - ay) / edge.metres
    return ax + ex * along + ey * _KERB, ay + ey * along - ex * _KERB


def _bin(town: Town, number: int, edge: Edge, along: float, stream: Stream, litres: int, seed: int, now: int) -> Bin:
    rng = chance(seed, "bin", number)
    if stream in EM4100_STREAMS:
        tag = f"{(0x4A << 32) | int(rng.integers(1 << 24)) << 8 | number & 0xFF:010X}"
    else:
        tag = f"{_GREECE << 38 | (int(rng.integers(1 << 20)) << 18 | number):016X}"
    lat, lon = town.plane.latlon(*_kerb(town, edge, along))
    content = litres * float(rng.beta(5, 2.2)) * 1.05
    pace = float(rng.lognormal(0, 0.35))
    name = town.streets[edge.street].name or "χωρίς όνομα"
    return Bin(f"bin-{number:04d}", tag, tag, stream, litres, lat, lon, name, edge, along, rng, content, pace, now)
