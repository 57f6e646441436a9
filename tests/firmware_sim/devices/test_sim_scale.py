import asyncio

import pytest
from asty_firmware_sim.devices.scale import Indicator, Load, mt_sics_weight, st_gs_frame, toledo_frame
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
async def terminal(tmp_path):
    indicator = Indicator(tmp_path / "scale", dialect="mt_sics")
    await indicator.start()
    yield indicator
    await indicator.stop()


async def answer(line, command: bytes) -> bytes:
    line.write(command)
    return await asyncio.to_thread(line.readline)


@pytest.mark.parametrize(
    ("load", "frame"),
    [
        (Load(12.5, stable=True), b"ST,GS,+  12.50kg\r\n"),
        (Load(1234.567, stable=False), b"US,GS,+1234.57kg\r\n"),
        (Load(-3.0, stable=True), b"ST,GS,-   3.00kg\r\n"),
        (Load(-0.001, stable=True), b"ST,GS,+   0.00kg\r\n"),
    ],
)
def test_an_st_gs_line_says_weight_and_stability(load, frame):
    assert st_gs_frame(load) == frame


def test_an_st_gs_scale_over_its_range_never_says_stable():
    assert st_gs_frame(Load(None, stable=True)).startswith(b"OL,GS,")


@pytest.mark.parametrize(
    ("load", "status", "weight"),
    [
        (Load(123.4, stable=True), 0b0110000, b"001234"),
        (Load(123.4, stable=False), 0b0111000, b"001234"),
        (Load(-12.3, stable=True), 0b0110010, b"000123"),
        (Load(None, stable=False), 0b0111100, b"000000"),
    ],
)
def test_a_toledo_frame_has_its_bits_and_digits_in_place(load, status, weight):
    frame = toledo_frame(load)
    assert len(frame) == 18
    assert (frame[0], frame[16]) == (0x02, 0x0D)
    assert frame[1] & 0b111 == 3, "one decimal"
    assert frame[2] == status
    assert (frame[4:10], frame[10:16]) == (weight, b"000000")


@given(st.none() | st.floats(-9999, 99999), st.booleans())
def test_every_toledo_frame_sums_to_zero_in_its_low_seven_bits(kg, stable):
    assert sum(toledo_frame(Load(kg, stable))) & 0x7F == 0


def test_an_mt_sics_weight_stands_in_ten_columns():
    assert mt_sics_weight(Load(100.0, stable=True)) == b"S S     100.00 kg\r\n"
    assert mt_sics_weight(Load(-1.5, stable=False)) == b"S D      -1.50 kg\r\n"
    assert mt_sics_weight(Load(None, stable=True)) == b"S +\r\n"


@pytest.mark.parametrize(("dialect", "frame"), [("st_gs", st_gs_frame), ("toledo", toledo_frame)])
async def test_a_continuous_indicator_sends_its_present_load_each_time(tmp_path, opened, dialect, frame):
    indicator = Indicator(tmp_path / "scale", dialect=dialect)
    await indicator.start()
    line = opened(indicator.link)
    for load in (Load(10.0, stable=False), Load(20.0, stable=True), Load(None, stable=False)):
        indicator.weigh(load.kg, load.stable)
        indicator.emit()
        assert line.read(len(frame(load))) == frame(load)
    assert line.in_waiting == 0
    await indicator.stop()


async def test_an_mt_sics_terminal_answers_and_repeats_only_after_sir(terminal, opened, until):
    line = opened(terminal.link)
    terminal.weigh(41.5, stable=False)
    terminal.emit()
    assert await answer(line, b"SI\r\n") == b"S D      41.50 kg\r\n", "and nothing before it"
    assert await answer(line, b"SIR\r\n") == b"S D      41.50 kg\r\n"
    terminal.weigh(42.0, stable=True)
    terminal.emit()
    assert line.readline() == b"S S      42.00 kg\r\n"
    assert await answer(line, b"@\r\n") == b'I4 A "ASTY-0001"\r\n'
    terminal.emit()
    assert await answer(line, b"nonsense\r\n") == b"ES\r\n", "and no repetition before it"


async def test_an_mt_sics_terminal_asked_for_a_stable_weight_answers_when_it_has_one(terminal, opened, until):
    line = opened(terminal.link)
    terminal.weigh(41.5, stable=False)
    line.write(b"S\r\n")
    await until(lambda: terminal._stable_wanted)
    terminal.weigh(41.9, stable=False)
    terminal.weigh(42.0, stable=True)
    assert line.readline() == b"S S      42.00 kg\r\n"
    assert await answer(line, b"S\r\n") == b"S S      42.00 kg\r\n"


async def test_noise_on_the_line_does_not_fill_the_terminals_memory_and_the_next_command_is_obeyed(terminal, opened):
    line = opened(terminal.link)
    for _ in range(100):
        terminal._hear(b"\xff" * 40)
        assert len(terminal._command) <= 64
    assert await answer(line, b"\r\nSI\r\n") == b"ES\r\n"
    assert await asyncio.to_thread(line.readline) == b"S S       0.00 kg\r\n"
