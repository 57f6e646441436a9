import asyncio
import os
import tracemalloc
from pathlib import Path

import pytest
import serial
from asty_firmware_sim.devices.serial_port import SerialPort

LINE = b"x" * 99 + b"\n"


@pytest.fixture
async def port(tmp_path):
    port = SerialPort(tmp_path / "ttyRFID")
    await port.start()
    yield port
    await port.stop()


async def test_what_the_device_says_arrives_unchanged_whatever_the_bytes(port, opened):
    line = opened(port.link)
    everything = bytes(range(256))
    port.write(everything)
    assert line.read(256) == everything
    assert port.dropped == 0


async def test_the_device_hears_what_is_sent_to_it(port, opened, until):
    heard = bytearray()
    port.on_data = heard.extend
    opened(port.link).write(bytes(range(256)))
    await until(lambda: len(heard) == 256)
    assert heard == bytes(range(256))


async def test_a_command_is_heard_although_its_sender_has_hung_up_already(port, opened, until):
    heard = bytearray()
    port.on_data = heard.extend
    with serial.Serial(str(port.link)) as line:
        line.write(b"S\r\n")
    await until(lambda: heard == b"S\r\n")


async def test_a_pulled_plug_is_an_error_at_the_other_side_and_the_name_is_gone(port, opened):
    line = opened(port.link)
    port.unplug()
    assert not port.link.is_symlink()
    with pytest.raises(serial.SerialException):
        line.read(1)


async def test_a_line_that_is_plugged_in_again_works_under_the_same_name(port, opened, until):
    opened(port.link)
    port.unplug()
    port.write(b"nobody hears this")
    port.plug()
    heard = bytearray()
    port.on_data = heard.extend
    line = opened(port.link)
    port.write(b"back")
    line.write(b"hello")
    assert line.read(4) == b"back"
    await until(lambda: heard == b"hello")


async def test_a_thousand_writes_without_a_reader_neither_block_nor_grow_memory_and_are_counted(port, opened):
    assert _growth_of_a_thousand_writes(port) < 20_000
    assert port.dropped == 1000 * len(LINE)
    line = opened(port.link)
    port.write(b"fresh")
    assert line.read(5) == b"fresh", "nothing of what nobody heard is said later"


async def test_a_thousand_writes_to_a_reader_that_hangs_neither_block_nor_grow_memory_and_are_counted(port, opened):
    line = opened(port.link)
    assert _growth_of_a_thousand_writes(port) < 20_000
    line.timeout = 0
    taken = 0
    while data := line.read(65536):
        taken += len(data)
    assert taken + port.dropped == 1000 * len(LINE)
    assert port.dropped > 0


def _growth_of_a_thousand_writes(port: SerialPort) -> int:
    tracemalloc.start()
    try:
        for _ in range(1000):
            port.write(LINE)
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


async def test_who_opens_the_line_next_does_not_read_what_was_said_to_the_one_before(port, until):
    first = os.open(port.link, os.O_RDWR | os.O_NOCTTY)
    await until(lambda: port._reading)
    port.write(b"for the first")
    os.close(first)
    await until(lambda: not port._reading)
    second = os.open(port.link, os.O_RDWR | os.O_NOCTTY)
    try:
        port.write(b"for the second")
        assert os.read(second, 100) == b"for the second"
    finally:
        os.close(second)


async def test_the_line_of_a_killed_simulator_is_taken_over(tmp_path, opened):
    link = tmp_path / "ttyRFID"
    link.symlink_to("/dev/pts/gone")
    port = SerialPort(link)
    await port.start()
    line = opened(link)
    port.write(b"hello")
    assert line.read(5) == b"hello"
    await port.stop()


async def test_a_file_that_is_no_link_is_left_alone_and_named(tmp_path):
    precious = tmp_path / "notes.txt"
    precious.write_text("mine")
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        await SerialPort(precious).start()
    assert precious.read_text() == "mine"


async def test_a_line_that_someone_else_has_taken_over_is_left_to_them(tmp_path):
    older, newer = SerialPort(tmp_path / "ttyRFID"), SerialPort(tmp_path / "ttyRFID")
    await older.start()
    await newer.start()
    await older.stop()
    assert newer.link.exists()
    await newer.stop()


async def test_stopping_leaves_nothing_behind(tmp_path, opened, until):
    files = _open_files()
    port = SerialPort(tmp_path / "ttyRFID")
    await port.start()
    opened(port.link).write(b"hello")
    await until(lambda: port._reading)
    await port.stop()
    await port.stop()
    assert list(tmp_path.iterdir()) == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not [target for target in _open_files() - files if "ptmx" in target]


def _open_files() -> set[str]:
    return {f"{entry.name} {entry.readlink()}" for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()}
