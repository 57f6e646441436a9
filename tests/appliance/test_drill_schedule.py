"""A drill can be repeated: its seed gives its faults, and even a short one sees every kind."""

from asty_appliance.drill.schedule import KINDS, LANES, PROCESSES, SERVERS, schedule
from hypothesis import given
from hypothesis import strategies as st

EDGES = tuple(f"drill-{number:03}" for number in range(1, 41))
RUNNERS = ("edges-1", "edges-2")
LANE_OF = {kind: lane for lane, kinds in LANES.items() for kind in kinds}

seeds = st.integers(0, 1 << 32)
lengths = st.floats(60, 3600)


@given(seeds, lengths)
def test_the_same_seed_gives_the_same_faults(seed: int, seconds: float) -> None:
    assert schedule(seed, seconds, EDGES, RUNNERS) == schedule(seed, seconds, EDGES, RUNNERS)


def test_another_seed_gives_other_faults() -> None:
    assert schedule(1, 600, EDGES, RUNNERS) != schedule(2, 600, EDGES, RUNNERS)


@given(seeds)
def test_a_minute_and_a_half_sees_every_kind_of_fault(seed: int) -> None:
    assert {step.kind for step in schedule(seed, 90, EDGES, RUNNERS)} == set(KINDS)


@given(seeds)
def test_a_long_drill_kills_freezes_and_restarts_every_process_and_server(seed: int) -> None:
    steps = schedule(seed, 3600, EDGES, RUNNERS)
    for kind in ("kill", "freeze", "restart"):
        assert {step.target for step in steps if step.kind == kind} == {*RUNNERS, *PROCESSES, *SERVERS}


@given(seeds, lengths)
def test_every_fault_is_over_by_the_end_and_lets_the_next_of_its_lane_wait(seed: int, seconds: float) -> None:
    steps = schedule(seed, seconds, EDGES, RUNNERS)
    assert steps == sorted(steps, key=lambda step: step.at)
    for lane in LANES:
        end = 0.0
        for step in (step for step in steps if LANE_OF[step.kind] == lane):
            assert step.at >= end
            end = step.at + step.lasts
            assert end <= seconds + 0.1
