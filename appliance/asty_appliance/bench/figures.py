"""From what was seen during a load to its figures. Pure."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import Struct

from asty_appliance.bench.fleet import Tick
from asty_appliance.bench.latency import Latencies, Summary
from asty_appliance.bench.legs import Way, legs
from asty_appliance.bench.plot import Curve, Panel, Phase
from asty_appliance.bench.watch import Heard, Seen, Used

WINDOW_S = 5.0
NEVER = 1 << 62


class Sent(NamedTuple):
    """A live pack: its edge, first and last sequence, and the times of its first and last reading (UTC ms)."""

    edge: str
    first: int
    last: int
    t_first: int
    t_last: int


class Rung(NamedTuple):
    """An alarm: its edge, its number on the page, its sequence, its time (UTC ms)."""

    edge: str
    number: int
    s: int
    t: int


class Stretch(Struct, frozen=True):
    """One phase: readings and alarms by the time they were read; latencies in ms; `unseen` were never seen to arrive.

    `legs` divide the way of the alarms (`bench.legs`). `cpu` is each process's share of one core (%), `memory` its highest resident
    size (MB, PostgreSQL without what it shares).
    """

    name: str
    seconds: float
    readings: int
    sensor_to_row: Summary
    alarm_to_event: Summary
    alarm_to_page: Summary
    legs: dict[str, Summary]
    unseen: int
    cpu: dict[str, float]
    memory: dict[str, int]


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was seen of one load.

    Of alarms: `rung` as read, `handed` to the MQTT client (by edge and sequence, UTC ms), `received` by ingest (the same), the `noticed`
    commits, the events `heard`, and `shown`, when (UTC ms) the alarm of a number first stood on the page.
    """

    phases: list[Phase]
    sent: list[Sent]
    rung: list[Rung]
    seen: list[Seen]
    heard: list[Heard]
    shown: dict[int, int]
    used: list[Used]
    ticks: list[Tick]
    handed: dict[tuple[str, int], int]
    received: dict[tuple[str, int], int]
    noticed: list[Heard]


class Arrived(NamedTuple):
    """A thing of `t` (UTC ms) that took `ms` to arrive; `n` alike. `ms` is NEVER when it was not seen to."""

    t: int
    ms: int
    n: int = 1


def stretches(it: Observed) -> list[Stretch]:
    """Return the figures of each phase. A reading belongs to the phase in which it was read, wherever it arrived."""
    rows, events, pages = stored(it.sent, it.seen), alarms_heard(it.rung, it.heard, it.seen), alarms_shown(it.rung, it.shown)
    walked = list(ways(it, events))
    return [
        Stretch(
            name=phase.name,
            seconds=round(phase.end - phase.begin, 1),
            readings=sum(row.n for row in _of(rows, phase)),
            sensor_to_row=_summary(_of(rows, phase)),
            alarm_to_event=_summary(_of(events, phase)),
            alarm_to_page=_summary(_of(pages, phase)),
            legs=legs(way for way in walked if phase.begin <= way.read / 1000 < phase.end),
            unseen=sum(row.n for row in _of(rows + events + pages, phase) if row.ms == NEVER),
            cpu=cpu_share(it.used, phase),
            memory=peak_memory(it.used, phase),
        )
        for phase in it.phases
    ]


def stored(sent: Iterable[Sent], seen: Iterable[Seen]) -> list[Arrived]:
    """Tell for each live reading how long after it was read its row was seen to be stored."""
    ladders = _ladders(seen)
    arrived = []
    for pack in sent:
        when = ladders[pack.edge].when(pack.last)
        readings = pack.last - pack.first + 1
        step = (pack.t_last - pack.t_first) / max(1, readings - 1)
        for number in range(readings):
            t = round(pack.t_first + number * step)
            arrived.append(Arrived(t, NEVER if when is None else when - t))
    return arrived


def alarms_heard(rung: Iterable[Rung], heard: Sequence[Heard], seen: Iterable[Seen]) -> list[Arrived]:
    """Tell for each alarm how long it took until an event told a page of it: one that names its edge, or, once it is stored, one that
    names none. An edge's alarms come further apart than they take.
    """
    naming: dict[str, list[int]] = defaultdict(list)
    for event in heard:
        for edge in event.edges:
            naming[edge].append(event.at)
    nameless = [event.at for event in heard if not event.edges]
    ladders = _ladders(seen)
    arrived = []
    for alarm in rung:
        times = [_first(naming[alarm.edge], alarm.t), _first(nameless, ladders[alarm.edge].when(alarm.s))]
        when = min((time for time in times if time is not None), default=None)
        arrived.append(Arrived(alarm.t, NEVER if when is None else when - alarm.t))
    return arrived


def alarms_shown(rung: Iterable[Rung], shown: dict[int, int]) -> list[Arrived]:
    """Tell for each alarm how long it took until it stood on the page."""
    return [Arrived(alarm.t, shown[alarm.number] - alarm.t if alarm.number in shown else NEVER) for alarm in rung]


def ways(it: Observed, events: Sequence[Arrived]) -> Iterator[Way]:
    """Tell the way of each alarm; `events` are theirs, in the same order."""
    notices: dict[str, list[int]] = defaultdict(list)
    for notice in it.noticed:
        for edge in notice.edges:
            notices[edge].append(notice.at)
    for alarm, event in zip(it.rung, events, strict=True):
        received = it.received.get((alarm.edge, alarm.s))
        heard = alarm.t + event.ms if event.ms != NEVER else None
        yield Way(
            alarm.t,
            it.handed.get((alarm.edge, alarm.s)),
            received,
            _first(notices[alarm.edge], received),
            heard,
            it.shown.get(alarm.number),
        )


def cpu_share(used: Iterable[Used], phase: Phase) -> dict[str, float]:
    """Return each process's mean share of one core in a phase, in percent; nothing for one that was sampled only once.

    A process that began anew counts from zero.
    """
    spent: dict[str, float] = defaultdict(float)
    first: dict[str, float] = {}
    before: dict[str, Used] = {}
    for one in used:
        if phase.begin <= one.at <= phase.end:
            if (last := before.get(one.name)) is not None:
                spent[one.name] += max(0.0, one.cpu - last.cpu) if one.cpu >= last.cpu else one.cpu
            first.setdefault(one.name, one.at)
            before[one.name] = one
    return {name: round(100 * spent[name] / (before[name].at - first[name]), 1) for name in first if before[name].at > first[name]}


def peak_memory(used: Iterable[Used], phase: Phase) -> dict[str, int]:
    """Return each process's highest memory in a phase, MB."""
    peaks: dict[str, int] = defaultdict(int)
    for one in used:
        if phase.begin <= one.at <= phase.end:
            peaks[one.name] = max(peaks[one.name], round(one.rss / 1e6))
    return dict(peaks)


def panels(it: Observed) -> list[Panel]:
    """Return the curves of a load over time (UTC s)."""
    rows = stored(it.sent, it.seen)
    events = alarms_heard(it.rung, it.heard, it.seen)
    names = sorted({one.name for one in it.used})
    return [
        Panel("sensor to stored row, s (by the time of reading)", _quantiles(rows)),
        Panel("alarm to event on the live page, s", _quantiles(events)),
        Panel("records that edges hold without an acknowledgement", _held(it.ticks)),
        Panel("CPU, % of one core", [Curve(name, _cpu(it.used, name)) for name in names]),
    ]


def _quantiles(arrived: Sequence[Arrived]) -> list[Curve]:
    windows: dict[int, Latencies] = defaultdict(Latencies)
    for one in arrived:
        if one.ms != NEVER:
            windows[int(one.t / 1000 // WINDOW_S)].add(one.ms, one.n)
    curves = []
    for name, q in (("p50", 0.5), ("p99", 0.99)):
        points = [((window + 0.5) * WINDOW_S, (windows[window].percentile(q) or 0) / 1000) for window in sorted(windows)]
        curves.append(Curve(name, points))
    return curves


def _held(ticks: Sequence[Tick]) -> list[Curve]:
    some = ticks[:: max(1, len(ticks) // 400)]
    return [Curve("live", [(tick.at, tick.held) for tick in some]), Curve("backlog", [(tick.at, tick.backlog) for tick in some])]


def _cpu(used: Iterable[Used], name: str) -> list[tuple[float, float]]:
    points = []
    last: Used | None = None
    for one in used:
        if one.name != name:
            continue
        if last is None:
            last = one
        elif one.at - last.at >= WINDOW_S:
            spent = one.cpu - last.cpu if one.cpu >= last.cpu else one.cpu
            points.append(((one.at + last.at) / 2, 100 * spent / (one.at - last.at)))
            last = one
    return points


@dataclass(slots=True)
class _Ladder:
    """How far an edge was stored, and when."""

    at: list[int] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)

    def when(self, s: int) -> int | None:
        place = bisect_left(self.heads, s)
        return self.at[place] if place < len(self.at) else None


def _ladders(seen: Iterable[Seen]) -> dict[str, _Ladder]:
    ladders: dict[str, _Ladder] = defaultdict(_Ladder)
    for one in seen:
        ladder = ladders[one.edge]
        if not ladder.heads or one.head > ladder.heads[-1]:
            ladder.at.append(one.at)
            ladder.heads.append(one.head)
    return ladders


def _first(times: Sequence[int], since: int | None) -> int | None:
    """Return the first of rising times that is not before `since`."""
    if since is None:
        return None
    place = bisect_left(times, since)
    return times[place] if place < len(times) else None


def _of(arrived: Iterable[Arrived], phase: Phase) -> list[Arrived]:
    return [one for one in arrived if phase.begin <= one.t / 1000 < phase.end]


def _summary(arrived: Iterable[Arrived]) -> Summary:
    latencies = Latencies()
    for one in arrived:
        if one.ms != NEVER:
            latencies.add(one.ms, one.n)
    return latencies.summary()
