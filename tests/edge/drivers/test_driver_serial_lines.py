"""Devices on a serial line, over a pseudo terminal."""

import asyncio
import os
import tty
from collections.abc import Iterator

import pytest
from asty_edge import drivers
from asty_edge.device import DeviceLostError, DeviceMisconfiguredError, DeviceSettings
from asty_edge.reading import Fix, TagRead, Weighing


class Pty:
    """The far end of a serial line at `path`."""

    def __init__(self) -> None:
        self._far, self._near = os.openpty()
        tty.setraw(self._far)
        tty.setraw(self._near)
        self.path = os.ttyname(self._near)

    def write(self, data: bytes) -> None:
        os.write(self._far, data)

    def read(self) -> bytes:
        return os.read(self._far, 1000)

    def unplug(self) -> None:
        for fd in (self._far, self._near):
            os.close(fd)
        self._far = self._near = -1

    def close(self) -> None:
        if self._far >= 0:
            self.unplug()


@pytest.fixture
def pty() -> Iterator[Pty]:
    line = Pty()
    yield line
    line.close()


def opened(kind: str, **options: object):
    return drivers.load(kind).open_device(DeviceSettings("dev", kind, options))


@pytest.mark.parametrize("kind", ["rfid_fdxb", "rfid_em4100", "scale", "nmea"])
async def test_the_captured_frames_come_in_over_a_line(kind, pty, listening, frames):
    sent = [frame for frame in frames(kind) if frame["dialect"] in (None, "wl134", "st_gs")]
    device = opened(kind, port=pty.path)
    async with listening(device) as heard:
        await heard.until(lambda _: device.counters.frames, meanwhile=lambda: pty.write(sent[0]["bytes"]))
        for frame in sent[1:]:
            pty.write(frame["bytes"])
        first = await heard.until(lambda listener: listener.readings)
    assert first[0].device == "dev"
    assert isinstance(first[0], TagRead | Weighing | Fix)
    assert first[0].at > 0


async def test_an_unplugged_port_is_told_as_lost_and_released(pty, listening):
    device = opened("scale", port=pty.path)
    async with listening(device) as heard:
        await heard.heard(Weighing, meanwhile=lambda: pty.write(b"ST,GS,+  12.50kg\r\n"))
        pty.unplug()
        error = await heard.lost()
    assert isinstance(error, DeviceLostError)
    assert "was unplugged" in str(error)


async def test_a_device_can_be_read_again_after_it_was_lost(listening):
    device = None
    for _ in range(2):
        line = Pty()
        device = device or opened("nmea", port=line.path)
        if device._line.port != line.path:  # the kernel gave another number
            device = opened("nmea", port=line.path)
        async with listening(device) as heard:
            await heard.heard(Fix, meanwhile=lambda line=line: line.write(b"$GPRMC,081530.00,V,,,,,,,221126,,,N*76\r\n"))
            line.unplug()
            assert isinstance(await heard.lost(), DeviceLostError)


async def test_a_port_that_is_not_there_is_worth_another_try(listening, tmp_path):
    async with listening(opened("nmea", port=str(tmp_path / "ttyUSB7"))) as heard:
        error = await heard.lost()
    assert isinstance(error, DeviceLostError)
    assert "ttyUSB7" in str(error)


async def test_a_file_that_is_no_port_needs_an_operator(listening, tmp_path):
    (tmp_path / "notes.txt").write_text("not a port")
    async with listening(opened("nmea", port=str(tmp_path / "notes.txt"))) as heard:
        error = await heard.lost()
    assert isinstance(error, DeviceMisconfiguredError)
    assert "it is no serial port" in str(error)


async def test_two_drivers_do_not_share_a_port(pty, listening):
    async with listening(opened("scale", port=pty.path)) as first:
        await first.heard(Weighing, meanwhile=lambda: pty.write(b"ST,GS,+  12.50kg\r\n"))
        async with listening(opened("nmea", port=pty.path)) as second:
            error = await second.lost()
    assert isinstance(error, DeviceLostError)


async def test_a_tag_that_its_reader_repeats_is_read_once(pty, listening):
    one, two = (f"LA 982 0001234567{last}\r\n".encode() for last in (89, 90))
    device = opened("rfid_fdxb", port=pty.path, dialect="tiris")
    async with listening(device) as heard:
        await heard.heard(TagRead, meanwhile=lambda: pty.write(one))
        pty.write(one * 20 + two)
        await heard.heard(TagRead, tag="0000F580075BCD16")
    assert [reading.tag for reading in heard.readings] == ["0000F580075BCD15", "0000F580075BCD16"]
    assert device.counters.frames >= 22


async def test_an_mt_sics_terminal_is_asked_for_its_weight(pty, listening):
    async with listening(opened("scale", port=pty.path, dialect="mt_sics")) as heard:
        assert await asyncio.to_thread(pty.read) == b"SIR\r\n"
        pty.write(b"S S     118.50 kg\r\n")
        weighing = await heard.heard(Weighing)
    assert (weighing.kg, weighing.stable) == (118.5, True)
