"""A device's loop: how it is judged, and that it always comes back."""

import asyncio

import pytest
from asty_edge.clock import mono_ms
from asty_edge.device import Counters, DeviceLostError, DeviceMisconfiguredError, DeviceSettings
from asty_edge.devices import SETTLED_MS, DeviceLoop, Fitted
from asty_edge.reading import ScannerAlive


class Scripted:
    """Each connection plays one list: readings, an error to raise, or "stay"."""

    def __init__(self, *connections):
        self.counters = Counters()
        self.connections = list(connections)
        self.opened = 0
        self.closed = 0
        self.news = asyncio.Event()

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()
        await asyncio.sleep(0)

    async def readings(self):
        self.opened += 1
        self.news.set()
        script = self.connections.pop(0) if self.connections else ["stay"]
        try:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                if step == "stay":
                    await asyncio.Event().wait()
                self.counters.frames += 1
                yield step
        finally:
            self.closed += 1
            self.news.set()


def reading():
    return ScannerAlive("x", mono_ms())


@pytest.fixture
async def play(monkeypatch):
    monkeypatch.setattr("asty_edge.devices.FIRST_RETRY_S", 0.01)
    monkeypatch.setattr("asty_edge.devices.MISCONFIGURED_RETRY_S", 0.01)
    tasks = []

    async def begin(*connections, silent_after_s=None, wait_for=1, lost_after_s=5.0):
        device, taken = Scripted(*connections), []
        loop = DeviceLoop(Fitted(DeviceSettings("x", "x"), device, (), silent_after_s), taken.append, lost_after_s)
        tasks.append(asyncio.create_task(loop.run()))
        await device.until(lambda: device.opened == wait_for)
        return loop, device, taken

    yield begin
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_device_that_speaks_is_up(play):
    loop, _, taken = await play([reading(), "stay"])
    await asyncio.sleep(0)
    assert loop.state(mono_ms()) == "up"
    assert len(taken) == 1


async def test_a_reader_without_a_bin_is_up_once_its_connection_stands(play):
    loop, _, _ = await play(["stay"])
    assert loop.state(mono_ms()) == "connecting"
    assert loop.state(mono_ms() + SETTLED_MS + 1) == "up"
    assert loop.state(mono_ms() + 3_600_000) == "up", "silence is normal for it"


async def test_a_device_that_should_talk_and_does_not_is_silent(play):
    loop, _, _ = await play([reading(), "stay"], silent_after_s=30)
    assert loop.state(mono_ms() + 29_000) == "up"
    assert loop.state(mono_ms() + 31_000) == "silent"


async def test_frames_without_a_meaning_are_signs_of_life(play):
    loop, device, _ = await play([reading(), "stay"], silent_after_s=30)
    device.counters.frames += 1
    assert loop.state(mono_ms() + 25_000) == "up"
    assert loop.state(mono_ms() + 50_000) == "up"
    assert loop.state(mono_ms() + 56_000) == "silent"


async def test_a_lost_device_is_connected_again_and_its_port_released(play):
    lost = DeviceLostError("unplugged")
    loop, device, taken = await play([reading(), lost], [lost], [reading(), "stay"], wait_for=3)
    await asyncio.sleep(0)
    assert (device.opened, device.closed, len(taken)) == (3, 2, 2)
    assert loop.state(mono_ms()) == "up"
    assert loop.health(mono_ms(), lambda mono: mono).why == ""


async def test_a_device_is_lost_only_after_some_seconds_without_it(play, monkeypatch):
    monkeypatch.setattr("asty_edge.devices.FIRST_RETRY_S", 60)
    monkeypatch.setattr("asty_edge.devices.LAST_RETRY_S", 60)
    device = Scripted([DeviceLostError("unplugged")])
    loop = DeviceLoop(Fitted(DeviceSettings("x", "x"), device), lambda _: None, 5.0)
    loop._retry_s = 60
    task = asyncio.create_task(loop.run())
    await device.until(lambda: device.closed)
    assert loop.state(mono_ms()) == "connecting"
    assert loop.state(mono_ms() + 6000) == "lost"
    assert "unplugged" in loop.health(mono_ms() + 6000, lambda mono: mono).why
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_wrong_configuration_is_said_and_tried_again(play):
    wrong = DeviceMisconfiguredError("base: expected the map's magic number at register 0")
    loop, device, _ = await play([wrong], [wrong], [reading(), "stay"], wait_for=3)
    assert device.opened == 3
    await asyncio.sleep(0)
    assert loop.state(mono_ms()) == "up", "the operator mended it"


async def test_a_fault_in_a_driver_is_logged_and_the_loop_goes_on(play, caplog):
    _, device, taken = await play([ZeroDivisionError("oops")], [reading(), "stay"], wait_for=2)
    await asyncio.sleep(0)
    assert device.opened == 2
    assert len(taken) == 1
    assert "driver x of device x failed" in caplog.text
