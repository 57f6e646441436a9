"""The lift: one cycle from idle to idle, with the tag, the two weighings and the place that prove it.

The controller's counter is the truth. It grows by one with each finished cycle; a cycle after which it did not grow was
broken off and is no lift. States only tell when things happened, and sparse polls may miss some of them: what was not
seen is flagged, never guessed.
"""

from dataclasses import dataclass, field

from asty_contracts.records import Lift

from asty_edge.event import Event, Moment
from asty_edge.fusion.positions import Positions
from asty_edge.fusion.tags import Tags
from asty_edge.reading import LiftReading, Weighing

COUNTER = 1 << 32
MOST_MISSED = 1000
"""A counter further ahead than this was set anew; it did not count."""

CLOSE_MS = 1000
"""A weighing between two polls is dated by both of them only if they are this close."""

WATCHED_MS = 5000
"""A lift that was not heard for longer was out of sight, and what the scale says meanwhile belongs to nothing."""

ACTIVE = frozenset({"raising", "dumping", "lowering"})


@dataclass(slots=True)
class _Cycle:
    """A cycle that is going on. `base` is the counter before it."""

    base: int
    started: Moment
    phase: str
    dumped: Moment | None = None
    gross: Weighing | None = None
    tare: Weighing | None = None
    between: list[Weighing] = field(default_factory=list)  # stable ones since the last poll
    weighed_before: bool = False
    weighed_after: bool = False
    overload: bool = False
    out_of_sight: bool = False
    flags: set[str] = field(default_factory=set)


class Lifts:
    """Follows one lift controller."""

    def __init__(self, tags: Tags, positions: Positions, timeout_s: float) -> None:
        self._tags = tags
        self._positions = positions
        self._timeout_ms = int(timeout_s * 1000)
        self._cycle: _Cycle | None = None
        self._last: tuple[LiftReading, Moment] | None = None

    @property
    def cycle_started(self) -> int | None:
        """Monotonic ms of the start of the cycle that is going on."""
        return self._cycle.started.mono if self._cycle else None

    def is_stuck(self, now: int) -> bool:
        """Tell whether a cycle takes longer than `cycle_timeout_s`."""
        return self._cycle is not None and now - self._cycle.started.mono > self._timeout_ms

    def feed(self, reading: LiftReading, when: Moment) -> list[Event]:
        """Take one poll; returns the lifts that it proves."""
        if reading.state == "unknown":
            return []
        last, self._last = self._last, (reading, when)
        if last is None:
            if reading.state in ACTIVE:
                self._begin(reading, when, reading.cycle, "states_missed")
            return []
        if self._cycle is None:
            return self._idle_until(last, reading, when)
        return self._goes_on(self._cycle, last, reading, when)

    def weigh(self, weighing: Weighing, stable: bool) -> bool:
        """Take a weighing; True when it belongs to the cycle that is going on."""
        cycle = self._cycle
        if cycle is None or self._last is None:
            return False
        if weighing.at - self._last[0].at > WATCHED_MS:
            return True
        if cycle.phase == "raising" and cycle.dumped is None:
            cycle.weighed_before = True
        elif cycle.phase == "lowering":
            cycle.weighed_after = True
        if cycle.phase != "dumping":
            cycle.overload |= weighing.kg is None
        if stable:
            cycle.between.append(weighing)
        return True

    def _idle_until(self, last: tuple[LiftReading, Moment], reading: LiftReading, when: Moment) -> list[Event]:
        grown = (reading.cycle - last[0].cycle) % COUNTER
        if reading.state not in ACTIVE:
            return self._unseen(last, reading, when, grown)
        if reading.state == "raising":
            events = self._unseen(last, reading, when, grown)
            self._begin(reading, when, reading.cycle)
            return events
        # Its beginning was missed; a counter that grew since the last poll already counts this very cycle.
        self._begin(reading, when, last[0].cycle, "states_missed")
        return []

    def _goes_on(self, cycle: _Cycle, last: tuple[LiftReading, Moment], reading: LiftReading, when: Moment) -> list[Event]:
        gap = reading.at - last[0].at
        cycle.out_of_sight |= gap > WATCHED_MS
        if reading.fault:
            cycle.flags.add("fault")
        if reading.state == "idle":
            self._date_weighings(cycle, "idle", gap)
            self._cycle = None
            return self._finished(cycle, reading.cycle, when)
        if reading.state == "fault":
            cycle.flags.add("fault")
            return []
        if reading.state == "raising" and cycle.phase != "raising" and reading.cycle != cycle.base:
            # The poll missed idle: the counter says that this is the next bin.
            events = self._finished(cycle, reading.cycle, last[1])
            self._begin(reading, when, reading.cycle)
            return events
        self._date_weighings(cycle, reading.state, gap)
        if reading.state != "raising" and cycle.dumped is None:
            cycle.dumped = when
            if reading.state == "lowering":
                cycle.flags.add("states_missed")
        if reading.state == "raising" and cycle.phase != "raising":
            cycle.tare = None  # shaken once more: what was weighed in between is not the empty bin
        cycle.phase = reading.state
        return []

    def _begin(self, reading: LiftReading, when: Moment, base: int, *flags: str) -> None:
        dumped = None if reading.state == "raising" else when
        self._cycle = _Cycle(base, when, reading.state, dumped, flags={*flags, *(["fault"] if reading.fault else [])})

    def _date_weighings(self, cycle: _Cycle, state: str, gap: int) -> None:
        """Give the stable weighings since the last poll their place before or after the dump, where the two polls tell it."""
        between, cycle.between = cycle.between, []
        if not between:
            return
        close = gap <= CLOSE_MS
        if cycle.phase == "raising" and cycle.dumped is None:
            if state == "raising" or (state == "dumping" and close):
                cycle.gross = between[-1]
        elif (cycle.phase == "lowering" or (cycle.phase == "dumping" and state != "dumping" and close)) and cycle.tare is None:
            cycle.tare = between[0]

    def _finished(self, cycle: _Cycle, counter: int, ended: Moment) -> list[Event]:
        grown = (counter - cycle.base) % COUNTER
        if grown == 0:
            return []
        if grown != 1:
            cycle.flags.add("counter_reset")
            if grown > MOST_MISSED and cycle.dumped is None:
                return []
            if cycle.out_of_sight:
                cycle.gross = cycle.tare = None
        if cycle.dumped is None:
            cycle.flags.add("states_missed")
        return [self._lift(cycle, counter, ended)]

    def _unseen(self, last: tuple[LiftReading, Moment], reading: LiftReading, when: Moment, grown: int) -> list[Event]:
        """A counter that grew between two idle polls: there was a lift, and nothing was seen of it."""
        if not 1 <= grown <= MOST_MISSED:
            return []
        flags = {"states_missed"} if grown == 1 else {"states_missed", "counter_reset"}
        return [self._lift(_Cycle(last[0].cycle, last[1], "idle", flags=flags), reading.cycle, when)]

    def _lift(self, cycle: _Cycle, counter: int, ended: Moment) -> Event:
        dumped = cycle.dumped or ended
        tags = self._tags.take(cycle.started.mono, dumped.mono, ended.mono)
        fix = self._positions.nearest(dumped.mono)
        gross, tare = cycle.gross, cycle.tare
        pair = gross is not None and tare is not None and gross.net == tare.net
        flags = cycle.flags | _tag_flags(tags.tag, tags.others) | _weight_flags(cycle, pair=pair) | (set() if fix else {"no_fix"})
        before, after = gross.kg if gross else None, tare.kg if tare else None
        net = round(before - after, 3) if pair and before is not None and after is not None else None
        lift = Lift(
            cycle=counter,
            started=cycle.started.utc,
            ended=ended.utc,
            tag=tags.tag,
            std=tags.std,
            others=tags.others,
            gross=before,
            tare=after,
            net=net,
            stable=pair,
            lat=fix.lat if fix else None,
            lon=fix.lon if fix else None,
            fix=fix.quality if fix else None,
            fix_age=abs(dumped.mono - fix.at) if fix else None,
            flags=tuple(sorted(flags)),
        )
        return Event(ended, lift)


def _tag_flags(tag: str | None, others: tuple[str, ...]) -> set[str]:
    if tag is None:
        return {"no_tag"}
    return {"two_tags"} if others else set()


def _weight_flags(cycle: _Cycle, *, pair: bool) -> set[str]:
    if pair:
        return set()
    if cycle.gross and cycle.tare:
        return {"mixed_modes"}  # one weighing was net of the indicator's own tare, the other was not
    flags = {"overload"} if cycle.overload else set()
    unstable = (cycle.gross is None and cycle.weighed_before) or (cycle.tare is None and cycle.weighed_after)
    return flags | ({"unstable"} if unstable else {"no_weight"})
