"""What the planner relies on: every pair once, kept, right after a closure, honest where there is no way."""

import random
from collections.abc import AsyncIterator
from typing import Any

import asty_town
import numpy as np
import pytest
from asty_cloud_api import database
from asty_cloud_api.roads.errors import RoadsAwayError
from asty_cloud_api.roads.place import Place, Profile
from asty_cloud_api.roads.service import Roads
from asty_cloud_api.roads.valhalla import Ring, Valhalla

TRUCK = Profile()


class Counting(Valhalla):
    """Counts the pairs that are asked."""

    pairs = 0

    async def matrix(self, profile: Any, sources: Any, targets: Any, closed: Any) -> Any:
        self.pairs += len(sources) * len(targets)
        return await super().matrix(profile, sources, targets, closed)


@pytest.fixture(scope="module")
def dsn(postgres: Any) -> str:
    return str(postgres.dsn)


@pytest.fixture
async def roads(server: Any, dsn: str) -> AsyncIterator[Roads]:
    roads = Roads(Counting(server.url), database.writing(dsn))
    yield roads
    await roads.close()


@pytest.fixture(scope="session")
def bins(town: asty_town.Town) -> list[Place]:
    """Sixty points a few metres beside drivable streets."""
    chance = random.Random(7)
    streets = [street for street in town.streets if street.drivable]
    points = []
    for _ in range(60):
        line = chance.choice(streets).line
        at, share = chance.randrange(len(line) - 1), chance.uniform(0.2, 0.8)
        (x1, y1), (x2, y2) = line[at], line[at + 1]
        points.append(Place(y1 + (y2 - y1) * share + chance.uniform(-3e-5, 3e-5), x1 + (x2 - x1) * share + chance.uniform(-3e-5, 3e-5)))
    return points


def square(centre: Place, half: float) -> Ring:
    west, south, east, north = centre.lon - half, centre.lat - half, centre.lon + half, centre.lat + half
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


async def test_a_second_time_the_matrix_comes_from_the_cache_and_a_new_bin_asks_only_its_row_and_column(
    roads: Roads, bins: list[Place]
) -> None:
    first = await roads.matrix(TRUCK, bins[:50])
    assert np.isfinite(first.seconds).all()
    assert (first.seconds != first.seconds.T).any(), "one-way streets make ways there and back differ"
    roads.valhalla.pairs = 0
    again = await roads.matrix(TRUCK, bins[:50])
    assert roads.valhalla.pairs == 0
    assert np.array_equal(first.seconds, again.seconds)
    assert np.array_equal(first.metres, again.metres)
    more = await roads.matrix(TRUCK, bins[:52])
    assert roads.valhalla.pairs < 52 * 52 / 2
    assert np.array_equal(more.seconds[:50, :50], first.seconds)


async def test_places_come_in_the_order_asked_even_twice(roads: Roads, bins: list[Place]) -> None:
    matrix = await roads.matrix(TRUCK, [bins[3], bins[1], bins[3]])
    assert matrix.seconds[0, 1] == matrix.seconds[2, 1]
    assert matrix.seconds[0, 2] == 0
    turned = await roads.matrix(TRUCK, [bins[1], bins[3]])
    assert turned.seconds[1, 0] == matrix.seconds[0, 1]


@pytest.mark.parametrize("seed", range(6))
async def test_a_closure_leaves_the_matrix_that_a_full_computation_gives_and_asks_less(roads: Roads, bins: list[Place], seed: int) -> None:
    await roads.matrix(TRUCK, bins)
    chance = random.Random(seed)
    ring = square(chance.choice(bins), chance.uniform(0.0002, 0.0008))
    roads.valhalla.pairs = 0
    after = await roads.matrix(TRUCK, bins, [ring])
    asked = roads.valhalla.pairs
    shut = {at for at, why in after.unreachable.items() if why.why == "closed"}
    free = [at for at in range(len(bins)) if at not in shut]
    locations = [bins[at].location() for at in free]
    full, _ = await roads.valhalla.matrix(TRUCK, locations, locations, [ring])
    part = np.ix_(free, free)
    differ = np.argwhere(~np.isclose(after.seconds[part], full, atol=1, equal_nan=True))
    assert not len(differ), [(int(a), int(b), after.seconds[part][a, b], full[a, b]) for a, b in differ]
    assert shut, "the bin in the middle lies in the closure"
    assert np.isnan(after.seconds[list(shut)]).all()
    assert asked < 2 * len(bins) ** 2
    roads.valhalla.pairs = 0
    await roads.matrix(TRUCK, bins, [ring])
    await roads.matrix(TRUCK, bins)
    assert roads.valhalla.pairs == 0, "closing again and opening again come from the cache"


async def test_a_bin_that_no_truck_can_reach_is_nan_with_the_reason(roads: Roads, bins: list[Place]) -> None:
    far = Place(bins[0].lat + 0.05, bins[0].lon + 0.3)
    matrix = await roads.matrix(TRUCK, [*bins[:5], far])
    assert np.isnan(matrix.seconds[5, :5]).all()
    assert np.isnan(matrix.seconds[:5, 5]).all()
    assert str(matrix.unreachable[5]) == "no street that this truck may use is near"
    assert matrix.as_planning().why == {5: "no_street"}
    assert np.isfinite(matrix.seconds[:5, :5]).all()


async def test_kept_matrices_are_served_while_valhalla_is_away_and_what_lacks_is_said(
    roads: Roads, dsn: str, bins: list[Place], free_port: Any
) -> None:
    kept = await roads.matrix(TRUCK, bins[:10])
    away = Roads.at(f"http://127.0.0.1:{free_port()}", dsn)
    assert np.array_equal((await away.matrix(TRUCK, bins[:10])).seconds, kept.seconds)
    with pytest.raises(RoadsAwayError, match="1 of 11 places are new"):
        await away.matrix(TRUCK, [*bins[:10], Place(bins[0].lat + 1e-4, bins[0].lon)])
    await away.close()
