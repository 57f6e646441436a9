"""Which packs travel together: Kafka messages must be few and large, since each costs its reader far more than its bytes.

What was read from MQTT at once goes at once, together. What comes while that is under way goes together when it has arrived, or
at MOST_BYTES: a lone pack waits for nothing, and under load the groups grow as long as Kafka takes. Waits for nothing itself,
locks nothing.
"""

from collections import defaultdict
from typing import Protocol
from zlib import crc32

from asty_ingest.verify import Incoming

MOST_BYTES = 256 * 1024


class Member(Protocol):
    """What travels in a group."""

    @property
    def message(self) -> Incoming: ...


class Groups[M: Member]:
    """The groups of one Kafka topic. Packs of an edge always share a group, so that they stay in order."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._waiting: defaultdict[str, list[M]] = defaultdict(list)
        self._bytes: defaultdict[str, int] = defaultdict(int)
        self._under_way: defaultdict[str, int] = defaultdict(int)

    def key_of(self, edge: str) -> str:
        """Name the group of an edge: `g` and CRC-32 of its id, modulo the number of groups."""
        return f"g{crc32(edge.encode()) % self._count}"

    def put(self, key: str, member: M) -> list[M]:
        """Take one member; return those that are too many to wait any longer, which may be none."""
        self._waiting[key].append(member)
        self._bytes[key] += len(member.message.payload)
        return self._leave(key) if self._bytes[key] >= MOST_BYTES else []

    def idle(self, key: str) -> list[M]:
        """Return those that shall leave because nothing is under way, which may be none."""
        return self._leave(key) if self._waiting.get(key) and not self._under_way[key] else []

    def arrived(self, key: str) -> list[M]:
        """A group is no longer under way, for better or worse; return those that shall leave now, which may be none."""
        self._under_way[key] -= 1
        return self.idle(key)

    def _leave(self, key: str) -> list[M]:
        self._under_way[key] += 1
        self._bytes[key] = 0
        return self._waiting.pop(key)
