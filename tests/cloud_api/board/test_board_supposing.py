"""What if, and which part of a street is closed: rules without a server."""

from dataclasses import replace

import numpy as np
import pytest
from asty_cloud_api.board import supposing
from asty_cloud_api.board.ports import Standing
from asty_cloud_api.board.street_area import Street, names
from asty_cloud_api.board.supposing import Suppose, suppose
from asty_cloud_api.planning.model import Day, Prices, Roads, Stop, Truck, Window
from asty_cloud_api.planning.planner import plan_day
from asty_cloud_api.planning.stop import Iterations
from shapely.geometry import LineString, shape


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answer on every machine."""
    monkeypatch.setattr(supposing, "CpuSeconds", lambda _seconds: Iterations(60))


def standing(shift: int = 4 * 3600) -> Standing:
    """Eight stops on a line of 1 km steps, ten minutes of service, two trucks at its beginning."""
    places = 9
    metres = np.abs(np.subtract.outer(np.arange(places), np.arange(places))) * 1000.0
    roads = {"truck": Roads(metres / 5, metres)}
    prices = Prices(fixed=0, per_km=1)
    trucks = tuple(Truck(f"t{n}", 9000, 20_000, Window(0, shift), 0, 0, prices=prices) for n in (1, 2))
    stops = tuple(Stop(f"s{n}", n, 100, 1100, service=600) for n in range(1, places))
    day = Day(trucks, stops, (), roads)
    return Standing(day, plan_day(day, Iterations(60), 1))


def test_a_truck_less_leaves_out_what_the_other_has_no_time_for_and_names_it() -> None:
    now = standing(shift=5400)  # an hour and a half: each truck does half of the stops
    found = suppose(now, None, Suppose(without=frozenset({"t2"})))
    assert found.stops < 0
    assert len(found.left_out) == -found.stops
    assert all(name.startswith("s") and why for name, why in found.left_out)
    assert next(change.stops[1] for change in found.trucks if change.truck == "t2") == 0


def test_with_time_enough_a_truck_less_leaves_nothing_out() -> None:
    found = suppose(standing(), None, Suppose(without=frozenset({"t2"})))
    assert (found.stops, found.left_out) == (0, ())


def test_a_truck_that_is_asked_about_is_named_though_it_had_nothing_to_do() -> None:
    now = standing()
    idle = tuple(route for route in now.plan.routes if route.truck != "t1")
    found = suppose(Standing(now.day, replace(now.plan, routes=idle)), None, Suppose(without=frozenset({"t1", "t2"})))
    assert [change.truck for change in found.trucks] == ["t1", "t2"]


def test_one_truck_more_serves_what_had_no_time() -> None:
    now = standing(shift=3600)
    found = suppose(now, None, Suppose(more=1))
    assert found.stops > 0
    assert len(found.gained) == found.stops


def test_a_closed_street_costs_the_way_round_it() -> None:
    now = standing()
    metres = now.day.roads["truck"].metres.copy()
    metres[:4, 4:] += 3000
    metres[4:, :4] += 3000
    closed = Day(now.day.trucks, now.day.stops, (), {"truck": Roads(metres / 5, metres)})
    found = suppose(now, closed, Suppose(closed=True))
    assert found.metres >= 6000
    assert found.left_out == ()


def feature(name: str | None, *points: tuple[float, float], layer: str = "street") -> dict[str, object]:
    properties = {"layer": layer} | ({"name": name} if name else {})
    return {"type": "Feature", "properties": properties, "geometry": {"type": "LineString", "coordinates": [list(p) for p in points]}}


X = [(22.95 + n * 0.001, 39.36) for n in range(5)]
TOWN = [
    feature("Ερμού", X[0], X[1], X[2]),
    feature("Ερμού", X[4], X[3], X[2]),
    feature("Κοραή", (X[1][0], 39.359), X[1], (X[1][0], 39.361)),
    feature("Σκουφά", (X[2][0], 39.359), X[2]),
    feature("Κύπρου", X[3], (X[3][0], 39.361)),
    feature(None, X[0], (X[0][0], 39.361)),
    feature("Ερμού", (X[0][0], 39.37), (X[1][0], 39.37), layer="path"),
]


def test_a_streets_crossings_are_told_in_order_along_it() -> None:
    assert [(one.number, one.name) for one in Street(TOWN, "Ερμού").crossings] == [(0, "Κοραή"), (1, "Σκουφά"), (2, "Κύπρου")]
    assert names(TOWN) == ["Ερμού", "Κοραή", "Κύπρου", "Σκουφά"]
    assert Street(TOWN, "Πουθενά").blocks() == ()


def test_each_block_of_a_street_is_closed_and_the_streets_across_stay_open() -> None:
    blocks = Street(TOWN, "Ερμού").blocks()
    assert len(blocks) == 4
    areas = [shape(block.area) for block in blocks]
    for across in TOWN[2:6]:
        line = LineString(across["geometry"]["coordinates"])  # type: ignore[index]
        assert not any(area.intersects(line) for area in areas)
    for block, area in zip(blocks, areas, strict=True):
        assert area.intersects(LineString(block.line))
        assert len(block.area["coordinates"][0]) <= 100


def test_between_two_crossings_only_the_blocks_between_are_closed_either_way_round() -> None:
    street = Street(TOWN, "Ερμού")
    between = street.blocks(0, 2)
    assert [block.name for block in between] == ["Ερμού (Κοραή – Σκουφά)", "Ερμού (Σκουφά – Κύπρου)"]
    assert len(street.blocks(2, 0)) == 2
    assert street.blocks(1, 1) == ()
    with pytest.raises(KeyError):
        street.blocks(0, 7)
