"""The parts of a rehearsal: waste that nobody can look at, weekdays from lifts, shifts with real loads, honest intervals."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from asty_cloud_api.planning.model import Roads, Station, Truck, Window
from asty_cloud_api.planning.schedule import Step
from asty_cloud_api.rehearsal import fixed, known, waste
from asty_cloud_api.rehearsal.fixed import Observed
from asty_cloud_api.rehearsal.foresight import until_next
from asty_cloud_api.rehearsal.ground import Ground, Site, lay_out
from asty_cloud_api.rehearsal.month import DayBooks
from asty_cloud_api.rehearsal.shift import drive
from asty_cloud_api.rehearsal.summary import mean, totals
from asty_town import Town, read

MONDAY = date(2026, 10, 5)


@pytest.fixture(scope="module")
def town(town_file) -> Town:
    return read(town_file)


@pytest.fixture(scope="module")
def ground(town: Town) -> Ground:
    return lay_out(town, 60, 1)


def site(number: int, stream: str = "residual") -> Site:
    return Site(f"bin-{number}", stream, 1100, 39.36, 22.95, 100.0 * number, 0.0, 0.5)


def weeks(*daily: float, count: int = 8) -> Observed:
    """Bins that give this share each day; what falls on a Saturday and a Sunday comes out on Monday."""
    mornings = tuple(d for i in range(7 * count) if (d := MONDAY + timedelta(days=i)).weekday() != fixed.SUNDAY)
    share = np.array([[rate * (2 if d.weekday() == 0 else 1) for d in mornings] for rate in daily])
    return Observed(mornings, share)


def test_every_bin_is_reached_from_everywhere_and_streets_keep_their_direction(ground: Ground) -> None:
    assert len(ground.bins) == 60
    assert np.isfinite(ground.roads.seconds).all()
    assert (np.diagonal(ground.roads.seconds) == 0).all()
    assert (ground.roads.metres != ground.roads.metres.T).any()
    some = ground.roads.metres
    assert all(some[a, c] <= some[a, b] + some[b, c] + 2000 for a, b, c in ((2, 3, 4), (5, 6, 7), (0, 1, 8)))


def test_the_same_seed_lets_the_same_waste_fall_and_another_one_other_waste(ground: Ground) -> None:
    first, again, other = (waste.make(ground.bins, MONDAY, 60, seed) for seed in (1, 1, 2))
    assert (first.rise == again.rise).all()
    assert (first.rise != other.rise).any()
    assert (first.rise >= 0).all()
    assert 0.05 < first.rise.mean() < 0.25


def test_what_is_known_of_a_bin_is_what_scale_and_sensor_say(ground: Ground) -> None:
    it = known.with_sensors(ground.bins, 1.0, 1)
    content = np.full(60, 0.5)
    for i in range(40):
        it.read(MONDAY + timedelta(days=i), content)
    assert np.mean([r.level for r in it.levels]) == pytest.approx(0.5, abs=0.005)
    assert 0.94 < len(it.levels) / (60 * 40) < 1
    kg = it.lifted(MONDAY + timedelta(days=40), 0, 0.5)
    assert kg % known.DIVISION == 0
    assert kg == pytest.approx(0.5 * ground.bins[0].kg_full, rel=0.5)
    assert it.last["bin-0001"] == (MONDAY + timedelta(days=39), 0.0)
    assert not known.with_sensors(ground.bins, 0.0, 1).sensors.any()


@pytest.mark.parametrize(("rate", "times"), [(0.1, 1), (0.2, 2), (0.3, 3), (0.45, 4), (0.7, 6)])
def test_a_bin_gets_the_fewest_weekdays_at_which_it_would_have_held(rate: float, times: int) -> None:
    bins = (site(0),)
    (days,) = fixed.weekdays(bins, weeks(rate), (0,), frozenset())
    assert len(days) == times


def test_the_fullest_bin_sets_the_pace_of_its_round() -> None:
    bins = (site(0), site(1), site(2))
    seen = weeks(0.05, 0.3, 0.05)
    together = fixed.weekdays(bins, seen, (0, 0, 0), frozenset())
    alone = fixed.weekdays(bins, seen, fixed.each_its_own(bins), frozenset())
    assert [len(days) for days in together] == [3, 3, 3]
    assert [len(days) for days in alone] == [1, 3, 1]


def test_rounds_are_small_of_one_stream_and_of_neighbours() -> None:
    bins = tuple(site(i, "residual" if i % 3 else "recycling") for i in range(150))
    numbers = fixed.rounds(bins)
    for number in set(numbers):
        members = [b for b, n in zip(bins, numbers, strict=True) if n == number]
        assert len(members) <= fixed.ROUND_BINS
        assert len({b.stream for b in members}) == 1
        xs = [b.x for b in members]
        between = [b for b in bins if min(xs) <= b.x <= max(xs) and b.stream == members[0].stream]
        assert len(between) == len(members)


def test_a_light_stream_shares_its_first_weekdays_so_that_its_truck_stays_at_home_on_the_others() -> None:
    bins = tuple(site(i, "recycling") for i in range(120))
    when = fixed.weekdays(bins, weeks(*[0.3] * 120), fixed.rounds(bins), frozenset({"recycling"}))
    assert set(when) == {frozenset({0, 2, 4})}
    spread = fixed.weekdays(bins, weeks(*[0.3] * 120), fixed.rounds(bins), frozenset())
    assert len(set(spread)) == 2


@pytest.mark.parametrize(("weekday", "days"), [(0, 2), (2, 2), (4, 3)])
def test_a_stream_that_is_collected_every_other_day_waits_over_the_weekend(weekday: int, days: int) -> None:
    assert until_next(MONDAY + timedelta(days=weekday), frozenset({0, 2, 4})) == days


@pytest.mark.parametrize(("rate", "times"), [(0.1, 3), (0.4, 4), (0.6, 6)])
def test_trucks_go_out_for_a_light_stream_as_seldom_as_its_fastest_bin_allows(rate: float, times: int) -> None:
    bins = (site(0, "recycling"), site(1, "recycling"))
    ground = Ground(bins, small(4200)[0].trucks, Station("transfer", 1), Roads(np.zeros((4, 4)), np.zeros((4, 4))))
    assert len(fixed.collecting_days(ground, weeks(0.02, rate))["recycling"]) == times


def test_trucks_go_out_daily_for_a_stream_that_fills_more_than_half_a_body() -> None:
    bins = tuple(site(i) for i in range(60))
    ground = Ground(bins, small(1000)[0].trucks, Station("transfer", 1), Roads(np.zeros((62, 62)), np.zeros((62, 62))))
    assert fixed.collecting_days(ground, weeks(*[0.1] * 60)) == {"residual": fixed.DAILY}


def small(kg_max: float) -> tuple[Ground, Truck]:
    """Places 0 garage, 1 station, 2 and 3 bins, on one line 1 km apart, driven at 10 m/s."""
    line = np.array([0.0, 1000.0, 2000.0, 3000.0])
    metres = np.abs(line[:, None] - line[None])
    truck = Truck("t", kg_max, 10_000, Window(0, 1000), 0, 0)
    return Ground((site(0), site(1)), (truck,), Station("transfer", 1, service=600), Roads(metres / 10, metres)), truck


def test_a_shift_counts_ways_stops_unloading_and_time_past_its_end() -> None:
    ground, truck = small(1000)
    real = {"a": (2, 100.0, 500.0), "b": (3, 100.0, 500.0)}
    it = drive(ground, truck, [Step("stop", "a"), Step("stop", "b"), Step("unload", "transfer")], real)
    assert (it.metres, it.lifts, it.unloads) == (6000, 2, 1)
    assert it.seconds == 600 + 2 * 60 + 600
    assert it.late == it.seconds - 1000


def test_a_truck_that_is_full_unloads_before_it_goes_on_and_never_without_a_load() -> None:
    ground, truck = small(150)
    real = {"a": (2, 100.0, 500.0), "b": (3, 100.0, 500.0)}
    it = drive(ground, truck, [Step("unload", "transfer"), Step("stop", "a"), Step("stop", "b")], real)
    assert it.unloads == 2
    assert it.metres == 2000 + 1000 + 2000 + 2000 + 1000


def test_an_interval_is_students_and_a_single_seed_has_none() -> None:
    it = mean([10.0, 12.0, 14.0, 16.0, 18.0])
    assert it.value == 14
    assert it.half == pytest.approx(2.776 * np.sqrt(10) / np.sqrt(5), rel=1e-3)
    assert mean([3.0]).half is None


def test_a_heap_beside_a_full_bin_is_an_overflow_of_that_day() -> None:
    days = [DayBooks(MONDAY, metres=1000, fills=(0.5, 0.7), overflowing=1), DayBooks(MONDAY, metres=2000, overflowing=0)]
    it = totals(days, bins=10)
    assert (it.km, it.lifts, it.fill, it.overflow) == (3.0, 2, pytest.approx(60), pytest.approx(5))


def test_weights_add_up_to_what_fell_in(ground: Ground) -> None:
    rising = waste.make(ground.bins, MONDAY, 40, 1)
    it = known.with_sensors(ground.bins, 0.0, 1)
    content = np.zeros(60)
    for i in range(40):
        day = MONDAY + timedelta(days=i)
        for index in range(60):
            it.lifted(day, index, float(content[index]))
        content = rising.on(day).copy()
    fell = sum(float(rising.rise[i, :-1].sum()) * b.kg_full for i, b in enumerate(ground.bins))
    assert sum(lift.kg or 0.0 for lift in it.lifts) == pytest.approx(fell, rel=0.02)
    assert all(a.day <= b.day for a, b in pairwise(it.lifts))
