"""What to send when. Pure: it is told the time and what happened, reads no clock, touches no socket and no outbox.

Each number that the outbox holds is in exactly one of two places: `todo`, to be sent, or in a pack that is out. Records
younger than the connection, or than a minute when it began, travel in the live lane; the rest is backlog (`h` true). The
lanes have windows of their own, so that live overtakes backlog, and alarms go before everything.

A PUBACK means that the broker has a pack: it frees a place in the window and no more. Only the end-to-end acknowledgement
settles numbers. What it names as missing goes out again at once if it is certain to be lost: the store already has what
was sent later in the same lane, or live after an alarm. Everything else that stays unacknowledged goes out again after
a back-off that is measured from the PUBACK and starts anew whenever the store makes progress; a probe of the oldest
first, and more while that helps, so that a store that is down for hours does not cost the mobile data plan.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from uuid import UUID

from asty_contracts.life import Ack

from asty_edge.ranges import Ranges

FRESH_MS = 60_000
"""A record not older than this when the connection begins is still news."""

FIRST_BACKOFF_MS = 10_000
LAST_BACKOFF_MS = 300_000
PROBE = 1000
"""Records that go out again first; twice as many each time when that brought progress."""

NO_END = (1 << 63) - 1


class Lane(Enum):
    """The ways to the broker, first things first."""

    ALARM = "alarm"
    LIVE = "live"
    BACKLOG = "backlog"


@dataclass(frozen=True, slots=True)
class Tuning:
    """How much of a lane may be out: `window` packs without a PUBACK, `stretch` packs without the end-to-end acknowledgement.

    A pack holds `pack` records or what came within `linger_ms`.
    """

    window: dict[Lane, int] = field(default_factory=lambda: {Lane.ALARM: 4, Lane.LIVE: 8, Lane.BACKLOG: 4})
    stretch: dict[Lane, int] = field(default_factory=lambda: {Lane.ALARM: 100, Lane.LIVE: 600, Lane.BACKLOG: 16})
    pack: int = 100
    linger_ms: int = 1000


@dataclass(frozen=True, slots=True)
class Want:
    """Numbers to read from the outbox and to send as one pack of at most `limit` records."""

    lane: Lane
    numbers: Ranges
    limit: int

    @property
    def historical(self) -> bool:
        """The pack's `h`."""
        return self.lane is Lane.BACKLOG


@dataclass(slots=True)
class _Out:
    """A pack on its way. `order` grows with each pack sent; `puback` is when the broker took it, None before."""

    numbers: Ranges
    lane: Lane
    order: int
    puback: int | None = None

    def goes_before(self, other: "_Out") -> bool:
        """Whether it is stored before the other one, or lost: lanes do not wait for each other, but an alarm is never behind live."""
        is_ahead = self.lane is other.lane or (self.lane is Lane.ALARM and other.lane is Lane.LIVE)
        return is_ahead and self.order < other.order


class Uplink:
    """The sending side of one outbox epoch."""

    def __init__(self, epoch: UUID, acked: int, head: int, tuning: Tuning | None = None) -> None:
        self.epoch = epoch
        self._tuning = tuning or Tuning()
        self._acked = acked
        self._head = head
        self._todo = Ranges([(acked + 1, head)])
        self._urgent = Ranges()
        self._alone = Ranges()  # what was refused in company goes in packs of one
        self._out: dict[int, _Out] = {}
        self._perhaps = Ranges()  # went out once and goes again: nobody knows whether it came
        self._order = 0
        self._connected = False
        self._boundary = head
        self._born: deque[tuple[int, int]] = deque()  # (first number, when) of each append of the last minute
        self._pending_since: int | None = None
        self._flush = False
        self._missing: int | None = None
        self._stored_above = Ranges()
        self._progress_at = 0
        self._backoff = FIRST_BACKOFF_MS
        self._probe = PROBE
        self._probed = False

    # What happened

    def appended(self, first: int, last: int, urgent: Iterable[int], now: int) -> None:
        """Take note of numbers that were born; `urgent` are alarms among them."""
        if last < first:
            return
        self._head = last
        self._todo.add(first, last)
        self._urgent.update(Ranges.of(urgent))
        self._born.append((first, now))
        while self._born[0][1] < now - FRESH_MS:
            self._born.popleft()
        if self._pending_since is None:
            self._pending_since = now

    def connected(self, now: int) -> None:
        """A connection stands: what the broker had not taken goes out again, and the lanes are divided anew."""
        self._connected = True
        self._boundary = next((first - 1 for first, at in self._born if at >= now - FRESH_MS), self._head)
        self._urgent.remove(1, self._boundary)
        self._progress_at = now
        self._backoff = FIRST_BACKOFF_MS
        if self._live():
            self._pending_since = now - self._tuning.linger_ms

    def disconnected(self) -> None:
        """The connection is gone."""
        self._connected = False
        for number in [number for number, out in self._out.items() if out.puback is None]:
            out = self._out.pop(number)
            self._todo.update(out.numbers)
            self._perhaps.update(out.numbers)
            if out.lane is Lane.ALARM:
                self._urgent.update(out.numbers)

    def puback(self, pack: int, now: int) -> None:
        """The broker took a pack."""
        if (out := self._out.get(pack)) is not None and out.puback is None:
            out.puback = now
            if not out.numbers:
                del self._out[pack]

    def flush(self) -> None:
        """Send what waits for company now."""
        self._flush = True

    def acknowledged(self, ack: Ack, now: int) -> bool:
        """Take an end-to-end acknowledgement; False when it is of another epoch or tells nothing new.

        Afterwards everything up to `acked` may be deleted.
        """
        if ack.ep != self.epoch:
            return False
        upto = min(ack.upto, self._head)
        if upto < self._acked:
            return False
        miss = Ranges((max(first, upto + 1), min(last, self._head)) for first, last in ack.miss)
        if upto > self._acked or self._missing is None or len(miss) < self._missing:
            self._progress_at = now
            self._backoff = FIRST_BACKOFF_MS
            self._probe = 2 * self._probe if self._probed else PROBE
            self._probed = False
        self._acked = upto
        self._missing = len(miss)
        self._stored_above = Ranges([(upto + 1, miss.last + 1)] if miss else ())
        self._stored_above.subtract(miss)
        self._settle(upto)
        self._send_lost_again(miss)
        self._send_alone(Ranges(ack.alone))
        return True

    def set_aside(self, numbers: Ranges) -> None:
        """Forget numbers that are not to be sent any more."""
        self._todo.subtract(numbers)
        self._urgent.subtract(numbers)
        self._perhaps.subtract(numbers)
        for out in self._out.values():
            out.numbers.subtract(numbers)

    @property
    def acked(self) -> int:
        """Everything up to here is stored at the other end."""
        return self._acked

    @property
    def on_their_way(self) -> Ranges:
        """Numbers that may already be at the other end."""
        away = self._perhaps.copy()
        for out in self._out.values():
            away.update(out.numbers)
        return away

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be sent and the broker took everything that was."""
        return not self._todo and all(out.puback is not None for out in self._out.values())

    @property
    def unacknowledged(self) -> int:
        """Count the numbers that are not acknowledged."""
        return self._head - self._acked

    # What to do

    def want(self, now: int) -> Want | None:
        """Say what to send next, or None when nothing may go now. Answer with `sent` before asking again."""
        if not self._connected:
            return None
        self._send_unacknowledged_again(now)
        pack = self._tuning.pack
        if (urgent := self._in_company(self._urgent)) and self._has_room(Lane.ALARM):
            return Want(Lane.ALARM, urgent, pack)
        if single := self._todo.common(self._alone):
            lane = Lane.LIVE if single.first > self._boundary else Lane.BACKLOG
            if self._has_room(lane):
                return Want(lane, Ranges([(single.first, single.first)]), 1)
        live = self._live()
        if live and self._has_room(Lane.LIVE) and (self._flush or len(live) >= pack or self._lingered(now)):
            return Want(Lane.LIVE, live, pack)
        backlog = self._in_company(self._todo.within(1, self._boundary))
        if backlog and self._has_room(Lane.BACKLOG):
            return Want(Lane.BACKLOG, backlog, pack)
        return None

    def sent(self, want: Want, numbers: list[int], now: int) -> int | None:
        """Take note that these numbers of a want were published as one pack; returns the pack's id.

        Numbers of the want before the last one sent, and all of them when `numbers` is empty, are not held any more: None.
        """
        covered = want.numbers.within(1, numbers[-1] if numbers else NO_END)
        self._todo.subtract(covered)
        self._urgent.subtract(covered)
        if want.lane is Lane.LIVE and not self._alone.common(want.numbers):
            self._pending_since = now if self._live() else None
            self._flush = self._flush and self._pending_since is not None
        if not numbers:
            return None
        self._order += 1
        self._out[self._order] = _Out(Ranges.of(numbers), want.lane, self._order)
        return self._order

    def wake_at(self, now: int) -> int | None:
        """Say when to ask `want` again if nothing happens until then; None while disconnected or with nothing to wait for."""
        if not self._connected:
            return None
        times = []
        if self._live() and self._has_room(Lane.LIVE):
            times.append(now if self._pending_since is None else self._pending_since + self._tuning.linger_ms)
        if (due := self._resend_at()) is not None:
            times.append(due)
        return min(times, default=None)

    # How

    def _live(self) -> Ranges:
        live = self._todo.within(self._boundary + 1, NO_END)
        live.subtract(self._urgent)
        live.subtract(self._alone)
        return live

    def _in_company(self, numbers: Ranges) -> Ranges:
        """Return which of these may share a pack."""
        numbers = numbers.copy()
        numbers.subtract(self._alone)
        return numbers

    def _lingered(self, now: int) -> bool:
        return self._pending_since is None or now - self._pending_since >= self._tuning.linger_ms

    def _has_room(self, lane: Lane) -> bool:
        out = [out for out in self._out.values() if out.lane is lane]
        waiting = sum(pack.puback is None for pack in out)
        return waiting < self._tuning.window[lane] and len(out) < self._tuning.stretch[lane]

    def _settle(self, upto: int) -> None:
        self._todo.remove(1, upto)
        self._urgent.remove(1, upto)
        self._alone.remove(1, upto)
        self._perhaps.remove(1, upto)
        for number, out in list(self._out.items()):
            out.numbers.remove(1, upto)
            if not out.numbers and out.puback is not None:
                del self._out[number]

    def _send_lost_again(self, miss: Ranges) -> None:
        """The number after a missing range is stored: a pack sent before it, and that goes before it, will not come any more."""
        for first, last in miss:
            witness = self._pack_of(last + 1)
            if witness is None:
                continue
            for number, out in list(self._out.items()):
                if out.puback is not None and out.goes_before(witness):
                    lost = out.numbers.within(first, last)
                    self._take_back(number, lost)

    def _send_alone(self, numbers: Ranges) -> None:
        """Send each of these again in a pack of its own, unless it is on its way in one."""
        alone = numbers.within(self._acked + 1, self._head)
        alone.subtract(self._alone)
        self._alone.update(alone)
        for number, out in list(self._out.items()):
            if again := out.numbers.common(alone):
                self._take_back(number, again)

    def _pack_of(self, number: int) -> _Out | None:
        """Return the last pack that carried a number."""
        return max((out for out in self._out.values() if number in out.numbers), key=lambda out: out.order, default=None)

    def _send_unacknowledged_again(self, now: int) -> None:
        due = self._resend_at()
        if due is None or now < due:
            return
        if self._probed:
            self._probe = PROBE
        self._probed = True
        room = self._probe
        for number, out in sorted(self._out.items(), key=lambda item: item[1].numbers.first if item[1].numbers else 0):
            if room <= 0:
                break
            if out.puback is not None and out.puback <= now - self._backoff:
                again = out.numbers.copy()
                again.subtract(self._stored_above)
                room -= len(again)
                self._perhaps.update(again)
                self._take_back(number, again)
        self._progress_at = now
        self._backoff = min(2 * self._backoff, LAST_BACKOFF_MS)

    def _take_back(self, pack: int, numbers: Ranges) -> None:
        out = self._out[pack]
        out.numbers.subtract(numbers)
        self._todo.update(numbers)
        if out.lane is Lane.ALARM:
            self._urgent.update(numbers.within(self._boundary + 1, NO_END))
        if not out.numbers:
            del self._out[pack]

    def _resend_at(self) -> int | None:
        oldest = min((out.puback for out in self._out.values() if out.puback is not None), default=None)
        return None if oldest is None else max(oldest, self._progress_at) + self._backoff
