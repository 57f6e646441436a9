"""Hours of town time can be had at once, as the records that an ideal edge would have made."""

from collections import Counter
from itertools import pairwise

import pytest
from asty_contracts.envelope import decode_data, encode_data
from asty_contracts.evidence import holds
from asty_contracts.records import Fuel, Lift, Position, Ppe
from asty_firmware_sim.world import history
from asty_town import Town

START = 1_795_000_000_000


def test_six_hours_are_in_time_order_and_fit_the_contract(asty: Town) -> None:
    kinds: Counter[str] = Counter()
    before = START
    for at, data in history(asty, 3, "truck-01", START, 6):
        assert before <= at <= START + 6 * 3_600_000
        before = at
        kind, body = encode_data(data)
        assert decode_data(kind, body) == data
        kinds[kind] += 1
    assert kinds["pos"] > 1000
    assert kinds["lift"] > 60
    assert kinds["fuel"] == 720
    assert {"engine", "ppe"} <= set(kinds)


def test_its_lifts_are_one_chain_that_holds(asty: Town) -> None:
    lifts = [data for _, data in history(asty, 3, "truck-02", START, 1) if isinstance(data, Lift)]
    assert all(holds(lift) for lift in lifts)
    assert lifts[0].prev == ""
    assert all(after.prev == before.hash for before, after in pairwise(lifts))
    assert all(lift.net is not None and lift.net >= 0 and lift.std == "em4100" for lift in lifts)


def test_the_same_seed_gives_the_same_records_and_another_gives_others(asty: Town) -> None:
    first = list(history(asty, 3, "truck-03", START, 0.5))
    assert first == list(history(asty, 3, "truck-03", START, 0.5))
    assert first != list(history(asty, 4, "truck-03", START, 0.5))


def test_positions_are_given_each_five_seconds_while_the_truck_moves(asty: Town) -> None:
    records = list(history(asty, 3, "truck-01", START, 0.5))
    moving = [at for at, data in records if isinstance(data, Position) and (data.v or 0) > 1]
    assert min(after - before for before, after in pairwise(moving)) == 5000
    assert {type(data) for _, data in records} >= {Fuel, Ppe}


def test_an_edge_that_is_no_truck_is_refused(asty: Town) -> None:
    with pytest.raises(ValueError, match="truck-01, truck-02, truck-03"):
        next(history(asty, 3, "gateway-01", START, 1))
