"""The page on the telemetry store names what is published."""

import re
from pathlib import Path
from typing import Any

import pytest
from asty_process.environment import SettingsError
from asty_stream import settings

PAGE = (Path(__file__).parents[2] / "docs" / "telemetry-store.md").read_text()


async def test_the_page_describes_every_published_view_with_every_column(native: Any) -> None:
    views = native.ask("SELECT viewname FROM pg_views WHERE schemaname = 'telemetry' AND viewname LIKE 'v\\_%%'")
    assert len(views) == 17
    described = {}
    for section in re.split(r"^##+ ", PAGE, flags=re.MULTILINE):
        heading, _, text = section.partition("\n")
        described |= dict.fromkeys(heading.split(", "), text)
    for view in views:
        columns = native.ask("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", f"telemetry.{view}")
        for column in columns:
            assert f"`{column}`" in described[view], f"{view}.{column}"


def test_the_page_names_every_setting() -> None:
    with pytest.raises(SettingsError):
        settings.read({})
    source = Path(settings.__file__).read_text()
    names = set(re.findall(r'"(ASTY_\w+)"', source))
    assert len(names) > 10
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []
