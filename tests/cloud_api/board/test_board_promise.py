"""What a citizen is told: roughly when and how far, or honestly that it is not known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asty_cloud_api.board.lanes import Lane, Line, lane
from asty_cloud_api.board.promise import Promise, of_places, promise, streets_between, window
from asty_cloud_api.board.public import find_street
from asty_cloud_api.board.turnstile import Turnstile
from hypothesis import given
from hypothesis import strategies as st

SIX = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
STREETS = ("Ερμού", "Ερμού", "Κοραή", "Δημητριάδος", "Δημητριάδος", "Αργοναυτών")


def a_lane(done: int, now: datetime, *, heard: datetime | None = None, states: dict[str, str] | None = None, first: str = "") -> Lane:
    """Six bins five minutes apart from 06:05 on; `done` are served on time, `first` before all; `heard`: a position then, at the last."""
    stops, rows = [], []
    for n, street in enumerate(STREETS, 1):
        eta = SIX + timedelta(minutes=5 * n)
        name = f"B-{n}"
        stops.append(
            {"n": n, "kind": "bin", "id": name, "lat": 39.36 + n / 1000, "lon": 22.95, "street": street, "eta": eta.isoformat()}
            | {"service_s": 60, "stream": "residual"}
        )
        state = (states or {}).get(name) or ("served" if n <= done or name == first else "left")
        at = SIX if name == first else eta + timedelta(seconds=60) if state in ("served", "missed") else None
        row = {"bin": name, "edge": "truck-01", "planned_edge": "truck-01", "n": n, "state": state, "at": at, "kg": None, "reason": None}
        rows.append(row | {"said_by": None, "photo": None, "eta": eta})
    route: dict[str, Any] = {"edge": "truck-01", "version": 1, "made": SIX, "stops": stops, "path": None, "figures": {"metres": 4000}}
    route |= {"delivered": None, "seen": None, "accepted": None, "accepted_by": None}
    truck = {"vehicle": "Όχημα 1", "plate": None, "up": True, "lat": None, "lon": None, "at": None}
    if heard is not None:
        truck |= {"lat": 39.36 + done / 1000, "lon": 22.95, "at": heard}
    return lane(route, rows, truck, sign=0, now=now, over=False)


def line(one: Lane, name: str) -> Line:
    return next(found for found in one.lines if found.id == name)


def test_a_street_two_streets_away_is_said_so_with_a_window_of_whole_five_minutes() -> None:
    now = SIX + timedelta(minutes=11)
    one = a_lane(2, now, heard=now)
    found = promise(one, line(one, "B-5"), now)
    assert (found.state, found.streets, found.live) == ("coming", 1, True)
    assert (found.begins, found.ends) == (SIX + timedelta(minutes=20), SIX + timedelta(minutes=35))
    assert promise(one, line(one, "B-3"), now).streets == 0
    assert promise(one, line(one, "B-6"), now).streets == 2


def test_before_the_shift_only_the_plan_is_told_and_no_distance() -> None:
    now = SIX - timedelta(hours=1)
    one = a_lane(0, now, heard=now)
    found = promise(one, line(one, "B-3"), now)
    assert (found.state, found.live, found.streets) == ("coming", False, None)


def test_what_was_served_is_told_with_its_time_and_what_was_missed_too() -> None:
    now = SIX + timedelta(minutes=21)
    one = a_lane(4, now, states={"B-2": "missed"})
    assert promise(one, line(one, "B-1"), now) == Promise("passed", "residual", at=SIX + timedelta(minutes=6))
    assert promise(one, line(one, "B-2"), now).state == "missed"


def test_a_truck_that_nobody_has_heard_of_for_half_an_hour_is_no_news() -> None:
    now = SIX + timedelta(minutes=60)
    one = a_lane(2, now)
    assert promise(one, line(one, "B-5"), now).state == "no_news"
    assert promise(a_lane(2, now, heard=now), line(a_lane(2, now, heard=now), "B-5"), now).state == "coming"


def test_a_stop_that_the_truck_passed_over_is_not_promised() -> None:
    now = SIX + timedelta(minutes=22)
    one = a_lane(4, now, heard=now, states={"B-2": "left"})
    assert line(one, "B-2").state == "passed"
    assert promise(one, line(one, "B-2"), now).state == "no_news"


def test_a_stop_far_ahead_that_was_served_first_is_no_reason_to_call_those_between_passed_over() -> None:
    one = a_lane(2, SIX + timedelta(minutes=12), first="B-6")
    assert [found.state for found in one.lines] == ["served", "served", "next", "left", "left", "served"]
    assert line(a_lane(5, SIX + timedelta(minutes=27), first="B-6"), "B-6").state == "served"
    assert a_lane(5, SIX + timedelta(minutes=27), first="B-6").pace == "done"


def test_of_several_bins_in_a_street_the_next_arrival_counts() -> None:
    now = SIX + timedelta(minutes=6)
    one = a_lane(1, now, heard=now)
    (found,) = of_places([one], frozenset({"B-1", "B-2"}), now)
    assert (found.state, found.streets) == ("coming", 0)
    assert of_places([one], frozenset({"elsewhere"}), now) == ()


def test_a_promise_says_nothing_of_truck_or_worker() -> None:
    assert {"edge", "vehicle", "lat", "lon", "driver", "accepted_by"} & set(Promise.__dataclass_fields__) == set()


@given(st.floats(0, 600), st.floats(0, 59))
def test_a_window_holds_its_estimate_and_begins_no_sooner_than_now(left: float, second: float) -> None:
    now = SIX + timedelta(seconds=second)
    expected = now + timedelta(minutes=left)
    begins, ends = window(expected, now)
    assert begins <= expected <= ends
    assert now - begins < timedelta(minutes=5)
    assert all(at.minute % 5 == 0 and at.second == 0 for at in (begins, ends))
    assert ends - begins <= timedelta(minutes=20) + timedelta(minutes=left) * 0.3


@given(st.integers(0, 5), st.integers(1, 6))
def test_streets_away_never_grows_as_the_truck_comes_nearer(done: int, target: int) -> None:
    now = SIX + timedelta(minutes=5 * done + 1)
    counts = [streets_between((one := a_lane(n, now)).lines, line(one, f"B-{target}")) for n in range(done, -1, -1) if n < target]
    assert counts == sorted(counts)


@pytest.mark.parametrize(
    ("asked", "street", "choices"),
    [
        ("Ερμού", "Ερμού", []),
        ("ερμου", "Ερμού", []),
        ("ΔΗΜΗΤΡ", "Δημητριάδος", []),
        ("αργο", None, ["Αργοναυτών", "Αργολίδος"]),
        ("Αργοναυτών", "Αργοναυτών", []),
        ("Πουθενά", None, []),
        ("  ", None, []),
    ],
)
def test_a_street_is_found_without_accents_by_its_whole_name_or_a_part(asked: str, street: str | None, choices: list[str]) -> None:
    found, several = find_street([*STREETS, "Αργολίδος"], asked)
    assert (found, set(several)) == (street, set(choices))


def test_an_address_asks_so_often_and_then_waits_and_others_do_not() -> None:
    gate = Turnstile(per_minute=3)
    assert [gate.wait("a", 0.0) for _ in range(3)] == [0, 0, 0]
    assert gate.wait("a", 0.0) == pytest.approx(20)
    assert gate.wait("b", 0.0) == 0
    assert gate.wait("a", 21.0) == 0
