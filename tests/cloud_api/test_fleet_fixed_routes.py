"""A town's own fixed routes: entered whole or not at all, told by line what is wrong, and measured against today's plan."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from asty_cloud_api.fleet import fixed_routes
from asty_cloud_api.fleet.fixed_routes import Entry, FixedRoutesFileError
from asty_cloud_api.planning.model import Day, Prices, Roads, Station, Stop, Truck, Window
from asty_cloud_api.planning.rounds import drive_rounds


def written(folder: Path, text: str, name: str = "routes.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_and_json_say_the_same_and_a_weekday_has_many_names(tmp_path: Path) -> None:
    table = written(tmp_path, "\ufeffweekday,truck,bin\n1,truck-01,b-1\nΔευτέρα,truck-01,b-2\n\nfri,truck-02,b-1\n")
    rounds = [{"weekday": "Monday", "truck": "truck-01", "bins": ["b-1", "b-2"]}, {"weekday": 5, "truck": "truck-02", "bins": ["b-1"]}]
    of_json = fixed_routes.read(written(tmp_path, json.dumps(rounds), "routes.json"))
    of_csv = fixed_routes.read(table)
    assert [(it.weekday, it.truck, it.bin) for it in of_csv] == [(1, "truck-01", "b-1"), (1, "truck-01", "b-2"), (5, "truck-02", "b-1")]
    assert [(it.weekday, it.truck, it.bin) for it in of_json] == [(it.weekday, it.truck, it.bin) for it in of_csv]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1,t,b\n8,t,c\n", ["line 2: weekday '8', expected 1 to 7, monday to sunday or Δευτέρα to Κυριακή"]),
        ("1,t\n", ["line 1: 2 columns, expected weekday,truck,bin"]),
        ("1,t,b\n1,u,b\n", ["line 2: bin 'b' is emptied on the same weekday already (line 1)"]),
        ("weekday,truck,bin\n", ["line 1: no round in it"]),
        ("9,,\n", ["line 1: weekday '9'", "line 1: truck is missing", "line 1: bin is missing"]),
    ],
)
def test_every_line_that_is_wrong_is_told_at_once(tmp_path: Path, text: str, told: list[str]) -> None:
    with pytest.raises(FixedRoutesFileError) as caught:
        fixed_routes.read(written(tmp_path, text))
    said = str(caught.value)
    assert "nothing was changed" in said
    assert [part for part in told if part not in said] == []


def test_json_that_is_cut_off_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(FixedRoutesFileError, match=r"line 2: .*column"):
        fixed_routes.read(written(tmp_path, '[{"weekday": 1,\n "truck": ', "routes.json"))


def test_trucks_and_bins_that_the_register_lacks_are_told_by_line() -> None:
    wrong = fixed_routes.unknown([Entry("line 2", 1, "t-9", "b-1"), Entry("line 3", 1, "t-1", "b-9")], {"b-1": "b-1"}, frozenset({"t-1"}))
    assert wrong == [
        "line 2: truck 't-9' is no truck of the register", "line 3: bin 'b-9' is no bin of the register, neither an id nor a tag"
    ]  # fmt: skip


def test_the_command_keeps_all_or_nothing(fleet: Any, register_file: Path, tmp_path: Path) -> None:
    entries = json.loads(register_file.read_text())
    assert fleet.run("register", "import", str(register_file)).returncode == 0
    truck = next(it["edge"] for it in entries["vehicles"] if it.get("kind", "truck") == "truck")
    one, two = entries["bins"][:2]
    good = written(tmp_path, f"1,{truck},{one['tag']}\n1,{truck},{two['id']}\n")
    done = fleet.run("register", "fixed-routes", str(good))
    assert done.returncode == 0, done.stderr
    assert "1 fixed routes with 2 bins" in done.stdout
    bad = written(tmp_path, f"2,{truck},{one['id']}\n2,{truck},{one['tag']}\n2,no-truck,{two['id']}\n", "bad.csv")
    refused = fleet.run("register", "fixed-routes", str(bad))
    assert refused.returncode == 1
    assert "line 3: truck 'no-truck' is no truck of the register" in refused.stderr
    with psycopg.connect(fleet.dsn) as connection:
        kept = connection.execute("SELECT weekday, bin FROM fleet.fixed_route ORDER BY seq").fetchall()
        connection.execute("TRUNCATE fleet.fixed_route")
    assert kept == [(1, one["id"]), (1, two["id"])]


def test_a_round_is_driven_in_its_order_and_unloads_when_the_truck_is_full() -> None:
    """On a line, 100 m and 10 s a place: garage 0, station 1, bins 2, 3, 4; an island 5."""
    at = np.arange(6) * 100.0
    metres = np.abs(at[:, None] - at[None])
    metres[5, :] = metres[:, 5] = np.nan
    stops = tuple(Stop(f"b{n}", n, 40, 400, service=60) for n in range(2, 6))
    truck = Truck("t", 100, 1000, Window(0, 3600), 0, 0, prices=Prices(fixed=5, per_km=1, per_hour=36))
    day = Day((truck,), stops, (Station("s", 1, service=300),), {"truck": Roads(metres / 10, metres)})
    (it,) = drive_rounds(day, {"t": ["b4", "b3", "b2", "b5", "gone"], "nobody": ["b2"]})
    assert (it.stops, it.passed_over, it.unloads, it.kg) == (("b4", "b3", "b2"), ("b5", "gone"), 2, 120)
    assert it.metres == 400 + 100 + 200 + 100 + 100 + 100  # to b4, b3, station, b2, station, garage
    assert it.seconds == 100 + 3 * 60 + 2 * 300
    assert it.cost == pytest.approx(5 + 1.0 + 36 * it.seconds / 3600)
