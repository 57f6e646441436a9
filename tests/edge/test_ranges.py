from itertools import pairwise

from asty_edge.ranges import Ranges
from hypothesis import given
from hypothesis import strategies as st

small = st.integers(0, 60)
steps = st.lists(st.tuples(st.sampled_from(["add", "remove"]), small, small), max_size=30)


def build(changes):
    ranges, numbers = Ranges(), set()
    for what, first, last in changes:
        some = set(range(first, last + 1))
        if what == "add":
            ranges.add(first, last)
            numbers |= some
        else:
            ranges.remove(first, last)
            numbers -= some
    return ranges, numbers


def members(ranges):
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(steps)
def test_ranges_hold_the_same_numbers_as_a_set(changes):
    ranges, numbers = build(changes)
    assert members(ranges) == numbers
    assert len(ranges) == len(numbers)
    assert {number for number in range(62) if number in ranges} == numbers


@given(steps)
def test_ranges_are_sorted_and_never_touch(changes):
    ranges, _ = build(changes)
    pairs = list(ranges)
    assert all(first <= last for first, last in pairs)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(pairs))


@given(steps, steps, small, small)
def test_set_operations_agree_with_sets(changes, others, first, last):
    (ranges, numbers), (more, also) = build(changes), build(others)
    assert members(ranges.within(first, last)) == numbers & set(range(first, last + 1))
    assert members(ranges.common(more)) == numbers & also
    rest = ranges.copy()
    rest.subtract(more)
    assert members(rest) == numbers - also
    ranges.update(more)
    assert members(ranges) == numbers | also
