"""Positions, fuel, engine and the alarms of a ride."""

import random

import pytest
from asty_contracts.records import Alarm, Engine, Fuel, Position
from asty_edge.config import FusionSettings
from asty_edge.event import Moment
from asty_edge.fusion import Fusion
from asty_edge.reading import EngineReading, Fix, FuelReading, LiftReading, Weighing


class Ride:
    def __init__(self, **settings):
        self.fusion = Fusion(FusionSettings(**settings))
        self.events = []

    def feed(self, reading):
        self.events += self.fusion.feed(reading, Moment(reading.at, reading.at, "gnss"))
        return self

    def fix(self, at, v=8.0, course=90.0, valid=True):
        return self.feed(Fix("gps", int(at * 1000), valid, None, 40.0, 22.0 + at / 1000, v, course))

    def fuel(self, at, level, litres=None):
        return self.feed(FuelReading("can", int(at * 1000), level, litres=litres))

    def engine(self, at, rpm):
        return self.feed(EngineReading("can", int(at * 1000), rpm))

    def pto(self, at, on):
        return self.feed(LiftReading("lift", int(at * 1000), "idle", 1, 0, 0, 0, 1, False, False, False, on, False))

    def tick(self, at):
        self.events += self.fusion.tick(Moment(int(at * 1000), int(at * 1000), "gnss"))
        return self

    def times(self, kind):
        return [event.when.mono / 1000 for event in self.events if isinstance(event.data, kind)]

    def of(self, kind):
        return [event.data for event in self.events if isinstance(event.data, kind)]

    def alarms(self, code):
        return [alarm.on for alarm in self.of(Alarm) if alarm.code == code]


# Positions


def test_a_straight_ride_is_recorded_every_five_seconds():
    ride = Ride()
    for at in range(21):
        ride.fix(at)
    assert ride.times(Position) == [0, 5, 10, 15, 20]


def test_a_turn_is_recorded_when_it_happens():
    ride = Ride().fix(0, course=350).fix(1, course=350).fix(2, course=10).fix(3, course=21)
    assert ride.times(Position) == [0, 3]


def test_a_stop_and_a_start_are_recorded_when_they_happen():
    ride = Ride().fix(0).fix(1).fix(2, v=0.1).fix(3, v=0.1).fix(4, v=0.7).fix(5, v=3.0)
    assert ride.times(Position) == [0, 2, 5]


def test_a_parked_truck_is_recorded_each_minute():
    ride = Ride()
    for at in range(130):
        ride.fix(at, v=0.0)
    assert ride.times(Position) == [0, 60, 120]


def test_without_a_fix_there_is_no_position():
    assert Ride().fix(0, valid=False).of(Position) == []


def test_a_lost_fix_is_an_alarm_until_there_is_one_again():
    ride = Ride().fix(0).fix(10, valid=False).tick(29).fix(30, valid=False).tick(31).tick(40).fix(50).tick(51)
    assert ride.alarms("gnss_lost") == [True, False]


def test_an_edge_without_a_receiver_has_not_lost_its_fix():
    assert Ride().tick(100).alarms("gnss_lost") == []


# Fuel


def test_slosh_is_filtered_out_of_the_level():
    ride, rng = Ride(), random.Random(3)
    for at in range(121):
        ride.fuel(at, 60.0 + rng.uniform(-6, 6), litres=180.0)
    levels = [fuel.level for fuel in ride.of(Fuel)][1:]
    assert all(abs(level - 60) < 2.5 for level in levels)
    assert ride.times(Fuel) == [0, 30, 60, 90, 120]


def test_a_dead_probe_is_no_level_and_no_theft():
    ride = Ride().engine(0, 0.0)
    for at in range(100):
        ride.engine(at, 0.0).fuel(at, None if at > 40 else 60.0)
    assert ride.of(Fuel)[-1].level is None
    assert ride.alarms("fuel_theft") == []


@pytest.mark.parametrize(
    ("rpm", "age", "expected"),
    [(800.0, 0, "yes"), (0.0, 0, "no"), (None, 0, "yes"), (None, 20, "unknown"), (800.0, 31, "no")],
    ids=["turning", "not turning", "the bus talks", "the bus paused", "the bus fell silent"],
)
def test_ignition_has_three_answers(rpm, age, expected):
    ride = Ride().engine(0, rpm).fuel(age, 50.0)
    assert ride.of(Fuel)[-1].ignition == expected


def test_ignition_is_unknown_without_an_engine_and_when_the_bus_is_lost():
    assert Ride().fuel(0, 50.0).of(Fuel)[-1].ignition == "unknown"
    ride = Ride().engine(0, 0.0)
    ride.fusion.device("can", "lost", "unplugged", Moment(1000, 1000, "gnss"))
    assert ride.fuel(40, 50.0).of(Fuel)[-1].ignition == "unknown"


def test_the_power_take_off_comes_from_the_lift():
    assert Ride().pto(0, True).fuel(1, 50.0).of(Fuel)[-1].pto == "yes"
    assert Ride().pto(0, True).fuel(20, 50.0).of(Fuel)[-1].pto == "unknown"


def drain(ride, rpm=0.0, pto=False, down_to=50.0, tank=300.0):
    """Park with 60 %, wait, then lose fuel down to a level within half a minute."""
    for at in range(120):
        ride.engine(at, 900.0 if at < 30 else rpm).pto(at, pto)
        level = 60.0 if at < 60 else max(down_to, 60.0 - (at - 60) / 3)
        ride.fuel(at, level, None if tank is None else level * tank / 100)
    return ride


def test_fuel_that_leaves_a_parked_truck_is_an_alarm():
    assert drain(Ride()).alarms("fuel_theft") == [True]


def test_it_ends_when_the_engine_runs():
    assert drain(Ride()).engine(200, 900.0).fuel(200, 50.0).alarms("fuel_theft") == [True, False]


@pytest.mark.parametrize(
    "ride",
    [
        {"rpm": 900.0}, {"pto": True}, {"down_to": 57.5}, {"tank": 100.0, "down_to": 56.0},
    ],
    ids=["the engine runs", "the power take-off runs", "3 % or less", "5 l or less"],
)  # fmt: skip
def test_what_is_not_theft(ride):
    assert drain(Ride(), **ride).alarms("fuel_theft") == []


def test_slosh_after_parking_is_no_theft():
    ride, rng = Ride(), random.Random(5)
    for at in range(300):
        wave = rng.uniform(-5, 5) if at < 70 else 0
        ride.engine(at, 900.0 if at < 60 else 0.0).pto(at, False).fuel(at, 60.0 + wave, (60.0 + wave) * 3)
    assert ride.alarms("fuel_theft") == []


def test_a_wave_that_lasts_some_seconds_is_no_theft():
    ride = Ride()
    for at in range(150):
        ride.engine(at, 900.0 if at < 60 else 0.0).pto(at, False).fuel(at, 50.0 if 90 <= at < 99 else 60.0)
    assert ride.alarms("fuel_theft") == []


def test_engine_records_come_each_minute():
    ride = Ride()
    for at in range(121):
        ride.engine(at, 900.0)
    assert ride.times(Engine) == [0, 60, 120]


# Devices


def test_a_scale_out_of_its_range_for_ten_seconds_is_an_alarm():
    ride = Ride()
    for at in range(15):
        ride.feed(Weighing("scale", at * 1000, None, False))
    ride.feed(Weighing("scale", 16_000, 5.0, True))
    assert ride.alarms("scale_fault") == [True, False]


def test_a_jolt_on_the_scale_is_no_alarm():
    ride = Ride()
    for at in range(30):
        ride.feed(Weighing("scale", at * 1000, None if at % 5 else 3.0, False))
    assert ride.alarms("scale_fault") == []


@pytest.mark.parametrize(
    ("state", "code"), [("lost", "device_lost"), ("silent", "device_silent"), ("misconfigured", "device_misconfigured")]
)
def test_a_device_that_is_not_well_is_an_alarm_once(state, code):
    ride = Ride()
    for number, now in enumerate(["up", "connecting", state, state, "connecting", state, "up"]):
        ride.events += ride.fusion.device("gps", now, "why", Moment(number, number, "gnss"))
    alarms = [alarm for alarm in ride.of(Alarm) if alarm.code == code]
    assert [(alarm.on, alarm.device) for alarm in alarms] == [(True, "gps"), (False, "gps")]
