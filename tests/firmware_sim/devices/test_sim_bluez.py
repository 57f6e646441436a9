import asyncio
import json
import os
import shutil
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from asty_firmware_sim.devices.bluez import Radio, RadioUnavailableError
from asty_firmware_sim.devices.vests import BTHOME, EDDYSTONE, BtHome, Eddystone, IBeacon
from dbus_fast.aio import MessageBus
from dbus_fast.constants import MessageType
from dbus_fast.message import Message

needs_dbus = pytest.mark.skipif(not Radio.available(), reason="dbus-daemon is not installed: apt-get install dbus-daemon")

VEST = IBeacon("f7826da6-4fa2-4e98-8024-bc5b71e0893e", 1, 42)

LISTENER = """
import asyncio, json, sys
from bleak import BleakScanner

def say(**what):
    print(json.dumps(what), flush=True)

def heard(device, advertisement):
    say(
        heard=device.address,
        rssi=advertisement.rssi,
        manufacturer={str(key): value.hex() for key, value in advertisement.manufacturer_data.items()},
        service={key: value.hex() for key, value in advertisement.service_data.items()},
    )

async def main():
    scanner = BleakScanner(heard)
    loop = asyncio.get_running_loop()
    while command := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        try:
            await getattr(scanner, command)()
            say(did=command)
        except Exception as error:
            say(failed=command, why=str(error))

asyncio.run(main())
"""
"""bleak in a process of its own, as on an edge. It obeys `start` and `stop` line by line."""


class Listener:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[dict] = []

    async def tell(self, command: str) -> dict:
        self._process.stdin.write(f"{command}\n".encode())
        return await self.until(lambda said: command in (said.get("did"), said.get("failed")))

    async def until(self, wanted) -> dict:
        async with asyncio.timeout(15):
            while line := await self._process.stdout.readline():
                said = json.loads(line)
                self.said.append(said)
                if wanted(said):
                    return said
        pytest.fail(f"the listener has ended; it said {self.said}")

    async def hear(self, radio: Radio, tag, rssi: int) -> dict:
        """Let the tag advertise until the listener hears it at this strength."""

        async def advertise() -> None:
            while True:
                radio.hear(tag, rssi)
                await asyncio.sleep(0.02)

        advertising = asyncio.create_task(advertise())
        try:
            return await self.until(lambda said: said.get("rssi") == rssi)
        finally:
            advertising.cancel()


@asynccontextmanager
async def listener():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LISTENER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    try:
        yield Listener(process)
    finally:
        process.stdin.close()
        await process.communicate()


@pytest.fixture
async def radio(tmp_path, monkeypatch):
    radio = Radio(tmp_path / "radio")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", radio.address)
    await radio.start()
    yield radio
    await radio.stop()


@needs_dbus
async def test_bleak_hears_each_kind_of_vest_as_it_speaks(radio):
    async with listener() as bleak:
        assert "did" in await bleak.tell("start")
        ibeacon = await bleak.hear(radio, VEST, -60)
        assert ibeacon["manufacturer"] == {"76": "0215f7826da64fa24e988024bc5b71e0893e0001002ac5"}
        assert (await bleak.hear(radio, VEST, -75))["heard"] == ibeacon["heard"]
        eddystone = await bleak.hear(radio, Eddystone("00112233445566778899", "aabbccddeeff"), -61)
        assert eddystone["service"][EDDYSTONE][:4] == "00ee"
        bthome = await bleak.hear(radio, BtHome("aa:bb:cc:dd:ee:ff"), -62)
        assert (bthome["heard"], bthome["service"][BTHOME][:2]) == ("AA:BB:CC:DD:EE:FF", "40")


@needs_dbus
async def test_bleak_hears_nothing_before_it_scans_and_after_it_stopped(radio):
    async with listener() as bleak:
        radio.hear(VEST, -60)
        await bleak.tell("start")
        await bleak.hear(radio, VEST, -61)
        assert [said["rssi"] for said in bleak.said if "rssi" in said] == [-61]
        await bleak.tell("stop")
        heard = len(bleak.said)
        radio.hear(VEST, -62)
        await bleak.tell("start")
        await bleak.hear(radio, VEST, -63)
        assert -62 not in [said.get("rssi") for said in bleak.said[heard:]]


@needs_dbus
async def test_a_silent_radio_is_still_said_to_scan_hears_nothing_and_cannot_be_restarted(radio):
    async with listener() as bleak:
        await bleak.tell("start")
        await bleak.hear(radio, VEST, -60)
        radio.silence(True)
        radio.hear(VEST, -61)
        assert await discovering(radio)
        await bleak.tell("stop")
        assert "InProgress" in (await bleak.tell("start"))["why"]
        radio.silence(False)
        assert "did" in await bleak.tell("start")
        await bleak.hear(radio, VEST, -62)
        assert -61 not in [said.get("rssi") for said in bleak.said]


@needs_dbus
async def test_a_stall_of_the_milder_kind_is_cured_by_a_restart_of_discovery(radio):
    async with listener() as bleak:
        await bleak.tell("start")
        radio.silence(True, until_restart=True)
        radio.hear(VEST, -61)
        await bleak.tell("stop")
        assert "did" in await bleak.tell("start")
        await bleak.hear(radio, VEST, -62)
        assert -61 not in [said.get("rssi") for said in bleak.said]


@needs_dbus
async def test_after_a_crash_there_is_no_bluez_until_it_recovers(radio):
    async with listener() as bleak:
        await bleak.tell("start")
        await bleak.hear(radio, VEST, -60)
        radio.crash()
        radio.hear(VEST, -61)
        assert "failed" in await bleak.tell("stop")
        assert "failed" in await bleak.tell("start")
        await radio.recover()
        assert "did" in await bleak.tell("start")
        await bleak.hear(radio, VEST, -62)


async def discovering(radio: Radio) -> bool:
    bus = await MessageBus(bus_address=radio.address).connect()
    reply = await bus.call(
        Message(
            destination="org.bluez", path="/org/bluez/hci0", interface="org.freedesktop.DBus.Properties", member="Get",
            signature="ss", body=["org.bluez.Adapter1", "Discovering"],
        )
    )  # fmt: skip
    bus.disconnect()
    assert reply.message_type is MessageType.METHOD_RETURN
    return bool(reply.body[0].value)


@needs_dbus
async def test_stopping_ends_the_bus_and_leaves_nothing_behind(tmp_path):
    radio = Radio(tmp_path)
    await radio.start()
    pid = radio._daemon.pid
    await radio.stop()
    await radio.stop()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from asty_firmware_sim.devices.bluez import Radio

async def main():
    radio = Radio(Path(sys.argv[1]))
    await radio.start()
    print(radio._daemon.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@needs_dbus
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed: apt-get install util-linux")
async def test_the_bus_of_a_killed_simulator_ends_too(tmp_path, until):
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(tmp_path), stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    pid = int(said)

    def gone() -> bool:
        with suppress(FileNotFoundError):
            return "dbus-daemon" not in Path(f"/proc/{pid}/cmdline").read_text()
        return True

    await until(gone)


@needs_dbus
async def test_a_radio_in_a_deep_folder_with_a_greek_name_is_reached_at_the_address_that_it_said_beforehand(tmp_path):
    with TemporaryDirectory(dir="/tmp") as short:
        for folder in (Path(short) / "κάδος 1 & <2>", tmp_path / ("βαθιά" * 20)):
            address = Radio(folder).address
            radio = Radio(folder)
            await radio.start()
            assert radio.address == address
            assert await discovering(radio) is False
            await radio.stop()


@needs_dbus
async def test_a_radio_takes_over_the_socket_of_one_that_was_killed(tmp_path):
    killed = Radio(tmp_path)
    await killed.start()
    killed.crash()
    killed._daemon.kill()
    await killed._daemon.wait()
    radio = Radio(tmp_path)
    await radio.start()
    assert await discovering(radio) is False
    await radio.stop()


async def test_a_machine_without_dbus_daemon_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not Radio.available()
    with pytest.raises(RadioUnavailableError, match=r"dbus-daemon is not installed.*install the package"):
        await Radio(tmp_path).start()


async def test_a_bus_that_does_not_start_says_why(tmp_path, monkeypatch):
    broken = tmp_path / "dbus-daemon"
    broken.write_text("#!/bin/sh\necho 'no more sockets' >&2\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    radio = Radio(tmp_path / "radio")
    with pytest.raises(RadioUnavailableError, match="no more sockets"):
        await radio.start()


@needs_dbus
@pytest.mark.parametrize("length", [99, 100, 108])
async def test_a_bus_starts_however_long_the_path_of_its_folder(tmp_path: Path, length: int) -> None:
    folder = tmp_path / ("d" * (length - len(bytes(tmp_path)) - len("//bus")))
    radio = Radio(folder)
    await radio.start()
    await radio.stop()
