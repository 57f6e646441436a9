"""How the pairs that lack are asked of Valhalla: in blocks of rows and columns, few enough pairs for one answer."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Wanted = NDArray[np.bool_]
LARGEST = 30_000


@dataclass(frozen=True, slots=True)
class Block:
    """Every pair of these sources and targets."""

    sources: tuple[int, ...]
    targets: tuple[int, ...]

    @property
    def pairs(self) -> int:
        return len(self.sources) * len(self.targets)


def plan(wanted: Wanted, largest: int = LARGEST) -> list[Block]:
    """Cover the wanted pairs with blocks of at most `largest` pairs (or one row); no pair is in two.

    Valhalla's cost is a search per row, whatever its columns: rows go together when the columns which one needs and the other does not
    are few beside what a row costs.
    """
    groups: dict[bytes, list[int]] = defaultdict(list)
    for row in np.flatnonzero(wanted.any(axis=1)):
        groups[np.packbits(wanted[row]).tobytes()].append(int(row))
    blocks = []
    for rows in groups.values():
        targets = tuple(int(column) for column in np.flatnonzero(wanted[rows[0]]))
        most = max(1, largest // len(targets))
        blocks += [Block(tuple(rows[first : first + most]), targets) for first in range(0, len(rows), most)]
    return blocks
