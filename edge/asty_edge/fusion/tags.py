"""Which tag reads belong to a lift, and which are bins seen in passing."""

from dataclasses import dataclass

from asty_contracts.records import BinSeen

from asty_edge.event import Event, Moment
from asty_edge.fusion.positions import Positions
from asty_edge.reading import TagRead

BEFORE_MS = 10_000
"""A bin is read while it is wheeled to the lift, up to this long before the lift moves."""

AGAIN_MS = 300_000
"""A tag that was lifted or seen is not seen again within this time: it is the same bin, still standing there."""


@dataclass(frozen=True, slots=True)
class LiftTags:
    """The tags of one lift: the one that counts, and further ones."""

    tag: str | None = None
    std: str | None = None
    others: tuple[str, ...] = ()


class Tags:
    """Keeps reads until a lift takes them, or until it is certain that none will."""

    def __init__(self) -> None:
        self._reads: list[tuple[TagRead, Moment]] = []
        self._known: dict[str, int] = {}
        self._lifted: str | None = None

    def feed(self, read: TagRead, when: Moment) -> None:
        """Take a read."""
        self._reads.append((read, when))

    def take(self, started: int, dumped: int, ended: int) -> LiftTags:
        """Take the reads of a lift, from 10 s before its start to its dump; of several tags the one read nearest to the start counts.

        Reads of the taken tags up to the end of the lift go with it: the same bin passes the antenna again on its way down.
        """
        mine = [read for read, _ in self._reads if started - BEFORE_MS <= read.at <= dumped]
        if len({read.tag for read in mine}) > 1:
            # The bin of the lift before may still be beside the antenna when this one starts.
            mine = [read for read in mine if read.tag != self._lifted or read.at >= started]
        mine.sort(key=lambda read: abs(read.at - started))
        tags = list(dict.fromkeys(read.tag for read in mine))
        self._reads = [(read, when) for read, when in self._reads if not (read.tag in tags and read.at <= ended)]
        self._lifted = tags[0] if tags else None
        self._known.update(dict.fromkeys(tags, ended))
        return LiftTags(tags[0], mine[0].std, tuple(tags[1:])) if tags else LiftTags()

    def passed(self, now: int, cycle_started: int | None, positions: Positions) -> list[Event]:
        """Return the bins that were read and that no lift can take any more."""
        limit = (now if cycle_started is None else cycle_started) - BEFORE_MS
        self._known = {tag: at for tag, at in self._known.items() if at > now - AGAIN_MS}
        seen = []
        for read, when in self._reads:
            if read.at >= limit or read.tag in self._known:
                continue
            self._known[read.tag] = read.at
            fix = positions.nearest(read.at)
            place = (fix.lat, fix.lon) if fix else (None, None)
            seen.append(Event(when, BinSeen(read.tag, read.std, *place)))
        self._reads = [(read, when) for read, when in self._reads if read.at >= limit]
        return seen
