"""What an operator relies on when the town's map changes: one build per file, and a file that is no map leaves what was."""

from pathlib import Path

import asty_town
import pytest
from asty_appliance.home import Home
from asty_appliance.servers import valhalla
from asty_appliance.work import WorkFailedError


@pytest.fixture(scope="module")
def town_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("map") / "town.osm.pbf"
    asty_town.generate(path, seed=1)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "σπίτι")
    home.make()
    return home


def test_the_same_map_is_built_once_and_a_new_one_again(home: Home, town_file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    assert valhalla.build(home, town_file, said.append)
    assert not valhalla.build(home, town_file, said.append)
    assert len(said) == 1
    other = tmp_path / "other.osm.pbf"
    asty_town.generate(other, seed=2)
    assert valhalla.build(home, other, said.append)


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "blob contains no data"), (b"<html>not found</html>", "PBF error"), (None, "unexpected EOF")]
)
def test_a_file_that_is_no_map_is_said_and_the_roads_of_before_are_kept(
    home: Home, town_file: Path, tmp_path: Path, content: bytes | None, said: str
) -> None:
    valhalla.build(home, town_file, lambda _: None)
    before = {path: path.stat().st_mtime_ns for path in (home.data / "valhalla" / "tiles").rglob("*.gph")}
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(town_file.read_bytes()[:20_000] if content is None else content)
    with pytest.raises(WorkFailedError, match=rf"(?s)broken\.osm\.pbf.*{said}.*roads of before are kept"):
        valhalla.build(home, broken, lambda _: None)
    assert {path: path.stat().st_mtime_ns for path in (home.data / "valhalla" / "tiles").rglob("*.gph")} == before
    assert not valhalla.build(home, town_file, lambda _: None)
