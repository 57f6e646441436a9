"""The simulated town is the same for everybody with the same seed, and its trucks behave like trucks."""

from dataclasses import replace as dataclass_replace
from itertools import pairwise
from math import hypot

import msgspec
import numpy as np
import pytest
from asty_contracts.ids import is_tag
from asty_firmware_sim.scenario import FaultName, FaultSpec, Scenario, load
from asty_firmware_sim.world import LiftTruth, TagOnAir, TruckSenses, World
from asty_firmware_sim.world.bins import EM4100_STREAMS, Stream
from asty_town import Town

START = 1_795_000_000_000
CALM = msgspec.structs.replace(load("demo"), fault=(), random={}, tagless_bins=0)


def _world(town: Town, scenario: Scenario = CALM, seed: int = 3, **more: object) -> World:
    return World(town, scenario, seed, START, **more)  # type: ignore[arg-type]


def _minutes(world: World, minutes: float) -> list[TagOnAir | LiftTruth]:
    return world.advance(world.now + int(minutes * 60_000))


def _truths(events: list[TagOnAir | LiftTruth]) -> list[LiftTruth]:
    return [event for event in events if isinstance(event, LiftTruth)]


def test_the_same_seed_gives_the_same_day_however_often_it_is_looked_at(asty: Town) -> None:
    once, often = _world(asty, load("demo")), _world(asty, load("demo"))
    in_one = once.advance(START + 600_000)
    step_by_step = [event for at in range(START, START + 600_001, 50) for event in often.advance(at)]
    assert in_one == step_by_step
    assert once.truck("truck-01") == often.truck("truck-01")
    assert _minutes(_world(asty, load("demo"), seed=4), 10) != in_one


def test_what_happens_to_a_truck_does_not_depend_on_the_others(asty: Town) -> None:
    together = [event for event in _minutes(_world(asty, load("demo")), 15) if event.edge == "truck-02"]
    assert _minutes(_world(asty, load("demo"), only={"truck-02"}), 15) == together


def test_the_first_lift_of_each_truck_begins_within_a_quarter_of_a_minute(asty: Town) -> None:
    world = _world(asty)
    begun: dict[str, int] = {}
    while world.now < START + 20_000:
        world.advance(world.now + 100)
        for edge in world.trucks:
            if world.truck(edge).doing == "lifting":
                begun.setdefault(edge, world.now - START)
    assert set(begun) == set(world.trucks)
    assert max(begun.values()) <= 15_000


def test_trucks_drive_on_streets_forwards_and_not_faster_than_allowed(asty: Town) -> None:
    world = _world(asty)
    graph, plane = asty.graph(), asty.plane
    ends = np.array([(*graph.xy[edge.tail], *graph.xy[edge.head]) for edge in graph.edges])
    track: list[TruckSenses] = []
    while world.now < START + 15 * 60_000:
        world.advance(world.now + 1000)
        track.append(world.truck("truck-01"))
    for one in track:
        x, y = plane.xy(one.lat, one.lon)
        along = ends[:, 2:] - ends[:, :2]
        share = (((x, y) - ends[:, :2]) * along).sum(axis=1) / (along**2).sum(axis=1)
        gap = ends[:, :2] + along * np.clip(share, 0, 1)[:, None] - (x, y)
        assert np.hypot(gap[:, 0], gap[:, 1]).min() < 0.5
        assert one.v <= 50 / 3.6
    for before, after in pairwise(track):
        (ax, ay), (bx, by) = plane.xy(before.lat, before.lon), plane.xy(after.lat, after.lon)
        assert hypot(bx - ax, by - ay) <= after.dist - before.dist + 0.2
        assert after.dist - before.dist < 14
    assert track[-1].dist - track[0].dist > 500


def test_a_lift_empties_the_right_bin_and_tells_the_truth(asty: Town) -> None:
    world = _world(asty)
    bins = {one.id: one for one in world.bins}
    truths = _truths(_minutes(world, 30))
    assert len(truths) > 40
    for truth in truths:
        one = bins[truth.bin]
        assert (truth.tag, truth.read) == (one.tag, one.on_air)
        assert truth.gross - truth.tare == pytest.approx(truth.kg, abs=3)
        assert (truth.lat, truth.lon) == pytest.approx((one.lat, one.lon), abs=1e-5)
        assert truth.started < truth.ended
    for edge in world.trucks:
        assert [truth.cycle for truth in truths if truth.edge == edge] == list(range(1, world.truck(edge).cycle + 1))


def test_every_lift_has_its_tag_on_air_before_the_bin_is_raised(asty: Town) -> None:
    events = _minutes(_world(asty), 30)
    heard = {(event.edge, event.tag, event.at) for event in events if isinstance(event, TagOnAir)}
    for truth in _truths(events):
        assert any(edge == truth.edge and tag == truth.read and truth.started - 10_000 < at < truth.started for edge, tag, at in heard)


def test_each_truck_collects_only_bins_whose_tags_its_reader_hears(asty: Town) -> None:
    world = _world(asty)
    stream = {one.id: one.stream for one in world.bins}
    for truth in _truths(_minutes(world, 30)):
        assert (stream[truth.bin] in EM4100_STREAMS) == (truth.edge == "truck-02")


def test_bins_stand_at_kerbs_with_tags_of_their_own(asty: Town) -> None:
    world = _world(asty)
    assert len(world.bins) == 140
    assert len({one.tag for one in world.bins}) == 140
    assert all(is_tag(one.tag) and len(one.tag) == (10 if one.em4100 else 16) for one in world.bins)
    assert {one.stream for one in world.bins} == set(Stream)
    names = {street.name for street in asty.streets}
    assert all(one.street in names for one in world.bins)


def test_bins_fill_with_time_and_never_far_over_the_rim(asty: Town) -> None:
    one = _world(asty).bins[0]
    levels = [one.fill(START + hour * 3_600_000) for hour in range(0, 100, 5)]
    assert levels == sorted(levels)
    assert levels[-1] > levels[0]
    assert levels[-1] <= 1.15
    assert one.fill(START) == levels[-1]


def test_a_full_truck_unloads_at_the_transfer_station_and_goes_on(asty: Town) -> None:
    small = tuple(msgspec.structs.replace(truck, capacity_kg=500.0) for truck in CALM.truck)
    world = _world(asty, msgspec.structs.replace(CALM, truck=small), only={"truck-01"}, tick_ms=500)
    unloading: list[TruckSenses] = []
    lifts_after = 0
    while world.now < START + 90 * 60_000:
        events = world.advance(world.now + 5000)
        senses = world.truck("truck-01")
        if senses.doing == "unloading":
            unloading.append(senses)
        lifts_after += bool(unloading) and bool(_truths(events))
    there = asty.plane.xy(unloading[0].lat, unloading[0].lon)
    station = asty.plane.xy(*world.transfer_station)
    assert hypot(there[0] - station[0], there[1] - station[1]) < 120
    assert unloading[0].load > 0.9 * 500
    assert unloading[0].pto
    assert lifts_after > 3


def test_a_crew_rests_with_the_engine_off(asty: Town) -> None:
    world = _world(asty, only={"truck-01"}, tick_ms=500)
    resting: list[TruckSenses] = []
    while world.now < START + 180 * 60_000:
        world.advance(world.now + 10_000)
        if (senses := world.truck("truck-01")).doing == "break":
            resting.append(senses)
    assert resting
    assert all(not one.ignition and one.rpm == 0 and one.v == 0 for one in resting)


def test_no_further_lift_begins_after_a_halt(asty: Town) -> None:
    world = _world(asty)
    _minutes(world, 0.2)
    world.halt()
    _minutes(world, 1)
    assert not world.lifting
    assert not _truths(_minutes(world, 10))


def test_a_halted_truck_that_is_let_go_sets_out_at_once(asty: Town) -> None:
    world = _world(asty)
    world.halt()
    _minutes(world, 2)
    world.set_out("truck-01")
    _minutes(world, 1)
    assert world.truck("truck-01").cycle >= 1
    assert world.truck("truck-02").cycle == 0


@pytest.mark.parametrize("name", ["no_tag", "swapped_tag", "unstable_weight"])
def test_a_fault_of_a_lift_spoils_the_next_lift_and_no_other(asty: Town, name: FaultName) -> None:
    world = _world(asty)
    world.inject(FaultSpec(name=name, where="truck-01"))
    events = _minutes(world, 20)
    spoilt, *others = [truth for truth in _truths(events) if truth.edge == "truck-01"]
    assert spoilt.faults == (name,)
    assert not any(truth.faults for truth in others)
    assert (spoilt.read is None) == (name == "no_tag")
    assert (spoilt.read not in (None, spoilt.tag)) == (name == "swapped_tag")


def test_an_unstable_weighing_keeps_the_scale_moving(asty: Town) -> None:
    world = _world(asty)
    world.inject(FaultSpec(name="unstable_weight", where="truck-01"))
    shown = []
    while not _truths(world.advance(world.now + 100)) and world.now < START + 60_000:
        shown.append(world.truck("truck-01").lift)
    assert any(lift.state == "raising" for lift in shown)
    assert not any(lift.stable for lift in shown if lift.state != "idle")


def test_a_lift_fault_leaves_the_bin_full_and_the_counter_still(asty: Town) -> None:
    world = _world(asty)
    world.inject(FaultSpec(name="lift_fault", where="truck-01"))
    states = set()
    while world.now < START + 40_000:
        world.advance(world.now + 100)
        states.add(world.truck("truck-01").lift.state)
    assert "fault" in states
    assert world.truck("truck-01").cycle == 0
    (tried,) = [one for one in world.bins if one.tried_at and not one.em4100 and one in world.trucks["truck-01"].bins]
    assert tried.fill(world.now) > 0.5


@pytest.mark.parametrize("name", ["gnss_loss", "silent_scanner", "unplugged_serial"])
def test_a_fault_of_a_sensor_lasts_as_long_as_was_asked(asty: Town, name: FaultName) -> None:
    world = _world(asty)
    world.inject(FaultSpec(name=name, where="truck-02", at=10, lasts=20, device="scale"))
    broken = []
    for second in range(1, 41):
        world.advance(START + second * 1000)
        senses = world.truck("truck-02")
        if not senses.gnss or not senses.scanner or "scale" in senses.unplugged:
            broken.append(second)
    assert broken == list(range(10, 30))
    assert world.truck("truck-01").gnss


def test_a_thief_takes_fuel_from_a_standing_truck_only(asty: Town) -> None:
    world = _world(asty, only={"truck-01"})
    world.inject(FaultSpec(name="fuel_theft", where="truck-01", at=5))
    before = after = 0.0
    while world.now < START + 12 * 60_000:
        world.advance(world.now + 1000)
        senses = world.truck("truck-01")
        if senses.doing != "break":
            before = before if after else senses.level
        elif senses.at:
            after = senses.level
            assert not senses.ignition
            assert not senses.pto
    assert before - after > 10


def test_faults_by_rate_come_and_are_the_same_for_the_same_seed(asty: Town) -> None:
    unlucky = msgspec.structs.replace(CALM, random={"no_tag": 20.0})
    first = [truth.faults for truth in _truths(_minutes(_world(asty, unlucky), 30))]
    assert ("no_tag",) in first
    assert () in first
    assert first == [truth.faults for truth in _truths(_minutes(_world(asty, unlucky), 30))]


def test_counters_go_on_after_a_restart_as_a_real_controller_does(asty: Town) -> None:
    world = _world(asty)
    _minutes(world, 10)
    kept = msgspec.json.decode(msgspec.json.encode(world.counters()))
    again = World(asty, CALM, 3, world.now)
    again.remember(kept)
    for edge in world.trucks:
        old, new = world.truck(edge), again.truck(edge)
        assert (new.cycle, new.total, new.dist) == (old.cycle, old.total, old.dist)
    assert [one.fill(world.now) for one in again.bins] == [one.fill(world.now) for one in world.bins]


def test_a_vest_that_is_not_worn_does_not_move_and_one_at_the_depot_is_not_heard(asty: Town) -> None:
    many = msgspec.structs.replace(CALM, truck=(msgspec.structs.replace(CALM.truck[0], vests=("ibeacon",) * 60),), gateway=())
    vests = _world(asty, many).truck("truck-01").vests
    assert any(vest.worn for vest in vests)
    assert any(vest.heard and not vest.moving and not vest.worn for vest in vests)
    assert any(not vest.heard and not vest.worn for vest in vests)
    assert all(vest == dataclass_replace(vest, moving=True, heard=True) for vest in vests if vest.worn)


def test_the_world_stands_in_any_real_town_too(asty: Town) -> None:
    nameless = dataclass_replace(asty, places=())
    world = _world(nameless)
    assert _truths(_minutes(world, 5))
    assert world.depot != world.transfer_station
