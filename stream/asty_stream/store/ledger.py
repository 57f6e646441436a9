"""The ledger: which sequences of which epoch are stored. An epoch belongs to the edge that first sent it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from asty_contracts.life import Ack
from psycopg import AsyncConnection

from asty_stream.sequences import Sequences

MAX_SEQUENCE = 1 << 53
"""Above it a sequence is no count but an error (and JSON readers would round it)."""
MAX_MISS = 200
"""Ranges named in one acknowledgement; further ones follow when these have arrived."""


@dataclass(slots=True)
class Entry:
    """One locked ledger row; it grows with what this transaction admits."""

    epoch: int
    edge: str
    ep: UUID
    stored: Sequences
    thinned: Sequences
    head: int
    refused: Sequences
    alone: Sequences

    def admit_runs(self, runs: tuple[int, ...]) -> bool:
        """Count runs of sequences (first, count, first, count and so on, rising) as stored, unless any of them is already."""
        stored = self.stored
        for first, count in zip(runs[::2], runs[1::2], strict=True):
            if stored.meets(first, first + count):
                return False
            stored = stored.plus(first, first + count)
            self.head = max(self.head, first + count - 1)
        self.stored = stored
        return True

    def admit(self, items: Sequence[Any]) -> list[Any]:
        """Return those records that are not stored yet, by rising sequence, and count them as stored."""
        numbers = sorted({item.s for item in items})
        if not numbers:
            return []
        self.head = max(self.head, numbers[-1])
        if len(numbers) < len(items) or self.stored.meets(numbers[0], numbers[-1] + 1):
            items = list({item.s: item for item in reversed(items) if item.s not in self.stored}.values())
            numbers = sorted(item.s for item in items)
        self.stored |= Sequences.of(numbers)
        return sorted(items, key=_sequence)

    def give_up(self, ranges: Iterable[tuple[int, int]], below: int) -> None:
        """Account for inclusive ranges that the edge itself thinned; a gap speaks only of sequences below its own."""
        self.thinned |= Sequences((max(1, first), min(last + 1, below)) for first, last in ranges)

    def ack(self) -> Ack:
        """Say what the edge may delete and what it should send again."""
        return ack_of(self.ep, self.stored, self.thinned, self.refused, self.alone)


_sequence = attrgetter("s")
_NONE = Sequences()


def ack_of(ep: UUID, stored: Sequences, thinned: Sequences, refused: Sequences = _NONE, alone: Sequences = _NONE) -> Ack:
    """Acknowledge the unbroken run of what is stored or given up by the edge itself; name what was refused and is in neither."""
    accounted = stored | thinned
    if not (refused.ranges or alone.ranges):
        return Ack(ep, accounted.upto, tuple(accounted.holes()[:MAX_MISS]))
    refused -= accounted
    alone = alone - accounted - refused
    miss = tuple((accounted | refused | alone).holes()[:MAX_MISS])
    return Ack(ep, accounted.upto, miss, alone.inclusive(MAX_MISS), refused.inclusive(MAX_MISS))


async def refuse(connection: AsyncConnection[Any], org: str, edge: str, ep: UUID, numbers: Sequences) -> tuple[str, Ack] | None:
    """Note that a pack of these numbers was refused: for good when it was one number alone; return what to tell the edge.

    None when the epoch belongs to another edge, or nothing of the numbers can be one.
    """
    numbers &= Sequences([(1, MAX_SEQUENCE + 1)])
    if not numbers.ranges:
        return None
    refused, alone = (numbers, _NONE) if len(numbers) == 1 else (_NONE, numbers)
    cursor = await connection.execute(
        """
        INSERT INTO telemetry.ledger AS l (org, edge, ep, refused, alone) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (ep) DO UPDATE SET refused = l.refused + excluded.refused, alone = l.alone + excluded.alone, last_seen = now()
        WHERE l.edge = excluded.edge
        RETURNING l.stored::text, l.thinned::text, l.refused::text, l.alone::text
        """,
        [org, edge, ep, str(refused), str(alone)],
    )
    row = await cursor.fetchone()
    return None if row is None else (edge, ack_of(ep, *map(Sequences.parse, row)))


async def lock(connection: AsyncConnection[Any], owners: dict[UUID, tuple[str, str]]) -> dict[UUID, Entry]:
    """Lock the rows of these epochs, made where they are new for their owner (org, edge), always in the same order."""
    eps = sorted(owners)
    cursor = await connection.execute(
        """
        INSERT INTO telemetry.ledger (org, edge, ep)
        SELECT org, edge, ep FROM unnest(%s::text[], %s::text[], %s::uuid[]) AS new (org, edge, ep)
        WHERE NOT EXISTS (SELECT 1 FROM telemetry.ledger AS l WHERE l.ep = new.ep) ORDER BY ep
        ON CONFLICT (ep) DO NOTHING
        """,
        [[owners[ep][0] for ep in eps], [owners[ep][1] for ep in eps], eps],
    )
    cursor = await connection.execute(
        """
        SELECT epoch, edge, ep, stored::text, thinned::text, head, refused::text, alone::text
        FROM telemetry.ledger WHERE ep = ANY(%s) ORDER BY ep FOR UPDATE
        """,
        [eps],
    )
    return {
        ep: Entry(
            epoch, edge, ep, Sequences.parse(stored), Sequences.parse(thinned), head, Sequences.parse(refused), Sequences.parse(alone)
        )
        async for epoch, edge, ep, stored, thinned, head, refused, alone in cursor
    }


async def write(connection: AsyncConnection[Any], entries: Iterable[Entry]) -> None:
    """Write locked rows back, settled."""
    rows = list(entries)
    await connection.execute(
        """
        UPDATE telemetry.ledger AS l
        SET stored = n.stored, thinned = n.thinned, head = greatest(l.head, n.head), last_seen = now()
        FROM unnest(%s::int[], %s::int8multirange[], %s::int8multirange[], %s::bigint[]) AS n (epoch, stored, thinned, head)
        WHERE l.epoch = n.epoch
        """,
        [[it.epoch for it in rows], [str(it.stored) for it in rows], [str(it.thinned) for it in rows], [it.head for it in rows]],
    )


async def recent_acks(connection: AsyncConnection[Any]) -> list[tuple[str, Ack]]:
    """Return the acknowledgement of each edge's newest epoch that was heard within a day, for a worker that has just started."""
    cursor = await connection.execute(
        """
        SELECT DISTINCT ON (edge) edge, ep, stored::text, thinned::text, refused::text, alone::text FROM telemetry.ledger
        WHERE last_seen > now() - interval '1 day' ORDER BY edge, last_seen DESC
        """
    )
    return [(edge, ack_of(ep, *map(Sequences.parse, sets))) async for edge, ep, *sets in cursor]
