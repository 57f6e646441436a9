"""The forecast learns what bins do, begins new bins where their like are, and says chances that come true."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from asty_cloud_api.forecast import levels_file
from asty_cloud_api.forecast.backtest import backtest
from asty_cloud_api.forecast.calendar import HOLIDAY, is_holiday, kind_of_day
from asty_cloud_api.forecast.fill import RATE_UNKNOWN, fit
from asty_cloud_api.forecast.history import Bin, Level, Lift, stretches
from hypothesis import given, settings
from hypothesis import strategies as st

WYNDHAM = Path(__file__).parents[4] / "shared/data/fill/wyndham-18-bins.csv"
START = date(2026, 1, 5)  # a Monday


def days(count: int) -> list[date]:
    return [START + timedelta(days=i) for i in range(count)]


def filling(name: str, rate: float, count: int, *, seed: int = 1, sunday: float = 1.0, noise: float = 0.02) -> list[Level]:
    """A bin that is emptied when it would be full and otherwise rises by `rate`, on Sundays by `sunday` times as much."""
    rng = np.random.default_rng(seed)
    level, read = 0.0, []
    for day in days(count):
        level += max(0.0, rate * (sunday if day.weekday() == 6 else 1.0) + float(rng.normal(0, noise)))
        level = 0.0 if level > 1 else level
        read.append(Level(name, day, level))
    return read


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 4, 10), "Good Friday of the Orthodox"),
        (date(2026, 4, 13), "Orthodox Easter Monday"),
        (date(2027, 5, 3), "Orthodox Easter Monday, a month after the Western one"),
        (date(2026, 2, 23), "Clean Monday"),
        (date(2026, 3, 25), "Independence Day"),
        (date(2026, 10, 28), "Ochi Day"),
        (date(2026, 8, 15), "Dormition"),
    ],
)
def test_greek_holidays_are_days_of_their_own_kind(day: date, name: str) -> None:
    assert kind_of_day(day) == HOLIDAY, name


def test_western_easter_monday_is_a_working_day() -> None:
    assert not is_holiday(date(2026, 4, 6))


def test_a_rate_is_learnt_from_readings() -> None:
    bins = [Bin("a", "240 l", 39.36, 22.94), Bin("b", "240 l", 39.37, 22.95)]
    model = fit(bins, [*filling("a", 0.1, 90), *filling("b", 0.25, 90, seed=2)], [], days(90)[-1])
    assert model.rate("a") == pytest.approx(0.1, rel=0.1)
    assert model.rate("b") == pytest.approx(0.25, rel=0.1)


def test_a_rate_is_learnt_from_weighed_lifts_alone() -> None:
    bins = [Bin("a", "1100 l", 39.36, 22.94, kg_full=110)]
    lifts = [Lift("a", START + timedelta(days=3 * i), 33.0) for i in range(20)]
    assert fit(bins, [], lifts, lifts[-1].day).rate("a") == pytest.approx(0.1, rel=0.05)


def test_sundays_that_bring_more_are_expected_to_bring_more() -> None:
    bins = [Bin(n, "240 l", 39.36, 22.94) for n in "abcd"]
    read = [r for i, n in enumerate("abcd") for r in filling(n, 0.08, 200, seed=i, sunday=2.5)]
    model = fit(bins, read, [], days(200)[-1])
    saturday = next(d for d in reversed(days(200)) if d.weekday() == 5)
    sunday = model.expected("a", 0.3, saturday, saturday + timedelta(days=1))
    tuesday = model.expected("a", 0.3, saturday + timedelta(days=2), saturday + timedelta(days=3))
    assert sunday > 1.8 * tuesday


def test_a_new_bin_begins_where_its_near_neighbours_of_its_kind_are() -> None:
    bins = [
        Bin("near", "240 l", 39.3600, 22.9400),
        Bin("far", "240 l", 39.4000, 22.9900),
        Bin("glass", "igloo", 39.3600, 22.9400),
        Bin("new", "240 l", 39.3601, 22.9401),
    ]
    read = [*filling("near", 0.3, 60), *filling("far", 0.05, 60, seed=2), *filling("glass", 0.02, 60, seed=3)]
    rate = fit(bins, read, [], days(60)[-1]).rate("new")
    assert rate > 0.2


def test_without_any_history_every_bin_gets_the_stated_rate_and_a_chance() -> None:
    model = fit([Bin("a", "240 l", 39.36, 22.94)], [], [], START)
    assert model.rate("a") == RATE_UNKNOWN
    assert model.overflow("a", 0.0, START, START + timedelta(days=30)) == 1.0
    assert model.overflow("a", 0.0, START, START + timedelta(days=1)) == 0.0


def test_readings_of_the_future_are_not_looked_at() -> None:
    bins = [Bin("a", "240 l", 39.36, 22.94)]
    read = filling("a", 0.1, 90)
    assert fit(bins, read, [], days(50)[-1]).rate("a") == fit(bins, read[:50], [], days(50)[-1]).rate("a")


def test_a_stretch_does_not_cross_an_emptying() -> None:
    read = [Level("a", START, 0.2), Level("a", START + timedelta(days=2), 0.6), Level("a", START + timedelta(days=3), 0.1)]
    bins = [Bin("a", "240 l", 0, 0)]
    assert stretches(bins, read, []).rise.tolist() == pytest.approx([0.4])
    assert stretches(bins, read, [Lift("a", START + timedelta(days=1))]).rise.size == 0


bad = st.sampled_from([float("nan"), float("inf"), -1.0, 0.0, 0.5, 1.0, 7.0])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab?"), st.integers(0, 40), bad), max_size=30),
    st.lists(st.tuples(st.sampled_from("ab?"), st.integers(0, 40), st.one_of(st.none(), bad)), max_size=10),
    st.floats(0, 1.5),
    st.integers(0, 20),
)
def test_whatever_was_read_a_chance_lies_between_0_and_1_and_grows_with_time(read, lifted, level, wait) -> None:
    bins = [Bin("a", "240 l", 39.36, 22.94), Bin("b", "240 l", float("nan"), float("nan"))]
    levels = [Level(n, START + timedelta(days=d), v) for n, d, v in read]
    lifts = [Lift(n, START + timedelta(days=d), kg) for n, d, kg in lifted]
    today = START + timedelta(days=41)
    model = fit(bins, levels, lifts, today)
    chances = [model.overflow("a", level, today, today + timedelta(days=d)) for d in range(wait + 1)]
    assert all(0 <= c <= 1 for c in chances)
    assert chances == sorted(chances)
    assert all(np.isfinite(model.rates))
    assert all(model.rates > 0)


def test_a_fuller_bin_is_never_less_likely_to_overflow() -> None:
    model = fit([Bin("a", "240 l", 39.36, 22.94)], filling("a", 0.12, 120, noise=0.06), [], days(120)[-1])
    chances = [model.overflow("a", level, days(120)[-1], days(120)[-1] + timedelta(days=2)) for level in (0.5, 0.6, 0.7, 0.8, 0.9, 0.99)]
    assert chances == sorted(chances)
    assert chances[0] < 0.5 < chances[-1]


def test_a_backtest_beats_persistence_on_bins_that_fill_steadily() -> None:
    read = [r for i in range(6) for r in filling(f"b{i}", 0.05 + 0.03 * i, 150, seed=i)]
    result = backtest(read)
    assert result.ours.mae < 0.5 * result.persistence.mae
    assert result.ours.brier < 0.5 * min(result.persistence.brier, result.always)
    assert sum(c.n for c in result.calibration) == result.n


def test_a_backtest_without_anything_to_judge_says_so() -> None:
    with pytest.raises(ValueError, match="too few readings"):
        backtest([Level("a", START, 0.5)])


@pytest.mark.skipif(not WYNDHAM.exists(), reason=f"no Wyndham readings at {WYNDHAM}")
def test_on_the_streets_of_wyndham_chances_come_true_and_beat_persistence() -> None:
    result = backtest(levels_file.read(WYNDHAM), country="AU")
    assert result.ours.brier < 0.7 * result.persistence.brier
    assert result.ours.brier < 0.7 * result.always
    assert result.ours.rmse < 0.85 * result.persistence.rmse
    assert result.off < 0.03


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Bin ID,timestamp\n1,01-02-2020\n", ":1: expected a column 'Fullness'"),
        ("Bin ID,Fullness,timestamp\n1,4,01-02-2020\n1,x,02-02-2020\n", ":3: expected a fullness"),
        ("Bin ID,Fullness,timestamp\n1,4,2020/02/01\n", ":2: expected a fullness"),
        ("Bin ID,Fullness,timestamp\n1,4,31-02-2020\n", ":2: expected a fullness"),
        ("", ":1: expected a column 'Bin ID'"),
    ],
)
def test_a_bad_file_of_readings_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "levels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(levels_file.LevelsFileError, match=says):
        levels_file.read(path)
