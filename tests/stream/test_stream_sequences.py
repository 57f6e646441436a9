"""The ledger's arithmetic against Python's own sets."""

from asty_stream.sequences import Sequences
from hypothesis import given
from hypothesis import strategies as st

numbers = st.sets(st.integers(1, 60))


@given(numbers, numbers)
def test_ranges_hold_exactly_what_a_set_holds(a: set[int], b: set[int]) -> None:
    one, two = Sequences.of(a), Sequences.of(b)
    assert set(one) == a
    assert len(one) == len(a)
    assert set(one | two) == a | b
    assert set(one & two) == a & b
    assert set(one - two) == a - b
    assert all((n in one) == (n in a) for n in range(70))


@given(numbers)
def test_ranges_are_written_as_postgres_writes_a_multirange_and_read_back(a: set[int]) -> None:
    one = Sequences.of(a)
    assert Sequences.parse(str(one)) == one
    assert all(end < later for (_, end), (later, _) in zip(one.ranges, one.ranges[1:], strict=False))


@given(numbers, st.integers(1, 60), st.integers(1, 20))
def test_a_stretch_meets_what_is_held_when_any_number_of_it_is(a: set[int], first: int, length: int) -> None:
    assert Sequences.of(a).meets(first, first + length) == any(n in a for n in range(first, first + length))


@given(numbers)
def test_upto_and_holes_account_for_every_number_up_to_the_last(a: set[int]) -> None:
    one = Sequences.of(a)
    missing = {n for first, last in one.holes() for n in range(first, last + 1)}
    assert set(range(1, one.upto + 1)) <= a
    assert one.upto + 1 not in a
    assert missing == set(range(1, one.last + 1)) - a


def test_text_of_the_empty_set_and_of_ranges() -> None:
    assert str(Sequences()) == "{}"
    assert Sequences.parse("{}") == Sequences()
    assert str(Sequences([(5, 9), (1, 3), (3, 5), (12, 12)])) == "{[1,9)}"
