"""What a full outbox gives up: positions, the oldest first, every second one before all of them, and never anything else.

The numbers that were given up go into gap records, in the same transaction, so that the other end can account for each.
"""

import sqlite3
from collections.abc import Iterator

from asty_contracts.records import THINNABLE, Gap

from asty_edge.outbox.schema import SIZE, Meta
from asty_edge.ranges import Ranges

CHUNK = 2000
"""Positions looked at in one step: history becomes coarse from its old end, a stretch at a time."""

RANGES_PER_GAP = 500
"""About 10 kB of JSON: a gap record has to fit into a pack beside others."""

_KINDS = ", ".join(f"'{kind}'" for kind in sorted(THINNABLE))
IS_THINNABLE = f"k IN ({_KINDS})"
GAP_BYTES = 24
"""Upper estimate of one range in a gap record."""


def thin(db: sqlite3.Connection, meta: Meta, excess: int, spare: Ranges) -> tuple[Ranges, int]:
    """Delete positions until `excess` bytes are free, gap records counted, or none is left; returns their numbers and their size.

    `spare` are numbers that may already be on their way: they are kept, so that nothing is both given up and stored.
    Moves meta's `thinned`: up to there every second position is gone.
    """
    gone = Ranges()
    size = 0
    while size - GAP_BYTES * len(gone) < excess:
        step = _every_second(db, meta, spare) or _oldest(db, spare)
        if not step:
            break
        size += sum(bytes_of_one for _, bytes_of_one in step)
        db.executemany("DELETE FROM records WHERE s = ?", [(s,) for s, _ in step])
        gone.update(Ranges.of(s for s, _ in step))
    return gone, size


def _positions(db: sqlite3.Connection, after: int, spare: Ranges) -> list[tuple[int, int]]:
    # S608: the kinds are constants of the contract, nothing of a user's
    rows = db.execute(f"SELECT s, {SIZE} FROM records WHERE s > ? AND {IS_THINNABLE} ORDER BY s LIMIT ?", (after, CHUNK))  # noqa: S608
    return [(s, size) for s, size in rows if s not in spare]


def _every_second(db: sqlite3.Connection, meta: Meta, spare: Ranges) -> list[tuple[int, int]]:
    positions = _positions(db, int(meta["thinned"]), spare)
    if len(positions) < 2:
        return []
    meta["thinned"] = positions[-1][0]
    return positions[1::2]


def _oldest(db: sqlite3.Connection, spare: Ranges) -> list[tuple[int, int]]:
    return _positions(db, 0, spare)[: CHUNK // 2]


def gaps(gone: Ranges, why: str, kind: str = "pos") -> Iterator[Gap]:
    """Account for numbers that were given up, in records small enough for a pack."""
    pairs = list(gone)
    for at in range(0, len(pairs), RANGES_PER_GAP):
        some = tuple(pairs[at : at + RANGES_PER_GAP])
        yield Gap(ranges=some, n=sum(last - first + 1 for first, last in some), kind=kind, why=why)
