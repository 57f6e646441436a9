"""The three commands as a person meets them: what they print, what they write, what they say when it can't be done."""

import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest
from asty_cloud_api.cli import main

pytestmark = pytest.mark.timeout(400)
BIN = Path(sys.executable).parent / "asty-cloud-api"
WYNDHAM = Path(__file__).parents[4] / "shared/data/fill/wyndham-18-bins.csv"
DAY_MS = 86_400_000

CVRP = """NAME : tiny
TYPE : CVRP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 3 4
3 6 8
4 0 5
DEMAND_SECTION
1 0
2 4
3 4
4 4
DEPOT_SECTION
1
-1
EOF
"""


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def month(tmp_path_factory, town_file) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("month")
    done = run("simulate", "--days", 6, "--seeds", 2, "--bins", 24, "--seconds", 0.02, "--town", town_file, "--out", folder / "new")
    return done, folder / "new"


def test_a_month_says_what_each_way_drove_and_what_overflowed_and_shows_its_progress(month) -> None:
    done, _ = month
    assert done.returncode == 0, done.stderr
    for words in ("kilometres", "truck hours", "diesel", "bin-days overflowing", "fill when emptied", "forecast against fixed rounds"):
        assert words in done.stdout
    assert "seeds 1, 2" in done.stdout
    assert "seed 2, forecast: day 6 of 6" in done.stderr


def test_a_month_is_kept_as_figures_and_as_a_picture_without_script(month) -> None:
    _, folder = month
    kept = json.loads((folder / "simulation.json").read_text())
    assert kept["seeds"] == [1, 2]
    for way in ("fixed rounds", "own weekdays", "forecast"):
        for name, figure in kept["ways"][way].items():
            assert figure["value"] == pytest.approx(sum(seed[name] for seed in kept["by_seed"][way]) / 2)
        assert all(seed["faults"] == 0 for seed in kept["by_seed"][way])
    changes = [100 * (a["km"] / b["km"] - 1) for a, b in zip(kept["by_seed"]["forecast"], kept["by_seed"]["fixed rounds"], strict=True)]
    assert kept["forecast_against_percent"]["fixed rounds"]["km"]["value"] == pytest.approx(sum(changes) / 2)
    picture = (folder / "simulation.svg").read_text()
    assert ET.fromstring(picture).tag.endswith("svg")
    assert "<script" not in picture


def test_every_way_takes_away_about_the_same_waste(month) -> None:
    _, folder = month
    kept = json.loads((folder / "simulation.json").read_text())["by_seed"]
    fixed, foreseen = (sum(seed["tonnes"] for seed in kept[way]) for way in ("fixed rounds", "forecast"))
    assert foreseen == pytest.approx(fixed, rel=0.25)
    assert sum(s["lifts"] for s in kept["forecast"]) < sum(s["lifts"] for s in kept["fixed rounds"])


def test_the_engines_stand_in_one_table_with_a_replan(tmp_path: Path) -> None:
    path = tmp_path / "tiny.vrp"
    path.write_text(CVRP)
    path.with_suffix(".sol").write_text("Cost 30\n")
    done = run("bench", "plan", path, "--seconds", 0.2, "--replan-seconds", 0.3, "--replan-against", 0.6, "--replan-bins", 30, "--json")
    assert done.returncode == 0, done.stderr
    kept = json.loads(done.stdout)
    rows = {(row["instance"], row["engine"]): row for row in kept["rows"]}
    for engine in ("pyvrp alone", "ortools alone", "ours"):
        assert (rows["tiny", engine]["cost"], rows["tiny", engine]["gap"]) == (30, 0)
    assert rows["replan-30", "ours"]["violations"] == 0
    assert (kept["threads"], kept["seed"]) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("bench", "plan", "{bad}"), "bad.vrp:15: the file ends here without a section DEPOT_SECTION"),
        (("bench", "plan", "{none}"), "none.vrp: no such file"),
        (("forecast", "backtest", "{none}"), "none.vrp: no such file"),
        (("forecast", "backtest", "{bad}"), "bad.vrp:1: expected a column 'Bin ID'"),
        (("forecast", "backtest"), "one of the arguments"),
        (("simulate", "--days", "0"), "expected 1 or more"),
        (("simulate", "--sensors", "1.5"), "expected a share from 0 to 1"),
        (("simulate", "--town", "{bad}"), "bad.vrp"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_file_and_line(
    tmp_path: Path, arguments: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.nice", lambda _: 0)
    (tmp_path / "bad.vrp").write_text(CVRP[: CVRP.index("DEPOT_SECTION")])
    with pytest.raises(SystemExit) as ended:
        main([a.format(bad=tmp_path / "bad.vrp", none=tmp_path / "none.vrp") for a in arguments])
    assert ended.value.code != 0
    assert says in f"{ended.value.code} {capsys.readouterr().err}"


def test_a_backtest_of_a_file_judges_both_and_draws_the_calibration(tmp_path: Path) -> None:
    rows = ["Bin ID,Fullness,fullnessThreshold,timestamp"]
    for number in range(6):
        for day in range(150):
            when = time.gmtime(1_700_000_000 + day * 86_400)
            rows.append(f"{number},{(day * (1 + number % 3)) % 10},8,{when.tm_mday:02}-{when.tm_mon:02}-{when.tm_year}")
    path, picture = tmp_path / "street.csv", tmp_path / "calibration.svg"
    path.write_text("\n".join(rows) + "\n")
    done = run("forecast", "backtest", path, "--plot", picture, "--json")
    assert done.returncode == 0, done.stderr
    kept = json.loads(done.stdout)
    assert kept["ours"]["brier"] < kept["persistence"]["brier"]
    assert kept["ours"]["mae"] < kept["persistence"]["mae"]
    assert sum(c["n"] for c in kept["calibration"]) == kept["n"]
    assert ET.fromstring(picture.read_text()).tag.endswith("svg")


@pytest.mark.skipif(not WYNDHAM.exists(), reason=f"no Wyndham readings at {WYNDHAM}")
def test_a_backtest_of_the_streets_of_wyndham_beats_persistence_on_what_the_plan_needs() -> None:
    kept = json.loads(run("forecast", "backtest", WYNDHAM, "--country", "AU", "--json").stdout)
    assert kept["ours"]["brier"] < 0.7 * kept["persistence"]["brier"]
    assert kept["off"] < 0.03


def test_a_backtest_of_the_towns_own_weighed_lifts_needs_no_file(fleet, register_file, lift_of) -> None:
    assert fleet.run("forecast", "backtest", "--database").stderr.endswith("none without an emptying between\n")
    assert fleet.run("register", "import", str(register_file)).returncode == 0
    tags = [entry["tag"] for entry in json.loads(register_file.read_text())["bins"][:8]]
    now = int(time.time() * 1000) // DAY_MS * DAY_MS
    for number, tag in enumerate(tags):
        days = [day for day in range(25) if day % (2 + number % 2) == 0]
        gaps = [2, *(b - a for a, b in pairwise(days))]
        for day, gap in zip(days, gaps, strict=True):
            t = now - (25 - day) * DAY_MS + number * 60_000
            fleet.put("truck-01", (t, lift_of(tag, t, 20.0 * gap + 3.0 * (day % 4))))
    done = fleet.run("forecast", "backtest", "--database", "--json")
    assert done.returncode == 0, done.stderr
    kept = json.loads(done.stdout)
    assert kept["source"] == "own lifts"
    assert kept["n"] > 30
    assert kept["ours"]["mae"] < kept["persistence"]["mae"]
