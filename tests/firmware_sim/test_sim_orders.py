"""Simulated drivers do what their route says, in its order, and go their own round where nobody tells them."""

from collections.abc import Callable

import msgspec
import pytest
from asty_firmware_sim.orders import Orders, errands
from asty_firmware_sim.scenario import load
from asty_firmware_sim.world import Errand, LiftTruth, World
from asty_town import Town

START = 1_795_000_000_000
CALM = msgspec.structs.replace(load("demo"), fault=(), random={}, tagless_bins=0)


def _route(version: int = 1, **more: object) -> dict[str, object]:
    stops = [
        {"kind": "bin", "id": "bin-0001", "done": True},
        {"kind": "bin", "id": "bin-0002"},
        {"kind": "break", "id": "break"},
        {"kind": "bin", "id": "bin-0003"},
        {"kind": "station", "id": "transfer_station"},
        {"kind": "garage", "id": "garage"},
    ]
    return {"day": "2026-11-18", "version": version, "made": "2026-11-18T05:00:00Z", "stops": stops, "outcomes": []} | more


def test_a_truck_lifts_the_bins_of_its_route_in_their_order(asty: Town) -> None:
    world = World(asty, CALM, 3, START)
    heard = [one.id for one in world.bins if not one.em4100]
    wanted = heard[40:43] + heard[:3]
    deaf = next(one.id for one in world.bins if one.em4100)
    world.follow("truck-01", tuple(Errand("lift", name) for name in (deaf, *wanted)))
    lifted = [e.bin for e in world.advance(START + 3_600_000) if isinstance(e, LiftTruth) and e.edge == "truck-01"]
    assert lifted == wanted
    assert world.truck("truck-01").doing == "waiting"


def test_a_truck_unloads_where_its_route_says_so(asty: Town) -> None:
    world = World(asty, CALM, 3, START)
    name = next(one.id for one in world.bins if not one.em4100)
    world.follow("truck-01", (Errand("unload"), Errand("lift", name), Errand("unload")))
    seen: list[str] = []
    while world.now < START + 3_600_000:
        world.advance(world.now + 1000)
        doing = world.truck("truck-01").doing
        if doing in ("lifting", "unloading") and seen[-1:] != [doing]:
            seen.append(doing)
    assert seen == ["lifting", "unloading"], "an empty truck does not drive to the station"
    assert world.truck("truck-01").load == 0


def test_a_new_version_takes_the_place_of_the_old_one_and_the_same_one_changes_nothing() -> None:
    told: list[tuple[str, tuple[Errand, ...]]] = []
    orders = Orders("http://127.0.0.1:1", ["truck-01"], lambda edge, todo: told.append((edge, todo)))
    orders.take("truck-01", _route())
    orders.take("truck-01", _route())
    orders.take("truck-01", _route(version=2, stops=[]))
    orders.take("truck-01", {"version": 3})
    todo = (Errand("lift", "bin-0002"), Errand("lift", "bin-0003"), Errand("unload"))
    assert told == [("truck-01", todo), ("truck-01", ())]


def test_what_was_done_since_the_route_was_made_is_not_done_again() -> None:
    outcomes = [{"stop": "bin-0002", "at": "2026-11-18T05:01:00Z"}, {"stop": "bin-0003", "at": "2026-11-18T04:01:00Z"}]
    assert errands(_route(outcomes=outcomes)) == (Errand("lift", "bin-0003"), Errand("unload"))


@pytest.mark.parametrize("route", [{}, {"day": "d", "version": "x"}, {"day": "d", "version": 1, "made": "", "stops": [{}], "outcomes": []}])
def test_an_answer_that_is_no_route_is_no_order(route: dict[str, object]) -> None:
    told: list[str] = []
    Orders("http://127.0.0.1:1", ["truck-01"], lambda edge, _todo: told.append(edge)).take("truck-01", route)
    assert told == []


def test_while_nobody_answers_there_are_no_orders(free_port: Callable[[], int]) -> None:
    assert Orders(f"http://127.0.0.1:{free_port()}", ["truck-01"], lambda _edge, _todo: None)._route("truck-01") is None
