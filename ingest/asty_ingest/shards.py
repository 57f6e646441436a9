"""Which edges are whose, when several processes share one organisation.

MQTT filters cannot hash, so a shard listens to the retained state of every edge (one small message each) and subscribes to the
records and births of those that are its own. An edge says its state at each connect, before its records; what it sends before
the subscription stands is not stored, hence not acknowledged to it, hence sent again.
"""

from collections.abc import Iterable
from zlib import crc32

from asty_contracts.topics import EdgeTopic, Up, all_up

from asty_ingest.settings import Shard


def belongs(edge: str, shard: Shard) -> bool:
    """Tell whether the edge is this shard's: CRC-32 of its id, modulo the number of shards."""
    return crc32(edge.encode()) % shard.count == shard.index


def filters(org: str, shard: Shard, known: Iterable[str]) -> list[str]:
    """Name the subscriptions of a shard that knows these edges as its own."""
    if shard.count == 1:
        return [all_up(leaf, org=org) for leaf in (Up.STATE, Up.BIRTH, Up.RECORDS)]
    return [all_up(Up.STATE, org=org), *(name for edge in known for name in edge_filters(org, edge))]


def edge_filters(org: str, edge: str) -> list[str]:
    """Name the subscriptions to one edge, beside its state."""
    return [str(EdgeTopic(org, edge, leaf)) for leaf in (Up.BIRTH, Up.RECORDS)]
