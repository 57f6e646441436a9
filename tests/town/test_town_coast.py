"""The sea is on the right of a coastline, whatever way the extract cuts it."""

import itertools

import pytest
from asty_town.coast import sea_and_islands

BOX = (0.0, 0.0, 10.0, 10.0)


def _area(ring: tuple[tuple[float, float], ...]) -> float:
    return abs(sum(xa * yb - xb * ya for (xa, ya), (xb, yb) in itertools.pairwise(ring))) / 2


def test_a_coast_from_west_to_east_has_its_sea_in_the_south() -> None:
    (sea,), islands = sea_and_islands([[(-1, 4), (5, 4), (11, 4)]], BOX)
    assert _area(sea) == pytest.approx(40)
    assert min(y for _, y in sea) == 0
    assert not islands


def test_a_coast_from_east_to_west_has_its_sea_in_the_north() -> None:
    (sea,), _ = sea_and_islands([[(11, 4), (-1, 4)]], BOX)
    assert _area(sea) == pytest.approx(60)
    assert max(y for _, y in sea) == 10


def test_ways_of_one_coast_are_joined_in_any_order() -> None:
    (sea,), _ = sea_and_islands([[(5, 4), (11, 4)], [(-1, 4), (2, 4)], [(2, 4), (5, 4)]], BOX)
    assert _area(sea) == pytest.approx(40)


def test_two_coasts_make_a_strait() -> None:
    (sea,), _ = sea_and_islands([[(-1, 7), (11, 7)][::-1], [(-1, 9), (11, 9)]], BOX)
    assert _area(sea) == pytest.approx(20)


def test_two_bays_are_two_seas() -> None:
    seas, _ = sea_and_islands([[(-1, 2), (2, 2), (2, -1)], [(8, -1), (8, 2), (11, 2)]], BOX)
    assert sorted(_area(sea) for sea in seas) == pytest.approx([4, 4])


def test_a_closed_coast_with_land_inside_is_an_island() -> None:
    seas, (island,) = sea_and_islands([[(4, 4), (6, 4), (6, 6), (4, 6), (4, 4)]], BOX)
    assert _area(island) == pytest.approx(4)
    assert not seas


def test_a_coast_of_which_the_extract_lacks_a_part_is_bridged() -> None:
    (sea,), _ = sea_and_islands([[(-1, 4), (4, 4)], [(5, 4), (11, 4)]], BOX)
    assert _area(sea) == pytest.approx(40)


def test_a_coast_that_ends_inside_the_map_is_led_to_its_side() -> None:
    (sea,), _ = sea_and_islands([[(-1, 4), (9, 4)]], BOX)
    assert _area(sea) == pytest.approx(40)


def test_a_town_without_a_coast_has_no_sea() -> None:
    assert sea_and_islands([], BOX) == ([], [])
