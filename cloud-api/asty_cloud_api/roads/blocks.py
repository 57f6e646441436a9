"""How the pairs that lack are asked of Valhalla: in blocks of rows and columns, few enough pairs for one answer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Wanted = NDArray[np.bool_]
LARGEST = 30_000
SPARE = 200
"""So many pairs too many cost less than one more request."""


@dataclass(frozen=True, slots=True)
class Block:
    """Every pair of these sources and targets."""

    sources: tuple[int, ...]
    targets: tuple[int, ...]

    @property
    def pairs(self) -> int:
        return len(self.sources) * len(self.targets)


def plan(wanted: Wanted, largest: int = LARGEST, spare: int = SPARE) -> list[Block]:
    """Cover the wanted pairs with blocks of at most `largest` pairs (or one row); no row is in two.

    Valhalla searches once per source, whatever its targets. Rows go together, those that want most first, as long as the block holds at
    most twice what they want, and `spare` more.
    """
    blocks: list[Block] = []
    together: list[int] = []
    want, pairs = np.zeros(wanted.shape[1], np.bool_), 0
    of_row = wanted.sum(axis=1)
    for row in sorted(np.flatnonzero(of_row), key=lambda row: (-of_row[row], row)):
        both = want | wanted[row]
        area = int(both.sum()) * (len(together) + 1)
        if together and (area > largest or area > 2 * (pairs + of_row[row]) + spare):
            blocks.append(_block(together, want))
            together, both, pairs = [], wanted[row].copy(), 0
        together.append(int(row))
        want, pairs = both, pairs + int(of_row[row])
    return [*blocks, _block(together, want)] if together else blocks


def _block(rows: list[int], want: NDArray[np.bool_]) -> Block:
    return Block(tuple(rows), tuple(int(column) for column in np.flatnonzero(want)))
