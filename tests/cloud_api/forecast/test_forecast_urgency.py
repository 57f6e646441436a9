"""A chance of an overflow becomes what a planner needs: must, may and for how much."""

from datetime import date, timedelta

import pytest
from asty_cloud_api.forecast.fill import FillModel, fit
from asty_cloud_api.forecast.history import Bin, Level
from asty_cloud_api.forecast.urgency import Care, holds, lasts, urgency

TODAY = date(2026, 9, 30)
CARE = Care(risk=0.01, visit=2.0)


@pytest.fixture(scope="module")
def model() -> FillModel:
    """Two bins that rise by 0.1 and 0.02 a day and are emptied at the rim."""
    rates = {"fast": 0.1, "slow": 0.02}
    levels = [Level(name, TODAY - timedelta(days=90 - i), (rate * i) % 1.0) for name, rate in rates.items() for i in range(90)]
    return fit([Bin("fast", "1100", 39.36, 22.95), Bin("slow", "1100", 39.37, 22.96)], levels, [], TODAY)


def judged(model: FillModel, name: str, level: float, wait: int = 1):
    return urgency(model, name, level, TODAY, TODAY, wait, lasts(model, name, TODAY, CARE), CARE)


def test_a_bin_must_be_emptied_exactly_when_its_chance_before_the_next_visit_is_above_the_risk(model: FillModel) -> None:
    for level in (0.0, 0.3, 0.6, 0.8, 0.95, 1.0):
        for wait in (1, 2, 3):
            chance = model.overflow("fast", level, TODAY, TODAY + timedelta(days=wait))
            assert judged(model, "fast", level, wait).must == (chance > CARE.risk)


def test_a_longer_wait_makes_more_bins_a_must(model: FillModel) -> None:
    assert not judged(model, "fast", 0.7, wait=1).must
    assert judged(model, "fast", 0.7, wait=5).must


def test_the_prize_is_the_whole_visit_for_a_must_and_falls_with_every_day_that_it_would_hold(model: FillModel) -> None:
    prizes = [judged(model, "fast", level).prize for level in (0.95, 0.7, 0.5, 0.3, 0.1, 0.0)]
    assert prizes[0] == CARE.visit
    assert prizes == sorted(prizes, reverse=True)
    assert all(0 <= prize <= CARE.visit for prize in prizes)
    assert prizes[-1] < 0.25 * CARE.visit


def test_a_bin_that_fills_faster_holds_for_less_long(model: FillModel) -> None:
    assert holds(model, "fast", 0.5, TODAY, TODAY, 0.01) < holds(model, "slow", 0.5, TODAY, TODAY, 0.01)


def test_a_reading_of_days_ago_counts_the_days_since(model: FillModel) -> None:
    ago = TODAY - timedelta(days=3)
    assert holds(model, "fast", 0.5, ago, TODAY, 0.01) == holds(model, "fast", 0.5, TODAY, TODAY, 0.01) - 3


def test_an_unknown_bin_is_refused(model: FillModel) -> None:
    with pytest.raises(KeyError):
        judged(model, "nobody's", 0.5)
