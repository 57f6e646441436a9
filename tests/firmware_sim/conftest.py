from pathlib import Path

import pytest
from asty_town import Town, generate, read


@pytest.fixture(scope="session")
def town_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("town") / "asty.osm.pbf"
    generate(file)
    return file


@pytest.fixture(scope="session")
def asty(town_file: Path) -> Town:
    return read(town_file)
