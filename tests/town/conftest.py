from pathlib import Path

import pytest
from asty_town import Town, generate, read


@pytest.fixture(scope="session")
def built_in_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("town") / "asty.osm.pbf"
    generate(file)
    return file


@pytest.fixture(scope="session")
def built_in(built_in_file: Path) -> Town:
    return read(built_in_file)
