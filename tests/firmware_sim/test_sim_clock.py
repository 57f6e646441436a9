"""Town time may be behind and hurry after real time, but it is never ahead of it and never goes back."""

import pytest
from asty_firmware_sim.clock import TownClock
from hypothesis import given
from hypothesis import strategies as st


class Machine:
    """A machine's clock that a test sets."""

    def __init__(self, now: int = 1_000_000) -> None:
        self.at = now

    def __call__(self) -> int:
        return self.at


def test_it_runs_faster_until_it_meets_now_and_then_as_fast_as_time() -> None:
    machine = Machine()
    clock = TownClock(machine.at - 40_000, 5.0, now=machine)
    assert clock.now() == 960_000
    machine.at += 5_000
    assert clock.now() == 985_000
    assert clock.lead == 20_000
    machine.at += 5_000
    assert clock.now() == machine.at
    machine.at += 7_000
    assert clock.now() == machine.at
    assert clock.lead == 0


def test_a_start_in_the_future_is_now() -> None:
    machine = Machine()
    assert TownClock(machine.at + 5000, now=machine).now() == machine.at


def test_a_town_slower_than_time_is_refused() -> None:
    with pytest.raises(ValueError, match=r"speed 0\.5"):
        TownClock(0, 0.5)


@given(st.integers(-(10**7), 10**7), st.floats(1, 100), st.lists(st.integers(-5000, 5000), max_size=30))
def test_it_never_goes_back_even_when_the_machines_clock_is_set_back(start: int, speed: float, steps: list[int]) -> None:
    machine = Machine()
    clock = TownClock(start, speed, now=machine)
    highest = machine.at
    before = clock.now()
    for step in steps:
        machine.at += step
        highest = max(highest, machine.at)
        now = clock.now()
        assert before <= now <= highest
        before = now
