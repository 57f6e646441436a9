"""Which packs travel together: Kafka messages must be few and large, since each costs its reader far more than its bytes.

What was read from MQTT at once goes at once, together. What comes while that is under way goes together when it has arrived, though
no sooner than `gather` seconds after it left, or at MOST_BYTES: a lone pack waits for nothing, and under load the groups grow. Waits
for nothing itself, locks nothing; times are monotonic seconds.
"""

import math
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

    def __init__(self, count: int, gather: float) -> None:
        self._count = count
        self._gather = gather
        self._left: dict[str, float] = {}
        self._waiting: defaultdict[str, list[M]] = defaultdict(list)
        self._bytes: defaultdict[str, int] = defaultdict(int)
        self._under_way: defaultdict[str, int] = defaultdict(int)

    def key_of(self, edge: str) -> str:
        """Name the group of an edge: `g` and CRC-32 of its id, modulo the number of groups."""
        return f"g{crc32(edge.encode()) % self._count}"

    @property
    def waiting(self) -> list[str]:
        """Name the groups that have not left."""
        return list(self._waiting)

    def put(self, key: str, member: M, now: float) -> list[M]:
        """Take one member; return those that are too many to wait any longer, which may be none."""
        self._waiting[key].append(member)
        self._bytes[key] += len(member.message.payload)
        return self._leave(key, now) if self._bytes[key] >= MOST_BYTES else []

    def idle(self, key: str, now: float) -> list[M]:
        """Return those that shall leave because nothing is under way, which may be none."""
        is_due = self._waiting.get(key) and not self._under_way[key] and now - self._left.get(key, -math.inf) >= self._gather
        return self._leave(key, now) if is_due else []

    def arrived(self, key: str, now: float) -> list[M]:
        """A group is no longer under way, for better or worse; return those that shall leave now, which may be none."""
        self._under_way[key] -= 1
        return self.idle(key, now)

    def _leave(self, key: str, now: float) -> list[M]:
        self._under_way[key] += 1
        self._left[key] = now
        self._bytes[key] = 0
        return self._waiting.pop(key)
