"""Lift and fuel over real Modbus: pymodbus's own servers, TCP on loopback."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from asty_edge import drivers
from asty_edge.device import DeviceLostError, DeviceMisconfiguredError, DeviceSettings
from asty_edge.drivers.framing import Bad
from asty_edge.drivers.fuel_modbus import codec as fuel
from asty_edge.drivers.lift_modbus import codec as lift
from asty_edge.reading import FuelReading, LiftReading
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

LIFT = [0xA57B, 1, 2, 0, 0x0001, 0x1170, 925, 1410, 0, 3600]
INPUTS = [True, True, False, True, False]
FUEL = [0xA57F, 1, 674, 215, 0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(registers: list[int], inputs: list[bool] | None = None, *, base: int = 0, device_id: int = 1) -> AsyncIterator[int]:
    port = free_port()
    elsewhere = SimData(60_000, values=[False], datatype=DataType.BITS)
    bits = SimData(base, values=inputs, datatype=DataType.BITS) if inputs else elsewhere
    holding = SimData(base, values=registers, datatype=DataType.REGISTERS)
    unused = SimData(60_000, values=0, datatype=DataType.REGISTERS)

    async def say_what_is_true_now(function: int, _start: int, _address: int, _count: int, block: list[int], _written: object) -> None:
        if function == 3:
            block[: len(registers)] = registers

    device = SimDevice(device_id, simdata=([elsewhere], [bits], [holding], [unused]), action=say_what_is_true_now)
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield port
    finally:
        await server.shutdown()


def opened(kind: str, port: int, **options: Any):
    where = {"transport": "tcp", "host": "127.0.0.1", "tcp_port": port}
    return drivers.load(kind).open_device(DeviceSettings("dev", kind, where | options))


@pytest.mark.parametrize("kind", ["lift_modbus", "fuel_modbus"])
def test_captured_polls_say_what_their_source_says(kind: str, frames: Callable[[str], Any]):
    for frame in frames(kind):
        if kind == "lift_modbus":
            found = lift.decode("lift", 7, tuple(frame["registers"]), tuple(frame["inputs"]), "big")
        else:
            found = fuel.decode(tuple(frame["registers"]))
        assert {key: getattr(found, key) for key in frame["says"]} == frame["says"], frame["from"]
        assert all(getattr(found, key) is None for key in frame["unknown"]), frame["from"]


@pytest.mark.parametrize(("place", "what"), [((4, 5), "cycle"), ((8, 9), "uptime"), ((3,), "faults")])
def test_a_poll_without_what_a_lift_is_judged_by_is_bad(place: tuple[int, ...], what: str):
    registers = [0xFFFF if number in place else value for number, value in enumerate(LIFT)]
    assert isinstance(lift.decode("lift", 7, tuple(registers), tuple(INPUTS), "big"), Bad), what


def test_a_level_above_full_is_bad():
    assert isinstance(fuel.decode((0xA57F, 1, 1001, 215, 0)), Bad)
    assert fuel.decode((0xA57F, 1, 1000, 215, 0)) == fuel.Tank(100.0)


async def test_a_lift_is_read_at_its_base_and_word_order(listening):
    turned = [*LIFT[:4], LIFT[5], LIFT[4], *LIFT[6:8], LIFT[9], LIFT[8]]
    for registers, base, order in ((LIFT, 0, "big"), (turned, 100, "little")):
        async with (
            serving(registers, INPUTS, base=base, device_id=7) as port,
            listening(opened("lift_modbus", port, base=base, word_order=order, device_id=7)) as heard,
        ):
            reading = await heard.heard(LiftReading)
            assert (reading.state, reading.cycle, reading.angle, reading.pressure, reading.uptime) == ("dumping", 70_000, 92.5, 141.0, 3600)
            assert (reading.arm_up, reading.clamped, reading.tip, reading.pto, reading.footboard) == tuple(INPUTS)


async def test_a_lift_is_polled_again_and_again(listening):
    async with serving(LIFT, INPUTS) as port:
        device = opened("lift_modbus", port, poll_ms=20)
        async with listening(device) as heard:
            await heard.until(lambda listener: len(listener.readings) >= 5)
        assert device.counters.frames >= 5


async def test_fuel_in_litres_of_the_configured_tank(listening):
    async with serving(FUEL) as port, listening(opened("fuel_modbus", port, tank=300)) as heard:
        reading = await heard.heard(FuelReading)
        assert (reading.level, reading.litres, reading.src) == (67.4, 202.2, "modbus")


async def test_another_device_at_the_address_needs_an_operator(listening):
    async with serving(FUEL + [0] * 5, INPUTS) as port, listening(opened("lift_modbus", port)) as heard:
        error = await heard.lost()
    assert isinstance(error, DeviceMisconfiguredError)
    assert "magic 0xa57f" in str(error)
    assert "expected 0xa57b" in str(error)


async def test_a_controller_that_was_right_and_is_starting_is_worth_another_try(listening):
    registers = LIFT.copy()
    async with serving(registers, INPUTS) as port, listening(opened("lift_modbus", port, poll_ms=20)) as heard:
        await heard.heard(LiftReading)
        registers[0] = 0
        error = await heard.lost()
    assert isinstance(error, DeviceLostError)
    assert "it may be starting" in str(error)


async def test_addresses_that_are_not_there_need_an_operator(listening):
    async with serving(LIFT, INPUTS) as port, listening(opened("lift_modbus", port, base=1000)) as heard:
        error = await heard.lost()
    assert isinstance(error, DeviceMisconfiguredError)
    assert "check base and device_id" in str(error)


async def test_a_controller_that_is_switched_off_is_lost(listening):
    async with AsyncExitStack() as later:
        async with serving(LIFT, INPUTS) as port:
            heard = await later.enter_async_context(listening(opened("lift_modbus", port, poll_ms=20)))
            await heard.heard(LiftReading)
        error = await heard.lost()
    assert isinstance(error, DeviceLostError)


async def test_nobody_at_the_address_is_worth_another_try(listening):
    async with listening(opened("lift_modbus", free_port())) as heard:
        error = await heard.lost()
    assert isinstance(error, DeviceLostError)
    assert "can't be reached" in str(error)
