"""A lift cycle is what an edge has to understand: it rests long enough to be weighed, before and after the dump."""

from itertools import groupby

import numpy as np
from asty_firmware_sim.world.lift import FAULT_BITS, LiftCycle, lift_cycle
from asty_firmware_sim.world.senses import LiftShown
from hypothesis import given
from hypothesis import strategies as st

STEP = 0.05
seeds = st.integers(0, 10_000)


def _film(cycle: LiftCycle) -> list[tuple[float, LiftShown]]:
    return [(k * STEP, cycle.shown(k * STEP)) for k in range(int(cycle.over / STEP) + 20)]


@given(seeds, st.floats(0, 400))
def test_a_bin_rests_before_and_after_the_dump_long_enough_to_be_weighed(seed: int, kg: float) -> None:
    cycle = lift_cycle(54.0, kg, np.random.default_rng(seed))
    film = _film(cycle)
    full = [t for t, shown in film if shown.state == "raising" and shown.stable]
    empty = [t for t, shown in film if shown.state == "lowering" and shown.stable]
    assert full[-1] - full[0] >= 1.5
    assert empty[-1] - empty[0] >= 1.5
    assert full[-1] < cycle.dumped < empty[0]
    assert {shown.kg for _, shown in film if shown.state == "raising" and shown.stable} == {cycle.gross}
    assert {shown.kg for _, shown in film if shown.state == "lowering" and shown.stable} == {cycle.tare}
    assert abs(cycle.gross - cycle.tare - kg) < 3


@given(seeds)
def test_states_follow_each_other_as_in_a_lift_and_the_tag_is_read_before_the_bin_is_raised(seed: int) -> None:
    cycle = lift_cycle(41.0, 90.0, np.random.default_rng(seed))
    states = [state for state, _ in groupby(shown.state for _, shown in _film(cycle))]
    assert states == ["idle", "raising", "dumping", "lowering", "idle"]
    assert cycle.raised - 10 < cycle.tag_at < cycle.raised
    assert 15 < cycle.over < 30


@given(seeds)
def test_nothing_is_stable_while_the_lift_dumps(seed: int) -> None:
    film = _film(lift_cycle(54.0, 100.0, np.random.default_rng(seed)))
    assert not any(shown.stable for _, shown in film if shown.state == "dumping")


@given(seeds)
def test_an_unstable_weighing_never_rests(seed: int) -> None:
    cycle = lift_cycle(54.0, 100.0, np.random.default_rng(seed), shaky=True)
    assert not any(shown.stable for _, shown in _film(cycle) if shown.state != "idle")


@given(seeds)
def test_a_broken_lift_shows_its_fault_and_comes_down_without_a_dump(seed: int) -> None:
    cycle = lift_cycle(54.0, 60.0, np.random.default_rng(seed), broken=True)
    film = _film(cycle)
    assert [state for state, _ in groupby(shown.state for _, shown in film)] == ["idle", "raising", "fault", "lowering", "idle"]
    assert {shown.fault for _, shown in film if shown.state == "fault"} == {FAULT_BITS}
    assert not any(shown.tip for _, shown in film)
