"""The built-in town is a real OpenStreetMap file of a Greek coastal town, the same for everybody."""

import unicodedata
from itertools import pairwise
from math import hypot
from pathlib import Path

import pytest
from asty_town import Town, generate, read
from asty_town.generator.blocks import Block
from asty_town.generator.names import MAIN, STREETS


def test_the_same_seed_gives_the_same_file(tmp_path: Path, built_in_file: Path) -> None:
    generate(tmp_path / "again.osm.pbf")
    assert (tmp_path / "again.osm.pbf").read_bytes() == built_in_file.read_bytes()


@pytest.mark.parametrize("seed", [1, 7])
def test_other_seeds_give_other_towns_that_can_be_driven_too(tmp_path: Path, built_in: Town, seed: int) -> None:
    generate(tmp_path / "other.osm.pbf", seed=seed)
    other = read(tmp_path / "other.osm.pbf")
    assert [street.line for street in other.streets] != [street.line for street in built_in.streets]
    assert len(other.graph()) > 300
    assert other.place("depot")


def test_it_is_a_town_by_the_sea_of_about_a_mile(built_in: Town) -> None:
    assert built_in.name == "Άστυ"
    west, south, east, north = built_in.bbox
    assert hypot(*(b - a for a, b in zip(built_in.plane.xy(south, west), built_in.plane.xy(north, east), strict=True))) < 2600
    (sea,) = [area for area in built_in.areas if area.kind == "sea"]
    water = Block([built_in.plane.xy(lat, lon) for lon, lat in sea.ring[:-1]], [])
    assert not any(water.contains(built_in.plane.xy(lat, lon)) for street in built_in.streets for lon, lat in street.line)
    assert {"park", "square", "beach", "building"} <= {area.kind for area in built_in.areas}


def test_its_streets_have_greek_names_and_are_of_every_class(built_in: Town) -> None:
    names = {street.name for street in built_in.streets if street.name}
    assert 60 <= len(names) <= 100
    assert "Λεωφόρος Δημοκρατίας" in names
    assert {"primary", "secondary", "tertiary", "residential", "living_street", "service", "pedestrian"} == {
        street.highway for street in built_in.streets
    }
    oneway = sum(street.oneway != 0 for street in built_in.streets)
    assert 0.25 < oneway / len(built_in.streets) < 0.7


@pytest.mark.parametrize("name", [*STREETS, *MAIN])
def test_each_street_name_is_spelt_with_greek_letters_and_one_accent_a_word(name: str) -> None:
    assert name == unicodedata.normalize("NFC", name).strip()
    for word in name.split():
        letters = [letter for letter in word if not letter.isdigit()]
        assert all("GREEK" in unicodedata.name(letter) for letter in letters)
        accents = sum("\u0301" in unicodedata.normalize("NFD", letter) for letter in letters)
        syllables = sum(unicodedata.normalize("NFD", letter)[0].lower() in "αεηιουω" for letter in letters)
        assert accents == (1 if syllables > 1 and not word[0].isdigit() else accents)
        assert accents <= 1


def test_street_names_are_not_given_twice() -> None:
    assert len(set(STREETS) | set(MAIN)) == len(STREETS) + len(MAIN)


@pytest.mark.parametrize(
    "kind",
    [
        "townhall", "citizens_office", "school", "marketplace", "depot", "waste_transfer_station", "pharmacy", "bus_stop", "parking",
        "bicycle_parking", "place_of_worship", "recycling", "marina",
    ],
)  # fmt: skip
def test_it_has_what_people_look_for(built_in: Town, kind: str) -> None:
    assert built_in.place(kind) is not None


def test_people_on_foot_and_by_bicycle_have_their_ways(built_in: Town) -> None:
    assert {path.kind for path in built_in.paths} == {"foot", "cycle", "steps"}
    assert {crossing.kerb for crossing in built_in.crossings} >= {"lowered", "raised", "flush"}
    assert {street.kerb for street in built_in.streets} >= {"raised", "lowered"}


def test_all_but_a_few_corners_can_be_reached_by_a_truck(built_in: Town) -> None:
    corners = {node for street in built_in.streets if street.drivable for node in street.nodes}
    assert len(built_in.graph()) > 0.95 * len(corners)


def test_no_house_stands_on_a_street(built_in: Town) -> None:
    plane = built_in.plane
    houses = [Block([plane.xy(lat, lon) for lon, lat in area.ring[:-1]], []) for area in built_in.areas if area.kind == "building"]
    lines = [[plane.xy(lat, lon) for lon, lat in street.line] for street in built_in.streets if street.highway != "service"]
    middles = [((ax + bx) / 2, (ay + by) / 2) for line in lines for (ax, ay), (bx, by) in pairwise(line)]
    assert len(houses) > 800
    for house in houses:
        x, y = house.middle
        assert not any(house.contains(point) for point in middles if hypot(point[0] - x, point[1] - y) < 40)


def test_blocks_are_of_different_sizes_as_in_a_town_that_grew(built_in: Town) -> None:
    plane, joints = built_in.plane, built_in.junctions
    lengths = []
    for street in built_in.streets:
        metres = 0.0
        for (a, (alon, alat)), (b, (blon, blat)) in pairwise(zip(street.nodes, street.line, strict=True)):
            (ax, ay), (bx, by) = plane.xy(alat, alon), plane.xy(blat, blon)
            metres += hypot(bx - ax, by - ay)
            if b in joints:
                lengths.append(metres)
                metres = 0.0
            assert a != b
    lengths.sort()
    assert lengths[len(lengths) * 9 // 10] > 1.8 * lengths[len(lengths) // 10]
