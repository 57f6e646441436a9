"""The documentation names what there is."""

import re
from pathlib import Path

from asty_cloud_api.main import create_app
from asty_cloud_api.settings import Settings

TEXT = "".join(page.read_text() for page in sorted((Path(__file__).parents[2] / "docs").glob("*.md")))
SETTINGS = Path(__file__).parents[2] / "cloud-api/asty_cloud_api/settings.py"


def test_every_address_is_documented() -> None:
    app = create_app(Settings("demo", "postgresql://nobody@127.0.0.1:1/none"))
    paths = set(app.openapi()["paths"]) | {"/lifts", "/trucks", "/bins", "/edges", "/completeness", "/missing", "/alarms", "/alarm-history"}
    assert {path for path in paths if path not in TEXT} == set()


def test_every_setting_is_documented() -> None:
    named = set(re.findall(r"ASTY_[A-Z_]+", SETTINGS.read_text()))
    assert {name for name in named if name not in TEXT} == set()
    assert len(named) >= 5
