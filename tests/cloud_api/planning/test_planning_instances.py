"""Published instances are read as their best known costs mean them; a file that is none is refused with file and line."""

from itertools import pairwise
from pathlib import Path

import pytest
from asty_cloud_api.planning import bench
from asty_cloud_api.planning.instances import InstanceError, as_day, best_known, read

DATA = Path(__file__).parents[4] / "shared/data/vrp"
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"no published instances at {DATA}")

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
SOLOMON = """T1

VEHICLE
NUMBER     CAPACITY
  2         20

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME

    0      0         0          0          0        100          0
    1      3         4         10          0         50         10
    2      6         8         10         20         60         10
"""


def write(tmp_path: Path, text: str, name: str = "tiny.vrp") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_cvrp_file_is_read_with_whole_distances(tmp_path: Path) -> None:
    instance = read(write(tmp_path, CVRP))
    assert instance.ways[0].tolist() == [0, 5, 10, 5]
    assert instance.ways[1, 3] == 3  # 3.16
    assert instance.demands == (0, 4, 4, 4)
    assert len(as_day(instance).stops) == 3


def test_a_solomon_file_is_read_in_thousandths(tmp_path: Path) -> None:
    instance = read(write(tmp_path, SOLOMON, "t.txt"))
    assert instance.ways[0, 1] == 5000
    assert (instance.windows[2].start, instance.windows[2].end) == (20_000, 60_000)
    assert instance.vehicles == 2


@pytest.mark.parametrize("engine", bench.ENGINES)
def test_each_engine_finds_the_best_of_a_tiny_instance(tmp_path: Path, engine: str) -> None:
    path = write(tmp_path, CVRP)
    path.with_suffix(".sol").write_text("Route #1: 1 2\nRoute #2: 3\nCost 30\n", encoding="utf-8")
    (row,) = bench.measure([path], 0.3, 1, engines=[engine])
    assert (row.cost, row.best, row.gap) == (30, 30, 0)


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        ("DEMAND_SECTION\n", "", 11, "found"),
        ("2 3 4\n", "2 3\n", 8, "expected 3 numbers"),
        ("2 3 4\n", "2 3 x\n", 8, "found 'x'"),
        ("2 3 4\n", "2 3 nan\n", 8, "finite"),
        ("2 3 4\n", "7 3 4\n", 8, "expected node 2"),
        ("4 0 5\n", "", 6, "expected 4 rows"),
        ("CAPACITY : 10\n", "", 18, "without a line 'CAPACITY"),
        ("CAPACITY : 10\n", "CAPACITY : 1.5\n", 5, "whole"),
        ("EUC_2D", "GEO", 4, "EUC_2D"),
        ("TYPE : CVRP", "TYPE : TSP", 2, "TSP"),
        ("DEPOT_SECTION\n1\n-1\n", "", 16, "without a section DEPOT_SECTION"),
        ("DEMAND_SECTION\n1 0\n2 4\n3 4\n4 4\n", "", 14, "without a section DEMAND_SECTION"),
        ("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n2\n", 16, "only depot"),
        ("NAME : tiny\n", "garbage\n", 1, "KEY : value"),
    ],
)
def test_a_bad_vrplib_file_is_refused_with_file_and_line(tmp_path: Path, old: str, new: str, line: int, expected: str) -> None:
    path = write(tmp_path, CVRP.replace(old, new, 1))
    with pytest.raises(InstanceError, match=expected) as caught:
        read(path)
    assert caught.value.line == line
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        ("VEHICLE\nNUMBER     CAPACITY\n  2         20\n", "", 9, "without a table headed NUMBER"),
        ("  2         20", "  2", 5, "expected 2 numbers"),
        ("         50         10\n", "\n", 11, "expected 7 numbers"),
        ("    2      6", "    5      6", 12, "expected customer 2"),
        ("    1      3", "    1      ?", 11, r"found '\?'"),
    ],
)
def test_a_bad_solomon_file_is_refused_with_file_and_line(tmp_path: Path, old: str, new: str, line: int, expected: str) -> None:
    with pytest.raises(InstanceError, match=expected) as caught:
        read(write(tmp_path, SOLOMON.replace(old, new, 1), "t.txt"))
    assert caught.value.line == line


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.vrp"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InstanceError, match="UTF-8"):
        read(path)


@needs_data
def test_best_known_solutions_cost_what_they_say_in_our_reading() -> None:
    for name in ("cvrp-X/X-n200-k36.vrp", "mtvrptwr/C201R0.25.vrp"):
        instance, cost = read(DATA / name), 0
        for line in (DATA / name).with_suffix(".sol").read_text().splitlines():
            if line.startswith("Route"):
                nodes = [0, *map(int, line.split(":")[1].split()), 0]
                cost += sum(int(instance.ways[a, b]) for a, b in pairwise(nodes))
        assert cost == best_known(DATA / name)


@needs_data
@pytest.mark.parametrize("name", ["mtvrptwr/C201R0.25.vrp", "vrptw/C101.txt"])
def test_ours_is_close_to_pyvrp_alone_in_the_same_time(name: str) -> None:
    alone, ours = bench.measure([DATA / name], 1.0, 1, engines=["pyvrp alone", "ours"])
    assert alone.cost is not None
    assert ours.cost is not None
    assert ours.cost <= alone.cost * 1.05


def test_a_replan_after_a_breakdown_is_measured_against_a_long_answer() -> None:
    row = bench.measure_replan(0.3, 1, bins=40, long_seconds=0.6, morning=0.3)
    assert row.violations == 0
    assert row.left > 0
    assert row.gap < 25
