"""What OSM's tags mean for driving and for the map."""

import pytest
from asty_town.tags import area_kind, maxspeed, oneway, path_kind, place_kind, street_class


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "residential"}, ("residential", True)),
        ({"highway": "primary_link"}, ("primary_link", True)),
        ({"highway": "pedestrian"}, ("pedestrian", False)),
        ({"highway": "service", "service": "parking_aisle"}, ("service", False)),
        ({"highway": "service", "access": "private"}, ("service", False)),
        ({"highway": "residential", "hgv": "no"}, ("residential", False)),
        ({"highway": "pedestrian", "area": "yes"}, None),
        ({"highway": "footway"}, None),
        ({"highway": "construction"}, None),
        ({}, None),
    ],
)
def test_a_truck_may_only_drive_where_vehicles_may(tags: dict[str, str], expected: tuple[str, bool] | None) -> None:
    assert street_class(tags) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"oneway": "yes"}, 1),
        ({"oneway": "-1"}, -1),
        ({"oneway": "no"}, 0),
        ({}, 0),
        ({"junction": "roundabout"}, 1),
        ({"junction": "roundabout", "oneway": "no"}, 0),
        ({"highway": "motorway"}, 1),
        ({"oneway": "alternating"}, 0),
    ],
)
def test_a_one_way_is_taken_in_its_direction(tags: dict[str, str], expected: int) -> None:
    assert oneway(tags) == expected


@pytest.mark.parametrize(("text", "expected"), [("50", 50.0), ("GR:urban", None), ("30 mph", None), ("", None), ("0", None), ("²", None)])
def test_a_speed_that_is_no_plain_number_is_unknown(text: str, expected: float | None) -> None:
    assert maxspeed({"maxspeed": text}) == expected


def test_paths_are_told_apart() -> None:
    assert path_kind({"highway": "steps"}) == "steps"
    assert path_kind({"highway": "path", "bicycle": "designated"}) == "cycle"
    assert path_kind({"highway": "path"}) == "foot"
    assert path_kind({"highway": "residential"}) is None


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"amenity": "pharmacy"}, "pharmacy"),
        ({"amenity": "bench"}, None),
        ({"highway": "bus_stop"}, "bus_stop"),
        ({"landuse": "depot"}, "depot"),
        ({"office": "government", "government": "public_service"}, "citizens_office"),
        ({"office": "lawyer"}, None),
    ],
)
def test_places_that_people_look_for_are_kept(tags: dict[str, str], kind: str | None) -> None:
    assert place_kind(tags) == kind


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"building": "yes"}, "building"),
        ({"building": "no", "leisure": "park"}, "park"),
        ({"natural": "water"}, "water"),
        ({"highway": "pedestrian", "area": "yes"}, "square"),
        ({"highway": "pedestrian"}, None),
        ({"leisure": "pitch"}, "sport"),
        ({"landuse": "residential"}, None),
    ],
)
def test_surfaces_are_drawn_by_kind(tags: dict[str, str], kind: str | None) -> None:
    assert area_kind(tags) == kind
