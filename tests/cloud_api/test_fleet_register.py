"""What a municipality relies on when it imports its register."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from asty_cloud_api import database, settings
from asty_cloud_api.cab import models as _cab  # noqa: F401  these tables belong to the same metadata
from asty_cloud_api.enrolment import models as _enrolment  # noqa: F401
from asty_cloud_api.fleet import plan_models, register
from asty_cloud_api.fleet import ticket_models as _tickets  # noqa: F401
from asty_cloud_api.roads import models as _roads  # noqa: F401
from asty_cloud_api.staff import models as _staff  # noqa: F401
from asty_process.environment import SettingsError


def rows(dsn: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[call-overload]


def test_importing_twice_changes_nothing_and_draws_the_map(fleet: Any, register_file: Path) -> None:
    everything = """
        SELECT 'v', edge, name FROM fleet.vehicle UNION ALL SELECT 'b', id, tag FROM fleet.bin
        UNION ALL SELECT 'l', name, digest FROM fleet.town_layer ORDER BY 1, 2
    """
    assert fleet.run("register", "import", str(register_file)).returncode == 0
    once = rows(fleet.dsn, everything)
    assert fleet.run("register", "import", str(register_file)).returncode == 0
    assert rows(fleet.dsn, everything) == once
    assert len([row for row in once if row[0] == "b"]) == 40
    assert [row[1] for row in once if row[0] == "l"] == ["areas", "places", "streets"]


def test_a_tag_can_move_from_one_bin_to_another_and_a_scrapped_bin_goes(fleet: Any, register_file: Path, tmp_path: Path) -> None:
    assert fleet.run("register", "import", str(register_file)).returncode == 0
    entries = json.loads(register_file.read_text())
    one, two = entries["bins"][0], entries["bins"][1]
    one["tag"], two["tag"] = two["tag"], one["tag"]
    gone = entries["bins"].pop()
    moved = tmp_path / "moved.json"
    moved.write_text(json.dumps(entries))
    done = fleet.run("register", "import", str(moved))
    assert done.returncode == 0, done.stderr
    assert rows(fleet.dsn, f"SELECT tag FROM fleet.bin WHERE id = '{one['id']}'") == [(one["tag"],)]
    assert rows(fleet.dsn, f"SELECT count(*) FROM fleet.bin WHERE id = '{gone['id']}'") == [(0,)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bins": [{"id": "1", "tag": "xyz", "stream": "a", "volume": 1, "lat": 1, "lon": 1}]}, "bin 1: tag 'xyz'"),
        ({"bins": [{"id": "1", "stream": "a", "volume": 1, "lat": 91, "lon": 1}]}, "$.bins[0].lat"),
        ({"bins": [{"id": "1", "stream": "a", "volume": 1, "lat": 1, "lon": 1}] * 2}, "bin 1 stands twice"),
        ({"vehicles": [{"edge": "Truck 1", "name": "A"}]}, "'Truck 1' can't name an edge"),
        ({"vehicles": 3}, "$.vehicles"),
        ({"vehicles": [{"edge": "truck-1", "name": "A", "shift_start": "6:00"}]}, "$.vehicles[0].shift_start"),
        ({"vehicles": [{"edge": "truck-1", "name": "A", "capacity_l": 0}]}, "$.vehicles[0].capacity_l"),
        ({"bins": [{"id": "1", "stream": "a", "volume": 1, "lat": 1, "lon": 1, "windows": [["06:00", "25:00"]]}]}, "$.bins[0].windows"),
    ],
)
def test_a_wrong_register_is_refused_whole_with_the_entry_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path = tmp_path / "register.json"
    path.write_text(json.dumps({"vehicles": [], "bins": []} | change))
    with pytest.raises(register.RegisterFileError) as refused:
        register.read(path)
    assert words in str(refused.value)
    assert str(path) in str(refused.value)
    assert "nothing was changed" in str(refused.value)


def test_what_the_planner_needs_to_know_of_trucks_and_bins_is_kept(fleet: Any, register_file: Path, tmp_path: Path) -> None:
    entries = json.loads(register_file.read_text())
    entries["vehicles"][0] |= {
        "capacity_l": 64_000,
        "streams": ["γυαλί"],
        "shift_start": "22:00",
        "shift_end": "06:00",
        "skills": ["γερανός"],
    }
    entries["bins"][0] |= {"service_s": 90, "must": True, "windows": [["06:00", "08:30"]], "business": "Σχολείο"}
    detailed = tmp_path / "detailed.json"
    detailed.write_text(json.dumps(entries))
    done = fleet.run("register", "import", str(detailed))
    assert done.returncode == 0, done.stderr
    edge, name = entries["vehicles"][0]["edge"], entries["bins"][0]["id"]
    kept = rows(fleet.dsn, f"SELECT capacity_l, streams, shift_start, shift_end, skills FROM fleet.vehicle WHERE edge = '{edge}'")
    assert kept == [(64_000, ["γυαλί"], "22:00", "06:00", ["γερανός"])]
    kept = rows(fleet.dsn, f"SELECT service_s, must, windows, business FROM fleet.bin WHERE id = '{name}'")
    assert kept == [(90, True, [["06:00", "08:30"]], "Σχολείο")]


def test_the_models_say_what_the_migrations_made(fleet: Any) -> None:
    engine = database.writing(fleet.dsn)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table_schema": "fleet", "include_schemas": True, "compare_server_default": False,
                  "include_name": lambda name, kind, _parents: kind != "schema" or name == "fleet"},
        )  # fmt: skip
        differences = [
            one for one in compare_metadata(context, plan_models.Base.metadata)
            if not (isinstance(one, tuple) and "index" in one[0])
        ]  # fmt: skip
    engine.dispose()
    assert differences == []


def test_a_file_that_is_no_town_is_refused_by_name(fleet: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"no town")
    done = fleet.run("town", "check", str(broken))
    assert done.returncode == 1
    assert "broken.osm.pbf" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_towns_file_says_what_it_holds(fleet: Any, town_file: Path) -> None:
    done = fleet.run("town", "check", str(town_file))
    assert done.returncode == 0
    assert "streets" in done.stdout


GOOD = {"ASTY_ORG": "demo", "ASTY_DATABASE_DSN": "postgresql://a@b/c"}


@pytest.mark.parametrize(
    ("change", "variable"),
    [
        ({"ASTY_ORG": "No Name"}, "ASTY_ORG"),
        ({"ASTY_DATABASE_DSN": ""}, "ASTY_DATABASE_DSN"),
        ({"ASTY_CLOUD_API_PORT": "http"}, "ASTY_CLOUD_API_PORT"),
        ({"ASTY_CLOUD_API_PORT": "70000"}, "ASTY_CLOUD_API_PORT"),
        ({"ASTY_TIMEZONE": "Greece"}, "ASTY_TIMEZONE"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(change: dict[str, str], variable: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable}.*expected"):
        settings.read(GOOD | change)
