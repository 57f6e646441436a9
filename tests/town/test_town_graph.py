"""Trucks drive the shortest way, in the allowed direction, and never end where they can't get out."""

from math import isfinite

import numpy as np
import pytest
from asty_town import NoRouteError, Plane, RoadGraph, Street, Town
from asty_town.geojson import areas_geojson, paths_geojson, places_geojson, streets_geojson

PLANE = Plane(39.0, 22.0)
CORNERS = {1: (0.0, 0.0), 2: (100.0, 0.0), 3: (100.0, 100.0), 4: (0.0, 100.0), 5: (300.0, 0.0)}


def _street(number: int, *nodes: int, oneway: int = 0, drivable: bool = True) -> Street:
    places = [PLANE.latlon(*CORNERS[node]) for node in nodes]
    return Street(number, f"οδός {number}", "residential", oneway, drivable, nodes, tuple((lon, lat) for lat, lon in places))  # type: ignore[arg-type]


def _at(node: int) -> tuple[float, float]:
    return PLANE.latlon(*CORNERS[node])


def test_a_one_way_ring_is_driven_round_and_not_against() -> None:
    graph = RoadGraph([_street(1, 1, 2, oneway=1), _street(2, 2, 3, 4, 1, oneway=1)], PLANE)
    _, there = graph.route(_at(1), _at(2))
    _, back = graph.route(_at(2), _at(1))
    assert there == pytest.approx(100, abs=0.5)
    assert back == pytest.approx(300, abs=1)


def test_a_way_against_its_drawing_is_driven_backwards() -> None:
    graph = RoadGraph([_street(1, 2, 1, oneway=-1), _street(2, 2, 3, 4, 1)], PLANE)
    assert graph.route(_at(1), _at(2))[1] == pytest.approx(100, abs=0.5)


def test_a_street_from_which_no_way_leads_back_is_left_out() -> None:
    graph = RoadGraph([_street(1, 1, 2, 3, 4, 1), _street(2, 2, 5, oneway=1)], PLANE)
    assert len(graph) == 4
    points, _ = graph.route(_at(1), _at(5))
    assert points[-1] == pytest.approx(_at(2))


def test_streets_without_vehicles_are_not_driven() -> None:
    graph = RoadGraph([_street(1, 1, 2, 3), _street(2, 1, 3, drivable=False)], PLANE)
    assert graph.route(_at(1), _at(3))[1] == pytest.approx(200, abs=1)


def test_a_town_that_cannot_be_driven_says_so() -> None:
    with pytest.raises(NoRouteError, match="no drivable streets"):
        RoadGraph([_street(1, 1, 2, drivable=False)], PLANE)


def test_every_corner_of_the_built_in_town_reaches_every_other(built_in: Town) -> None:
    graph = built_in.graph()
    for start in range(0, len(graph), 40):
        assert all(isfinite(metres) for metres in graph.metres_from(start))


def test_ways_found_are_the_shortest(built_in: Town) -> None:
    graph = built_in.graph()
    rng = np.random.default_rng(5)
    for start in map(int, rng.integers(len(graph), size=6)):
        shortest = graph.metres_from(start)
        for goal in map(int, rng.integers(len(graph), size=12)):
            edges = graph.path(start, goal)
            assert sum(edge.metres for edge in edges) == pytest.approx(shortest[goal])
            assert [edge.head for edge in edges[:-1]] == [edge.tail for edge in edges[1:]]


def test_metres_are_true_metres() -> None:
    # Parthenon to Lykavittos, 2 182 m on the WGS 84 ellipsoid
    plane = Plane(37.9765, 23.7350)
    ax, ay = plane.xy(37.97153, 23.72659)
    bx, by = plane.xy(37.98193, 23.74300)
    assert np.hypot(bx - ax, by - ay) == pytest.approx(1847, rel=0.01)
    assert plane.latlon(ax, ay) == pytest.approx((37.97153, 23.72659))


def test_maps_get_the_town_as_geojson(built_in: Town) -> None:
    streets = streets_geojson(built_in)["features"]
    assert len(streets) == len(built_in.streets)
    ermou = next(street for street in streets if street["properties"]["name"] == "Ερμού")
    assert ermou["geometry"]["type"] == "LineString"
    lon, lat = ermou["geometry"]["coordinates"][0]
    assert 22 < lon < 24
    assert 39 < lat < 40
    assert all(
        area["geometry"]["coordinates"][0][0] == area["geometry"]["coordinates"][0][-1] for area in areas_geojson(built_in)["features"]
    )
    assert len(paths_geojson(built_in)["features"]) == len(built_in.paths)
    assert {"depot", "townhall"} <= {place["properties"]["kind"] for place in places_geojson(built_in)["features"]}
