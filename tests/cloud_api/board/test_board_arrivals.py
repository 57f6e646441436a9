"""When a truck is expected at what it still has to do."""

from datetime import UTC, datetime, timedelta

import pytest
from asty_cloud_api.board.arrivals import FRESH, Call, Here, arrivals, metres_between
from hypothesis import given
from hypothesis import strategies as st

SIX = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
STREET = 0.002  # degrees of latitude, 222 m


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def route(count: int = 5, leg: float = 120, service: float = 60, wait: dict[int, float] | None = None) -> list[Call]:
    """Calls up a straight street, `leg` s apart; `wait` seconds are planned before service at some."""
    calls, at = [], SIX
    for n in range(count):
        at += timedelta(seconds=leg)
        calls.append(Call(39.36 + n * STREET, 22.95, at + timedelta(seconds=(wait or {}).get(n, 0)), service, leg))
        at = calls[-1].eta + timedelta(seconds=service)
    return calls


def test_a_truck_that_has_not_set_out_is_expected_as_planned() -> None:
    calls = route()
    found = arrivals(calls, 0, here=Here(39.30, 22.90, SIX - minutes(30)), last=None, now=SIX - minutes(30))
    assert (list(found.at), found.basis, found.late) == ([call.eta for call in calls], "plan", 0)


@pytest.mark.parametrize("delay", [0, 7, 42])
def test_a_delay_at_the_last_stop_moves_all_that_follow(delay: float) -> None:
    calls = route()
    left = calls[1].eta + timedelta(seconds=60) + minutes(delay)
    found = arrivals(calls, 2, here=None, last=left, now=left)
    assert list(found.at) == [call.eta + minutes(delay) for call in calls[2:]]
    assert (found.basis, found.late) == ("last_stop", delay * 60)


def test_half_way_to_a_stop_half_the_leg_is_left() -> None:
    calls = route()
    now = SIX + minutes(20)
    found = arrivals(calls, 2, here=Here(39.36 + 1.5 * STREET, 22.95, now), last=now - minutes(1), now=now)
    assert found.basis == "position"
    assert (found.at[0] - now).total_seconds() == pytest.approx(60, abs=1)


def test_an_old_position_says_nothing_about_where_the_truck_is() -> None:
    calls = route()
    now = SIX + minutes(30)
    old = Here(39.36 + 1.9 * STREET, 22.95, now - FRESH - minutes(1))
    assert arrivals(calls, 2, here=old, last=now - minutes(1), now=now).basis == "last_stop"


def test_a_stop_that_the_plan_waits_for_is_not_served_before_its_hour() -> None:
    calls = route(wait={3: 1800})  # a market that may be entered half an hour later
    early = calls[1].eta + timedelta(seconds=60) - minutes(10)
    at = arrivals(calls, 2, here=None, last=early, now=early).at
    assert at[0] == calls[2].eta - minutes(10)
    assert at[2] == calls[4].eta  # it waited, and goes on as planned


def test_a_late_truck_waits_less_and_catches_up() -> None:
    calls = route(wait={3: 1800})
    late = calls[1].eta + timedelta(seconds=60) + minutes(20)
    at = arrivals(calls, 2, here=None, last=late, now=late).at
    assert at[0] - calls[2].eta == minutes(20)
    assert at[2] == calls[4].eta


def test_without_planned_legs_the_planned_times_give_them() -> None:
    calls = [Call(call.lat, call.lon, call.eta, call.service_s, None) for call in route()]
    left = calls[1].eta + timedelta(seconds=60) + minutes(5)
    assert list(arrivals(calls, 2, here=None, last=left, now=left).at) == [call.eta + minutes(5) for call in calls[2:]]


def test_a_route_that_is_done_tells_how_late_it_was() -> None:
    calls = route()
    found = arrivals(calls, 5, here=None, last=calls[-1].eta + minutes(9), now=SIX + minutes(200))
    assert (found.at, found.late) == ((), 9 * 60 - 60)
    with pytest.raises(IndexError):
        arrivals(calls, 6, here=None, last=None, now=SIX)


def test_a_street_of_the_town_is_as_long_as_it_is() -> None:
    assert metres_between(39.36, 22.95, 39.361, 22.95) == pytest.approx(111.2, abs=0.3)
    assert metres_between(39.36, 22.95, 39.36, 22.951) == pytest.approx(86.0, abs=0.3)


places = st.tuples(st.floats(39.34, 39.38), st.floats(22.93, 22.98))


@st.composite
def days(draw: st.DrawFn) -> tuple[list[Call], int, Here | None, datetime | None, datetime]:
    at, calls = SIX, []
    for _ in range(draw(st.integers(1, 12))):
        lat, lon = draw(places)
        leg = draw(st.floats(0, 1800))
        at += timedelta(seconds=leg + draw(st.sampled_from([0, 0, 30, 3600])))
        service = draw(st.floats(0, 900))
        calls.append(Call(lat, lon, at, service, draw(st.sampled_from([leg, None]))))
        at += timedelta(seconds=service)
    now = SIX + timedelta(minutes=draw(st.floats(-60, 600)))
    done = draw(st.integers(0, len(calls)))
    here = draw(st.none() | st.builds(lambda p, age: Here(*p, now - timedelta(minutes=age)), places, st.floats(0, 30)))
    last = now - timedelta(minutes=draw(st.floats(0, 90))) if done else None
    return calls, done, here, last, now


@given(days())
def test_what_is_ahead_comes_in_order_and_not_in_the_past(day: tuple[list[Call], int, Here | None, datetime | None, datetime]) -> None:
    calls, done, here, last, now = day
    found = arrivals(calls, done, here=here, last=last, now=now)
    assert len(found.at) == len(calls) - done
    times = [now, *found.at]
    assert times == sorted(times)


@given(days(), st.floats(0, 120))
def test_a_later_last_stop_never_makes_anything_earlier(
    day: tuple[list[Call], int, Here | None, datetime | None, datetime], later: float
) -> None:
    calls, done, _, last, now = day
    if last is None:
        return
    now += timedelta(hours=3)
    sooner = arrivals(calls, done, here=None, last=last, now=now).at
    after = arrivals(calls, done, here=None, last=last + timedelta(minutes=later), now=now).at
    assert all(a <= b for a, b in zip(sooner, after, strict=True))
