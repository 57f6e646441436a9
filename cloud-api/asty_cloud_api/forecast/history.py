"""What is known of bins: level readings and lifts, and the stretches in which a bin filled without being emptied."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin: its kind (size and stream, so that like is compared with like), where it stands, and what it weighs when full, kg."""

    id: str
    kind: str
    lat: float
    lon: float
    kg_full: float = 110.0


@dataclass(frozen=True, slots=True)
class Level:
    """A reading: share of the volume, 1 = full."""

    bin: str
    day: date
    level: float


@dataclass(frozen=True, slots=True)
class Lift:
    """The bin was emptied; `kg` None when it was not weighed."""

    bin: str
    day: date
    kg: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Arrays of one length: which bin, from which day (ordinal) to which, from which level, by how much (shares of its volume)."""

    bin: Ints
    after: Ints
    until: Ints
    level: Floats
    rise: Floats

    def where(self, chosen: NDArray[np.bool_]) -> "Stretches":
        """The chosen ones."""
        return Stretches(self.bin[chosen], self.after[chosen], self.until[chosen], self.level[chosen], self.rise[chosen])


def stretches(bins: Iterable[Bin], levels: Iterable[Level], lifts: Iterable[Lift]) -> Stretches:
    """Find stretches: between two readings without a fall or a lift, and between two lifts of which the later one was weighed.

    Readings and weights that are no numbers or negative, and bins that are not listed, are passed over.
    """
    index = {b.id: i for i, b in enumerate(bins)}
    full = {b.id: b.kg_full for b in bins}
    read: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for reading in levels:
        if reading.bin in index and math.isfinite(reading.level) and reading.level >= 0:
            day = reading.day.toordinal()
            read[reading.bin][day] = max(reading.level, read[reading.bin].get(day, 0.0))
    emptied: defaultdict[str, dict[int, float | None]] = defaultdict(dict)
    for lift in lifts:
        if lift.bin in index:
            emptied[lift.bin][lift.day.toordinal()] = lift.kg
    rows: list[tuple[int, int, int, float, float]] = []
    for name in index:
        lifted = sorted(emptied[name])
        for a, b in pairwise(lifted):
            kg = emptied[name][b]
            if kg is not None and math.isfinite(kg) and kg >= 0 and full[name] > 0:
                rows.append((index[name], a, b, 0.0, kg / full[name]))
        days = sorted(read[name])
        for a, b in pairwise(days):
            rise = read[name][b] - read[name][a]
            if rise >= 0 and not any(a <= day <= b for day in lifted):
                rows.append((index[name], a, b, read[name][a], rise))
    columns = np.array(rows, dtype=np.float64).reshape(-1, 5)
    which, after, until = columns[:, :3].astype(np.int64).T
    return Stretches(which, after, until, columns[:, 3], columns[:, 4])
