"""J1939 messages and what becomes of them."""

import pytest
from asty_edge.drivers.framing import Bad
from asty_edge.drivers.j1939.codec import SIGNALS, Said, decode, pgn_of
from asty_edge.drivers.j1939.latest import Latest
from asty_edge.reading import EngineReading, FuelReading
from hypothesis import given
from hypothesis import strategies as st

LEVEL, RATE, TOTAL, FINE, SPEED, RPM = 96, 183, 250, 5054, 84, 190


def said(values: dict[int, float | None], source: int = 0) -> Said:
    return Said(0, source, values)


def test_captured_messages_say_what_their_source_says(frames):
    for frame in frames("j1939"):
        found = decode(frame["id"], frame["bytes"])
        assert {str(spn): value for spn, value in found.values.items() if value is not None} == frame["says"], frame["from"]
        assert all(found.values[int(spn)] is None for spn in frame["unknown"]), frame["from"]


@pytest.mark.parametrize(
    ("can_id", "pgn"), [(0x18FEFC21, 65276), (0x0CF00400, 61444), (0x18FD0900, 64777), (0x18EAFF21, 59904), (0x18EA0021, 59904)]
)
def test_the_destination_of_a_message_is_no_part_of_its_number(can_id, pgn):
    assert pgn_of(can_id) == pgn


@pytest.mark.parametrize("pgn", SIGNALS)
@pytest.mark.parametrize("fill", [0xFB, 0xFC, 0xFD, 0xFE, 0xFF])
def test_error_and_not_available_are_never_a_value(pgn, fill):
    found = decode(pgn << 8, bytes([fill] * 8))
    assert set(found.values.values()) == {None}


@pytest.mark.parametrize("pgn", SIGNALS)
def test_zero_is_a_value(pgn):
    assert set(decode(pgn << 8, bytes(8)).values.values()) == {0.0}


@given(can_id=st.integers(0, (1 << 29) - 1), data=st.binary(max_size=64))
def test_no_frame_raises_and_a_short_one_is_never_read(can_id, data):
    for number in (can_id, 0x18FEFC00 | can_id & 0xFF):
        found = decode(number, data)
        assert found is None or isinstance(found, Bad if len(data) != 8 else Said)


def readings(latest: Latest, *heard: tuple[int, Said]):
    return [reading for at, message in heard for reading in latest.take(at, message)]


def test_a_second_of_messages_is_one_reading_of_the_newest_values():
    latest = Latest("bus", tank=300)
    heard = [(at, said({LEVEL: 50.0 + at / 1000})) for at in range(0, 3001, 100)] + [(3050, said({RATE: 12.0}))]
    told = readings(latest, *heard)
    assert [(reading.at, reading.level, reading.litres) for reading in told] == [
        (1000, 51.0, 153.0),
        (2000, 52.0, 156.0),
        (3000, 53.0, 159.0),
    ]


def test_a_reading_holds_the_whole_round_of_messages():
    latest = Latest("bus")
    told = readings(
        latest, *((at + n, said(values)) for at in (0, 1000) for n, values in enumerate([{LEVEL: 40.0}, {RATE: 5.0}, {TOTAL: 100.5}]))
    )
    assert told == [FuelReading("bus", 1000, level=40.0, rate=5.0, total=100.5)]


def test_fuel_and_engine_are_told_apart():
    latest = Latest("bus")
    told = readings(latest, *((at, said({LEVEL: 40.0, RPM: 800.0, SPEED: 36.0})) for at in (0, 1000)))
    assert told == [FuelReading("bus", 1000, level=40.0), EngineReading("bus", 1000, rpm=800.0, v=10.0)]


def test_the_finer_total_is_preferred_while_it_is_there():
    latest = Latest("bus")
    (with_both,) = readings(latest, (0, said({TOTAL: 100.5, FINE: 100.123})), (1000, said({TOTAL: 100.5})))
    assert with_both.total == 100.123
    *_, later = readings(latest, (12_000, said({TOTAL: 101.0})))
    assert later.total == 101.0


def test_a_value_that_is_not_repeated_is_forgotten():
    latest = Latest("bus")
    told = readings(latest, (0, said({LEVEL: 40.0})), *((at, said({RATE: 5.0})) for at in range(1000, 13_000, 1000)))
    assert told[0].level == told[9].level == 40.0
    assert told[10].level is None
    assert told[-1].rate == 5.0


def test_a_unit_without_the_sensor_does_not_hide_the_one_that_has_it():
    latest = Latest("bus")
    (reading,) = readings(latest, (0, said({LEVEL: 40.0}, source=0x21)), (500, said({LEVEL: None}, source=0x31)), (1000, said({RATE: 5.0})))
    assert reading.level == 40.0


def test_a_sensor_that_fails_is_believed():
    latest = Latest("bus")
    (reading,) = readings(latest, (0, said({LEVEL: 40.0})), (500, said({LEVEL: None})), (1000, said({RATE: 5.0})))
    assert reading.level is None


@given(st.lists(st.integers(0, 400), max_size=200))
def test_never_more_than_one_reading_a_second(pauses):
    latest, at, told = Latest("bus"), 0, []
    for pause in pauses:
        at += pause
        told += latest.take(at, said({LEVEL: 40.0}))
    assert len(told) <= at // 1000
