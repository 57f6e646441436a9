"""The rules, by tables."""

from datetime import UTC, date, datetime
from uuid import UUID

import msgspec
import pytest
from asty_contracts.life import State
from asty_contracts.records import Alarm, Lift
from asty_stream.kafka import Progress
from asty_stream.rules.alarms import alarm_changes, judge, since
from asty_stream.rules.happened import Happened
from asty_stream.rules.life import KnownLife, accepts
from asty_stream.rules.lifts import announce, bin_changes
from asty_stream.rules.timing import marks_of, shift_of_hour
from asty_stream.watchdog import Watchdog

NOW = 1_795_500_000_000
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
EP, EP2, OLD, NEW = (UUID(int=n) for n in range(1, 5))


def happened[D](d: D, t: int = NOW, *, s: int = 1, credible: bool = True, backlog: bool = False) -> Happened[D]:
    return Happened("demo", "truck-01", EP, 7, s, t, credible, backlog, d)


@pytest.mark.parametrize(
    ("t", "marks"),
    [
        (NOW, []), (NOW + 5 * MINUTE, []), (NOW + 5 * MINUTE + 1, ["future"]), (NOW - 60 * DAY, []), (NOW - 60 * DAY - 1, ["past"]),
        (0, ["past"]), (-(1 << 61), ["past"]), (1 << 61, ["future"]),
    ],
)  # fmt: skip
def test_a_time_is_marked_when_it_cannot_be(t: int, marks: list[str]) -> None:
    assert marks_of(t, NOW) == marks


def test_a_time_before_2024_is_marked_even_if_it_was_received_then() -> None:
    received = int(datetime(2007, 4, 10, tzinfo=UTC).timestamp() * 1000)
    assert marks_of(received, received) == ["past"]


@pytest.mark.parametrize(
    ("utc", "day", "name"),
    [
        ("2026-11-24T02:59", date(2026, 11, 23), "night"), ("2026-11-24T03:00", date(2026, 11, 24), "morning"),
        ("2026-11-24T11:00", date(2026, 11, 24), "afternoon"), ("2026-11-24T19:00", date(2026, 11, 24), "night"),
        ("2026-07-01T02:00", date(2026, 7, 1), "morning"), ("2026-10-25T00:30", date(2026, 10, 24), "night"),
    ],
)  # fmt: skip
def test_a_night_shift_belongs_to_the_day_on_which_it_began(utc: str, day: date, name: str) -> None:
    assert shift_of_hour(int(datetime.fromisoformat(f"{utc}+00:00").timestamp()) // 3600) == (day, name)


@pytest.mark.parametrize(
    ("age", "credible", "backlog", "live"),
    [
        (0, True, False, True),
        (5 * MINUTE, True, False, True),
        (5 * MINUTE + 1, True, False, False),
        (0, False, False, False),
        (0, True, True, False),
    ],
)
def test_an_alarm_is_live_only_while_it_is_news(age: int, credible: bool, backlog: bool, live: bool) -> None:
    alert = judge(happened(Alarm("fuel_theft", True, "tank", "critical", "-30 l"), NOW - age, credible=credible, backlog=backlog), NOW)
    assert (alert.live, alert.code, alert.on, alert.severity, alert.device, alert.info) == (
        live,
        "fuel_theft",
        True,
        "critical",
        "tank",
        "-30 l",
    )


def test_alarms_are_grouped_by_what_they_are_about_and_ordered_by_event_time() -> None:
    late, early, other = (happened(Alarm("x", True, device), NOW + t, s=s) for s, (device, t) in enumerate([("a", 9), ("a", 1), (None, 5)]))
    changes = alarm_changes([late, early, other, happened(Alarm("x", True, "a"), credible=False)])
    assert {key.device: [it.t - NOW for it in group] for key, group in changes.items()} == {"a": [1, 9], "": [5]}


@pytest.mark.parametrize(
    ("said", "was", "start"),
    [
        ([(True, 5)], None, 5),
        ([(True, 5), (True, 9)], None, 5),
        ([(True, 5)], 2, 2),
        ([(True, 5), (False, 7), (True, 9)], 2, 9),
        ([(False, 7)], 2, 7),
    ],
)
def test_an_alarm_said_again_began_when_it_was_first_said(said: list[tuple[bool, int]], was: int | None, start: int) -> None:
    assert since([happened(Alarm("x", on), t) for on, t in said], was) == start


def test_bins_are_folded_by_tag_and_a_lift_without_tag_or_time_changes_none() -> None:
    def lift(tag: str | None, t: int, **more: bool) -> Happened[Lift]:
        return happened(Lift(1, t, t, tag=tag), t, **more)

    changes = bin_changes([lift("A", 5), lift("A", 9), lift("A", 7), lift(None, 9), lift("B", 3, credible=False)])
    assert {tag: (change.newest.t, change.lifts) for tag, change in changes.items()} == {"A": (9, 3)}


def test_a_lift_is_announced_with_what_the_town_asks() -> None:
    event = announce(happened(Lift(1, 0, 9, tag="AA", net=118.0, lat=39.3, lon=22.9)))
    assert (msgspec.to_builtins(event)["ev"], event.ep, event.s, event.tag, event.net, event.lat) == (
        "bin_lifted",
        EP,
        1,
        "AA",
        118.0,
        39.3,
    )


def state(n: int, at: int, session: UUID = NEW, ep: UUID | None = EP, *, up: bool = False) -> State:
    return State(up, session, n, at, ep)


@pytest.mark.parametrize(
    ("known", "said", "news"),
    [
        (KnownLife(), state(1, 5), True),
        (KnownLife(NEW, EP, 3, 5), state(3, 5), True),
        (KnownLife(NEW, EP, 3, 5), state(2, 4, OLD), False),
        (KnownLife(OLD, EP, 3, 5), state(4, 9), True),
        (KnownLife(NEW, EP2, 1, 50), state(57, 5, OLD, EP), False),
        (KnownLife(OLD, EP2, 57, 5), state(1, 50, NEW, EP), True),
        (KnownLife(NEW, EP2, 57, 50), state(1, 5, NEW, EP), True),
    ],
)
def test_a_late_will_does_not_bury_a_newer_session_even_after_a_lost_outbox(known: KnownLife, said: State, news: bool) -> None:
    assert accepts(known, said) == news


def test_the_watchdog_barks_only_when_messages_wait_untaken_and_nothing_explains_it() -> None:
    def seen(*, waiting: int, place: int = 0) -> Progress:
        return Progress({("telemetry.v1", 0): place}, waiting)

    dog = Watchdog(30)
    assert not dog.observe(0, seen(waiting=5), excused=False)
    assert not dog.observe(29, seen(waiting=5), excused=False)
    assert dog.observe(30, seen(waiting=5), excused=False)
    assert not dog.observe(31, seen(waiting=4, place=1), excused=False), "it moved"
    assert not dog.observe(70, seen(waiting=4, place=1), excused=True), "the database is away"
    assert not dog.observe(99, seen(waiting=4, place=1), excused=False), "patience begins anew"
    assert not dog.observe(200, seen(waiting=0, place=1), excused=False), "nothing waits"


def test_two_lifts_of_the_same_instant_are_ordered_by_epoch_and_sequence() -> None:
    first, second = happened(Lift(1, 0, 9), s=1), happened(Lift(2, 0, 9), s=2)
    assert first.order < second.order
