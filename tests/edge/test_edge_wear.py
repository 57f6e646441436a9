"""What the outbox costs a gateway's disk: measured, and within the budget that the documentation gives."""

import json
import subprocess
import sys
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
from asty_contracts.records import KIND_OF
from asty_edge.config import OutboxSettings
from asty_edge.outbox import Outbox
from asty_edge.ranges import Ranges
from asty_edge.wear.day import DAY_S, batches
from asty_edge.wear.measure import measure_room, measure_wear

ALL = Ranges([(1, 1 << 40)])
DOCS = Path(__file__).parents[2] / "docs"


def test_a_day_has_the_records_that_a_truck_makes_at_the_agents_default_rates():
    counted = Counter(KIND_OF[type(event.data)] for event in chain.from_iterable(batches(DAY_S)))
    assert counted["lift"] == 400
    assert counted["pos"] >= 16 * 3600 / 5 + 8 * 60
    assert (counted["fuel"], counted["engine"], counted["ppe"], counted["health"]) == (2880, 1440, 3 * 1440, 2880)


def test_seven_days_without_a_network_fit_into_the_default_budget_and_nothing_is_thinned(tmp_path):
    """A seventh part of it: days are alike, and the budget is divided as well."""
    room = measure_room(tmp_path / "outbox.db", 1, OutboxSettings().max_bytes // 7)
    assert room.held == room.records > 20_000
    assert room.thinned == 0
    assert room.bytes < room.budget


def test_an_outbox_too_small_for_the_days_keeps_to_its_budget_and_gives_up_positions_only(tmp_path):
    budget = 2_000_000
    room = measure_room(tmp_path / "outbox.db", 0.6, budget)
    assert room.thinned > 0
    assert room.bytes < budget * 1.05
    assert room.file < 2 * budget + 8_000_000
    outbox = Outbox.open(tmp_path / "outbox.db", budget)
    kept = Counter(one.k for one in outbox.peek(ALL, 1_000_000, 1 << 40))
    outbox.close()
    whole = Counter(KIND_OF[type(event.data)] for event in chain.from_iterable(batches(int(0.6 * DAY_S))))
    assert {kind: kept[kind] for kind in whole if kind != "pos"} == {kind: n for kind, n in whole.items() if kind != "pos"}


def test_acknowledging_costs_writes_too_and_both_are_counted(tmp_path):
    offline = measure_wear(tmp_path / "offline.db", 300, acknowledged=False)
    online = measure_wear(tmp_path / "online.db", 300, acknowledged=True)
    if offline.written == 0:
        pytest.skip("the temporary folder is in memory, where nothing is written to a disk: pytest --basetemp on a disk")
    assert offline.written > offline.data > 300 * 48
    assert online.commits > offline.commits
    assert online.written > offline.written


def test_the_command_says_it_and_leaves_nothing_behind(tmp_path):
    command = [sys.executable, "-m", "asty_edge.cli", "wear", "--folder", str(tmp_path), "--records", "200", "--days", "0.01", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "is no disk" in done.stderr:
        pytest.skip("the temporary folder is in memory")
    said = json.loads(done.stdout)
    assert said["offline"]["records"] >= 200
    assert said["room"]["thinned"] == 0
    assert list(tmp_path.iterdir()) == []


def test_the_documentation_names_the_command():
    assert "asty-edge wear" in (DOCS / "benchmarks" / "edge-wear.md").read_text()
    assert "benchmarks/edge-wear.md" in (DOCS / "edge.md").read_text()
