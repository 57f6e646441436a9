import asyncio
import socket
import struct

import can
import pytest
from asty_firmware_sim.devices.can_ecu import Ecu, SlcanAdapter
from asty_firmware_sim.devices.j1939 import EngineState, frames
from hypothesis import given
from hypothesis import strategies as st

GROUP = "239.74.163.2"
PGNS = {0xFEFC, 0xFEF2, 0xFEE9, 0xFD09, 0xFEF1, 0xFEC1, 0xF004, 0xFEE5}
NOTHING = b"\xff" * 8


def by_pgn(sent) -> dict[int, bytes]:
    return {identifier >> 8 & 0x3FFFF: data for identifier, data in sent}


def test_each_parameter_stands_at_its_bytes_in_its_scale():
    told = by_pgn(
        frames(EngineState(level=50.0, second=20.0, rate=12.5, total=1000.25, trip=7.5, rpm=850.0, v=10.0, dist=123_455.0, hours=4321.05))
    )
    assert set(told) == PGNS
    assert told[0xFEFC] == b"\xff\x7d\xff\xff\xff\xff\x32\xff"
    assert struct.unpack("<HH4x", told[0xFEF2]) == (250, round(36 / 12.5 * 512))
    assert struct.unpack("<II", told[0xFEE9]) == (15, 2000)
    assert struct.unpack("<II", told[0xFD09]) == (7_500, 1_000_250)
    assert struct.unpack("<xH5x", told[0xFEF1]) == (36 * 256,)
    assert struct.unpack("<I4x", told[0xFEC1]) == (24_691,)
    assert struct.unpack("<3xH3x", told[0xF004]) == (6800,)
    assert struct.unpack("<I4x", told[0xFEE5]) == (86_421,)


def test_what_is_not_known_is_not_available_and_never_zero():
    assert by_pgn(frames(EngineState())) == dict.fromkeys(PGNS, NOTHING)


@given(st.floats(-1e12, 1e12))
def test_no_value_reads_as_an_error_or_as_not_available(value):
    for identifier, data in frames(EngineState(*[value] * 9)):
        places = {0xFEFC: (1, 6), 0xFEF2: (1,), 0xFEE9: (3, 7), 0xFD09: (3, 7), 0xFEF1: (2,), 0xFEC1: (3,), 0xF004: (4,), 0xFEE5: (3,)}
        for highest in places[identifier >> 8 & 0x3FFFF]:
            assert data[highest] <= 0xFA


async def receive_round(bus: can.BusABC) -> dict[int, bytes]:
    messages = [await asyncio.to_thread(bus.recv, 5) for _ in PGNS]
    assert all(message is not None and message.is_extended_id for message in messages)
    return by_pgn((message.arbitration_id, bytes(message.data)) for message in messages)


async def test_a_third_party_on_the_slcan_line_hears_the_engine(tmp_path):
    ecu = Ecu("slcan", channel=tmp_path / "can0")
    await ecu.start()
    ecu.show(level=50.0, rpm=850.0)
    bus = await asyncio.to_thread(lambda: can.Bus(interface="slcan", channel=str(tmp_path / "can0"), bitrate=250_000, sleep_after_open=0))
    assert await asyncio.to_thread(bus.get_version, 5) == (10, 13)
    assert await asyncio.to_thread(bus.get_serial_number, 5) == "ASTY"
    ecu.emit()
    told = await receive_round(bus)
    assert told[0xFEFC][1] == 125
    assert told[0xF004][3:5] == (6800).to_bytes(2, "little")
    bus.shutdown()
    await ecu.stop()
    assert list(tmp_path.iterdir()) == []


async def test_a_third_party_on_the_multicast_bus_hears_the_engine():
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with can.Bus(interface="udp_multicast", channel=GROUP, port=port, hop_limit=0) as bus:
        ecu = Ecu("udp_multicast", channel=GROUP, port=port)
        await ecu.start()
        ecu.show(level=50.0)
        ecu.emit()
        assert (await receive_round(bus))[0xFEFC][1] == 125
        await ecu.stop()
        ecu.emit()


async def said(line, command: bytes, size: int) -> bytes:
    line.write(command)
    return await asyncio.to_thread(line.read, size)


async def test_an_adapter_passes_frames_on_only_while_its_channel_is_open(tmp_path, opened):
    ecu = Ecu("slcan", channel=tmp_path / "can0")
    await ecu.start()
    line = opened(tmp_path / "can0")
    assert await said(line, b"C\rS5\r", 2) == b"\r\r"
    ecu.emit()
    assert await said(line, b"O\r", 1) == b"\r", "and no frame before it"
    ecu.emit()
    round_of_frames = line.read(8 * 27)
    assert round_of_frames.startswith(b"T18FEFC178" + NOTHING.hex().upper().encode() + b"\r")
    assert await said(line, b"C\r", 1) == b"\r"
    ecu.emit()
    assert await said(line, b"V\r", 6) == b"V1013\r"
    await ecu.stop()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"T18FEFC1780000000000000000\r", b"Z\r"),
        (b"t1230\r", b"z\r"),
        (b"T18FEFC1782211\r", b"\a"),
        (b"S5\r", b"\a"),
        (b"F\r", b"F00\r"),
        (b"?\r", b"\a"),
    ],
)
async def test_an_open_adapter_answers_each_command_as_the_protocol_says(tmp_path, opened, command, answer):
    ecu = Ecu("slcan", channel=tmp_path / "can0")
    await ecu.start()
    line = opened(tmp_path / "can0")
    assert await said(line, b"O\r", 1) == b"\r"
    assert await said(line, command, len(answer)) == answer
    await ecu.stop()


async def test_an_adapter_that_was_pulled_out_comes_back_closed(tmp_path, opened):
    ecu = Ecu("slcan", channel=tmp_path / "can0")
    await ecu.start()
    line = opened(tmp_path / "can0")
    assert await said(line, b"O\r", 1) == b"\r"
    ecu.unplug()
    ecu.emit()
    ecu.plug()
    line = opened(tmp_path / "can0")
    ecu.emit()
    assert await said(line, b"V\r", 6) == b"V1013\r", "and no frame before it"
    await ecu.stop()


async def test_noise_on_the_line_does_not_fill_the_adapters_memory_and_the_next_command_is_obeyed(tmp_path, opened):
    adapter = SlcanAdapter(tmp_path / "can0")
    await adapter.start()
    for _ in range(100):
        adapter._hear(b"\xff" * 40)
        assert len(adapter._command) <= 64
    assert await said(opened(adapter.link), b"\rO\r", 2) == b"\r\r"
    await adapter.stop()
