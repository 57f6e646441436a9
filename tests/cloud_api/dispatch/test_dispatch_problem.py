"""Whatever the register and the scales say, a day comes out of it that can be planned, and what can't be is named with its reason."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from asty_cloud_api.dispatch.chances import Chance, chances
from asty_cloud_api.dispatch.known import Known, KnownBin, KnownLevel, KnownLift, KnownPlace, KnownTruck, Point
from asty_cloud_api.dispatch.making import first_plan
from asty_cloud_api.dispatch.problem import Problem, Rules, problem_of
from asty_cloud_api.dispatch.standing import metres_between
from asty_cloud_api.planning.checker import check
from asty_cloud_api.planning.model import Roads
from asty_cloud_api.planning.stop import Iterations
from hypothesis import given, settings
from hypothesis import strategies as st

ATHENS = ZoneInfo("Europe/Athens")
DAY = date(2026, 11, 24)
RULES = Rules()
HERE = Point(39.3621, 22.9461)
DEPOT, STATION = KnownPlace("depot", "Αμαξοστάσιο", HERE), KnownPlace("transfer_station", "ΣΜΑ", Point(39.3609, 22.9441))
TRUCK = KnownTruck("truck-01", "Α/Φ 1", 4200.0, 64_000.0)
FULL = Chance(0.9, 0.95, 100.0)


def a_bin(name: str = "K-1", at: Point = HERE, **more: object) -> KnownBin:
    return KnownBin(name, "σύμμεικτα", 1100, at, **more)  # type: ignore[arg-type]


def planned(known: Known, foreseen: dict[str, Chance], rules: Rules = RULES) -> dict[str, str]:
    """Plan a day over straight ways, hold it to the checker, and return what is left out with its reason."""
    problem = problem_of(known, foreseen, DAY, ATHENS, rules)
    made = first_plan(problem, roads(problem), Iterations(20), seed=1)
    known_stops = {stop.id for stop in made.day.stops}
    own = tuple(item for item in made.plan.left_out if item.what != "stop" or item.id in known_stops)
    assert check(made.day, replace(made.plan, left_out=own)) == ()
    left = {item.id: item.reason.value for item in made.plan.left_out}
    assert {one.id for one in known.bins} <= left.keys() | made.plan.served
    return left


def roads(problem: Problem) -> dict[str, Roads]:
    """Straight ways at 6 m/s; none to what lies more than 50 km away."""
    metres = np.array([[metres_between(a, b) for b in problem.points] for a in problem.points]).reshape(
        len(problem.points), len(problem.points)
    )
    metres = np.where(metres > 50_000, np.nan, metres)
    return {profile: Roads(metres / 6.0, metres) for profile in problem.measures}


def test_a_weight_that_is_no_number_leaves_its_bin_out_and_nobody_else() -> None:
    known = Known((a_bin("K-1"), a_bin("K-2")), (TRUCK,), (DEPOT, STATION))
    assert planned(known, {"K-1": Chance(0.9, 0.95, math.nan), "K-2": FULL}) == {"K-1": "bad_number"}


@pytest.mark.parametrize("at", [Point(math.nan, 22.9), Point(91.0, 22.9), Point(39.3, math.inf)])
def test_a_bin_that_is_nowhere_is_left_out_as_such(at: Point) -> None:
    assert planned(Known((a_bin("K-1", at), a_bin("K-2")), (TRUCK,), (DEPOT, STATION)), {"K-1": FULL, "K-2": FULL}) == {"K-1": "bad_place"}


def test_a_bin_outside_the_town_is_unreachable() -> None:
    far = a_bin("K-1", Point(37.98, 23.73))
    assert planned(Known((far, a_bin("K-2")), (TRUCK,), (DEPOT, STATION)), {"K-1": FULL, "K-2": FULL}) == {"K-1": "unreachable"}


def test_a_town_without_a_depot_or_trucks_says_so_of_every_bin() -> None:
    without_depot = planned(Known((a_bin(),), (TRUCK,), (STATION,)), {"K-1": FULL})
    assert without_depot == {"truck-01": "bad_place", "K-1": "no_truck"}
    assert planned(Known((a_bin(),), (), (DEPOT, STATION)), {"K-1": FULL})["K-1"] == "no_truck"


def test_a_truck_whose_register_entry_lacks_its_load_stays_at_home() -> None:
    known = Known((a_bin(),), (KnownTruck("truck-01", "Α/Φ 1"), KnownTruck("truck-02", "Α/Φ 2", 4200.0)), (DEPOT, STATION))
    assert planned(known, {"K-1": FULL}) == {"truck-01": "bad_number"}


def test_a_shift_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    night = KnownTruck("truck-01", "Α/Φ 1", 4200.0, shift=("22:00", "06:00"))
    problem = problem_of(Known((a_bin(),), (night,), (DEPOT, STATION)), {"K-1": FULL}, DAY, ATHENS, RULES)
    (truck,) = problem.trucks
    assert problem.moment(truck.shift.start) == datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
    assert problem.moment(truck.shift.end) == datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


def test_windows_are_local_times_on_the_day_when_the_clock_changes_too() -> None:
    market = a_bin(windows=(("06:00", "08:30"),))
    for day, begins in ((DAY, datetime(2026, 11, 24, 4, 0, tzinfo=UTC)), (date(2026, 10, 25), datetime(2026, 10, 25, 4, 0, tzinfo=UTC))):
        problem = problem_of(Known((market,), (TRUCK,), (DEPOT, STATION)), {"K-1": FULL}, day, ATHENS, RULES)
        assert problem.moment(problem.stops[0].windows[0].start) == begins
    night = a_bin(windows=(("22:00", "06:00"),))
    problem = problem_of(Known((night,), (TRUCK,), (DEPOT, STATION)), {"K-1": FULL}, DAY, ATHENS, RULES)
    assert [(w.start, w.end) for w in problem.stops[0].windows] == [(0, 3600), (61_200, 90_000), (147_600, 176_400)]


def test_what_must_be_emptied_is_what_is_likely_to_overflow_or_marked_so() -> None:
    bins = (a_bin("K-1"), a_bin("K-2", must=True, business="Σχολείο"), a_bin("K-3"))
    foreseen = {"K-1": FULL, "K-2": Chance(0.1, 0.01, 11.0), "K-3": Chance(0.3, 0.2, 33.0)}
    problem = problem_of(Known(bins, (TRUCK,), (DEPOT, STATION)), foreseen, DAY, ATHENS, RULES)
    assert [(s.must, s.prize) for s in problem.stops] == [(True, 38.0), (True, 0.4), (False, 8.0)]
    assert problem.whys["K-1"] == "Θα υπερχειλίσει πριν από την επόμενη επίσκεψη (πιθανότητα 95%)"
    assert problem.whys["K-2"] == "Αδειάζει κάθε μέρα: Σχολείο"


def test_a_bin_never_lifted_counts_as_full_and_one_just_emptied_does_not() -> None:
    bins = [a_bin(f"K-{n}") for n in range(1, 4)]
    days = [date(2026, 11, n) for n in range(1, 24)]
    lifts = [KnownLift("K-1", "truck-01", day, datetime(2026, 11, day.day, 6, tzinfo=UTC), 40.0) for day in days]
    lifts += [KnownLift("K-2", "truck-01", date(2026, 10, 20), datetime(2026, 10, 20, 6, tzinfo=UTC), 40.0)]
    found = chances(bins, lifts, DAY)
    assert found["K-3"].overflow == 1.0
    assert not found["K-3"].known
    assert found["K-1"].overflow < 0.5 < found["K-2"].overflow
    assert found["K-1"].kg < found["K-2"].kg


def test_a_level_sensor_corrects_the_forecast_until_the_bin_is_emptied() -> None:
    bins = [a_bin(f"K-{n}") for n in range(1, 4)]
    lifts = [KnownLift(b.id, "truck-01", date(2026, 11, n), datetime(2026, 11, n, 6, tzinfo=UTC), 25.0) for b in bins for n in range(1, 24)]
    at = datetime(2026, 11, 23, 5, tzinfo=UTC)  # an hour before the last lift of all

    def found(*levels: KnownLevel) -> dict[str, Chance]:
        return chances(bins, lifts, DAY, levels=levels)

    plain = found()
    measured = found(KnownLevel("K-1", DAY, datetime(2026, 11, 24, 5, tzinfo=UTC), 0.97), KnownLevel("K-2", date(2026, 11, 23), at, 0.97))
    assert plain["K-1"].overflow < 0.5 < measured["K-1"].overflow
    assert measured["K-1"].level == pytest.approx(0.97)
    assert measured["K-1"].kg > plain["K-1"].kg
    assert measured["K-2"].level == pytest.approx(plain["K-2"].level, abs=0.05), "it was emptied after that reading"
    later = found(KnownLevel("K-3", date(2026, 11, 23), at.replace(hour=12), 0.5))
    assert 0.5 < later["K-3"].level < 0.9, "the measured level, and the rate for the day since"


def test_a_bin_without_lifts_is_known_by_its_sensor() -> None:
    found = chances([a_bin()], [], DAY, levels=[KnownLevel("K-1", DAY, datetime(2026, 11, 24, 5, tzinfo=UTC), 0.1)])
    assert found["K-1"].known
    assert found["K-1"].level == pytest.approx(0.1)


numbers = st.one_of(st.floats(), st.floats(0, 2000), st.none())
points = st.builds(Point, st.one_of(st.floats(), st.floats(39.35, 39.37)), st.one_of(st.floats(), st.floats(22.94, 22.96)))
clocks = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.integers(0, 59))
bins = st.lists(
    st.builds(
        KnownBin, st.sampled_from([f"K-{n}" for n in range(6)]), st.sampled_from(["σύμμεικτα", "γυαλί"]), st.floats(0, 1e5), points,
        service_s=st.integers(0, 7200), must=st.booleans(), windows=st.lists(st.tuples(clocks, clocks), max_size=2).map(tuple),
    ),
    max_size=6, unique_by=lambda one: one.id,
)  # fmt: skip
trucks = st.lists(
    st.builds(
        KnownTruck, st.sampled_from(["truck-01", "truck-02"]), st.just("Α/Φ"), numbers, numbers,
        streams=st.sampled_from([(), ("σύμμεικτα",), ("γυαλί",)]), shift=st.one_of(st.none(), st.tuples(clocks, clocks)),
    ),
    max_size=2, unique_by=lambda one: one.edge,
)  # fmt: skip
places = st.lists(st.builds(KnownPlace, st.sampled_from(["depot", "transfer_station"]), st.just(""), points), unique_by=lambda p: p.kind)
foreseen = st.dictionaries(
    st.sampled_from([f"K-{n}" for n in range(6)]),
    st.builds(Chance, st.floats(0, 1), st.floats(0, 1), st.one_of(st.floats(), st.floats(0, 500))),
)


@settings(max_examples=60, deadline=None)
@given(bins, trucks, places, foreseen)
def test_any_register_gives_a_day_that_the_checker_accepts_and_that_names_what_it_leaves_out(
    some_bins: list[KnownBin], some_trucks: list[KnownTruck], some_places: list[KnownPlace], said: dict[str, Chance]
) -> None:
    planned(Known(tuple(some_bins), tuple(some_trucks), tuple(some_places)), said)
