"""What a driver relies on: the way in Greek, along the right kerb, turn by turn."""

import math
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import asty_town
import psutil
import pytest
from asty_cloud_api.roads.errors import NoWayError, RoadsAwayError
from asty_cloud_api.roads.legs import euphonic
from asty_cloud_api.roads.place import Place, Profile
from asty_cloud_api.roads.service import Roads

TRUCK = Profile()
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none"  # legs are not kept


@pytest.fixture
async def roads(server: Any) -> AsyncIterator[Roads]:
    roads = Roads.at(server.url, NO_DATABASE)
    yield roads
    await roads.close()


def wide_street(town: asty_town.Town) -> asty_town.Street:
    return next(s for s in town.streets if s.highway in {"secondary", "tertiary"} and s.oneway == 0 and len(s.line) > 4)


def beside(street: asty_town.Street, at: int, metres: float) -> tuple[Place, float]:
    """Return a point so far to the right (left: negative) of a stretch's middle, and the stretch's heading."""
    (x1, y1), (x2, y2) = street.line[at], street.line[at + 1]
    east, north = (x2 - x1) * math.cos(math.radians(y1)), y2 - y1
    length = math.hypot(east, north)
    lat = (y1 + y2) / 2 - east / length * metres / 111_320
    lon = (x1 + x2) / 2 + north / length * metres / 111_320 / math.cos(math.radians(y1))
    return Place(lat, lon), math.degrees(math.atan2(east, north)) % 360


def heading(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.degrees(math.atan2((b[0] - a[0]) * math.cos(math.radians(a[1])), b[1] - a[1])) % 360


@pytest.mark.parametrize("side", [4.0, -4.0])
async def test_the_truck_arrives_along_the_bins_own_kerb(roads: Roads, town: asty_town.Town, side: float) -> None:
    street = wide_street(town)
    bin_, along = beside(street, 2, side)
    far = Place(town.streets[-1].line[0][1], town.streets[-1].line[0][0], kerb=False)
    (leg,) = await roads.legs(TRUCK, [far, bin_])
    arrives = heading(leg.shape[-2], leg.shape[-1])
    wanted = along if side > 0 else (along + 180) % 360
    assert abs((arrives - wanted + 180) % 360 - 180) < 30
    assert leg.side == "right"


async def test_a_plans_legs_take_as_long_as_its_matrix_says_and_turn_round_at_no_bin(roads: Roads, town: asty_town.Town) -> None:
    narrow = [s for s in town.streets if s.highway in {"residential", "living_street"} and s.oneway == 0 and s.drivable]
    stops = [beside(street, 0, side)[0] for street, side in zip(narrow[::3], (4.0, -4.0) * len(narrow), strict=False)][:40]
    locations = [stop.location() for stop in stops]
    seconds, _ = await roads.valhalla.matrix(TRUCK, locations, locations, [])
    pairs = [(n, n + 1) for n in range(len(stops) - 1)]
    assert all(math.isfinite(seconds[pair]) for pair in pairs)
    legs = await roads.legs(TRUCK, stops)
    apart = [abs(leg.seconds - float(seconds[pair])) for leg, pair in zip(legs, pairs, strict=True)]
    assert max(apart) <= 3, "each is rounded by itself"
    for before, after in pairwise(legs):
        turn = heading(after.shape[0], after.shape[1]) - heading(before.shape[-2], before.shape[-1])
        assert abs((turn + 180) % 360 - 180) < 120, f"it turns round at {before.shape[-1]}"


async def test_a_bin_left_of_a_one_way_street_is_served_from_the_street_that_there_is(roads: Roads, town: asty_town.Town) -> None:
    street = next(s for s in town.streets if s.oneway == 1 and s.drivable)
    places = [beside(street, 0, -4.0)[0], beside(wide_street(town), 2, 4.0)[0]]
    (leg,) = await roads.legs(TRUCK, places)
    assert math.isfinite(leg.seconds)


async def test_every_leg_ends_at_its_stop_and_says_each_turn_in_greek_with_its_street(roads: Roads, town: asty_town.Town) -> None:
    drivable = [s for s in town.streets if s.drivable and s.name]
    stops = [beside(s, 0, 3.0)[0] for s in (drivable[0], drivable[len(drivable) // 2], drivable[-1])]
    legs = await roads.legs(TRUCK, stops)
    assert len(legs) == 2
    for leg, stop in zip(legs, stops[1:], strict=True):
        lon, lat = leg.shape[-1]
        assert math.hypot((lon - stop.lon) * math.cos(math.radians(lat)), lat - stop.lat) * 111_320 < 60
        assert leg.metres > 0
        assert leg.seconds > 0
        assert leg.turns[0].type == "depart"
        assert leg.turns[-1].type == "arrive"
        assert all(0 <= turn.at < len(leg.shape) for turn in leg.turns)
        assert all(any("α" <= letter <= "ώ" for letter in turn.text + turn.say) for turn in leg.turns)
    names = {street.name for street in drivable}
    assert any(turn.street in names and turn.street in turn.text for leg in legs for turn in leg.turns)


def test_directions_are_written_as_a_greek_writes_them() -> None:
    assert euphonic("Στρίψτε δεξιά στη Ερμού. Στη συνέχεια Στρίψτε αριστερά στη Δημητριάδος.") == (
        "Στρίψτε δεξιά στην Ερμού. Στη συνέχεια στρίψτε αριστερά στη Δημητριάδος."
    )
    assert euphonic("Στρίψτε στη Κύπρου") == "Στρίψτε στην Κύπρου"
    assert euphonic("Στρίψτε στη Μπότσαρη") == "Στρίψτε στην Μπότσαρη"
    assert euphonic("Στρίψτε στη Μακρινίτσης") == "Στρίψτε στη Μακρινίτσης"


async def test_a_point_without_a_street_near_is_named(roads: Roads, town: asty_town.Town) -> None:
    lon, lat = town.streets[0].line[0]
    with pytest.raises(NoWayError, match="to point 1"):
        await roads.legs(TRUCK, [Place(lat, lon), Place(lat + 0.5, lon)])


async def test_a_valhalla_that_does_not_answer_is_said_with_what_to_do(free_port: Callable[[], int]) -> None:
    roads = Roads.at(f"http://127.0.0.1:{free_port()}", NO_DATABASE)
    with pytest.raises(RoadsAwayError, match="ASTY_VALHALLA_URL"):
        await roads.legs(TRUCK, [Place(39.36, 22.95), Place(39.361, 22.95)])
    await roads.close()


def test_the_appliances_valhalla_listens_on_this_machine_only(server: Any) -> None:
    heard = {c.laddr.ip for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr.port == server.port}
    assert heard == {"127.0.0.1"}
