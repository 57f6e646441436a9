"""What a crew and a dispatcher rely on: a truck fits under what it drives under, and what can't be reached is told apart by why."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest
from asty_cloud_api.roads.place import Place, Profile
from asty_cloud_api.roads.service import Roads

NODES = {1: (0, 0), 2: (2, 0), 3: (3, 0), 4: (5, 0), 5: (0, 3), 6: (5, 3), 7: (5, -3), 8: (9, 0), 9: (9, 3), 10: (0, -3), 11: (2, -3)}
"""By number: hundreds of metres to the east and to the north."""
WAYS: list[tuple[list[int], dict[str, str]]] = [
    ([1, 2], {"name": "Εγνατίας"}),
    ([2, 3], {"name": "Εγνατίας", "maxheight": "3.2", "bridge": "yes"}),
    ([3, 4], {"name": "Εγνατίας"}),
    ([1, 5, 6, 4], {"name": "Περιφερειακή"}),
    ([4, 7], {"name": "Αδιέξοδη", "oneway": "yes"}),
    ([8, 9], {"name": "Νησίδα"}),
    ([1, 10], {"name": "Στενή"}),
    ([10, 11], {"name": "Γέφυρας", "maxweight": "5"}),
]


def spot(east: float, north: float) -> tuple[float, float]:
    return 39.3 + north * 100 / 111_320, 22.9 + east * 100 / 86_140


def at(east: float, north: float) -> Place:
    return Place(*spot(east, north), kerb=False)


@pytest.fixture(scope="module")
def odd_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("odd") / "odd.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for number, (east, north) in NODES.items():
            lat, lon = spot(east, north)
            writer.add_node(osmium.osm.mutable.Node(id=number, location=(lon, lat), version=1))
        for number, (nodes, tags) in enumerate(WAYS, 1):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags={"highway": "residential"} | tags, version=1))
    return path


@pytest.fixture(scope="module")
def url(odd_town: Path, new_server: Callable[[Path], Any]) -> Iterator[str]:
    server = new_server(odd_town)
    yield server.url
    server.kill()


@pytest.fixture
async def roads(url: str, postgres: Any) -> AsyncIterator[Roads]:
    roads = Roads.at(url, postgres.dsn)
    yield roads
    await roads.close()


async def test_a_truck_that_is_too_high_goes_round_the_low_bridge_and_a_low_one_goes_under(roads: Roads) -> None:
    way = [at(0.5, 0), at(4.5, 0)]
    (low,), (high,) = await roads.legs(Profile(height_m=3.0), way), await roads.legs(Profile(height_m=3.8), way)
    assert low.metres < 500
    assert high.metres > 900
    assert any(turn.street == "Περιφερειακή" for turn in high.turns)
    matrix = await roads.matrix(Profile(height_m=3.8), way)
    assert matrix.metres[0, 1] > 900
    assert (await roads.matrix(Profile(height_m=3.0), way)).metres[0, 1] < 500


async def test_what_can_not_be_reached_is_told_apart_by_why(roads: Roads) -> None:
    places = [at(0.5, 0), at(1.5, 0), at(4, 3), at(9, 1.5), at(5, -2), at(1, -3), at(5, 20)]
    matrix = await roads.matrix(Profile(), places)
    assert {place: why.why for place, why in matrix.unreachable.items()} == {3: "cut_off", 4: "no_way_out", 5: "no_way_in", 6: "no_street"}
    assert np.isfinite(matrix.seconds[:3, :3]).all()
    assert np.isfinite(matrix.seconds[0, 4])
    assert np.isnan(matrix.seconds[4, 0])
    light = await roads.matrix(Profile(weight_t=3.5), places)
    assert 5 not in light.unreachable


async def test_a_street_that_a_closure_cuts_off_has_no_way_while_it_lasts(roads: Roads) -> None:
    places = [at(1.5, 0), at(4, 3), at(0, -2)]
    (west, south), (east, north) = spot(-0.2, -1.2)[::-1], spot(0.2, -0.8)[::-1]
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    closed = await roads.matrix(Profile(weight_t=3.5), places, [ring])
    assert str(closed.unreachable[2]) == "its street is closed"
    assert np.isfinite(closed.seconds[:2, :2]).all()
    assert not (await roads.matrix(Profile(weight_t=3.5), places)).unreachable
