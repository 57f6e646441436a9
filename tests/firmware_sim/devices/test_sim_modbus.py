import asyncio

import pytest
from asty_firmware_sim.devices.modbus import FuelProbe, LiftController
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException


@pytest.fixture(params=["tcp", "rtu"])
def place(request, tmp_path, tcp_port):
    """Where a slave is reached: constructor arguments."""
    return {"tcp_port": tcp_port} if request.param == "tcp" else {"link": tmp_path / "ttyLIFT"}


async def connected(place, timeout=5):
    if "tcp_port" in place:
        client = AsyncModbusTcpClient("127.0.0.1", port=place["tcp_port"], timeout=timeout, retries=0, reconnect_delay=0)
    else:
        client = AsyncModbusSerialClient(str(place["link"]), baudrate=19200, timeout=timeout, retries=0, reconnect_delay=0)
    assert await client.connect()
    return client


async def holding(client, address, count, device_id=1):
    answer = await client.read_holding_registers(address, count=count, device_id=device_id)
    assert not answer.isError(), answer
    return answer.registers


async def test_a_lift_controller_serves_its_published_map(place):
    lift = LiftController(**place)
    await lift.start()
    client = await connected(place)
    assert (await holding(client, 0, 10))[:4] == [0xA57B, 1, 0, 0]
    lift.show("raising", 70_000, 5, 45.5, 120.3, 100_000, arm_up=True, tip=True, pto=False, footboard=True)
    assert await holding(client, 0, 10) == [0xA57B, 1, 1, 5, 1, 4464, 455, 1203, 1, 34464]
    inputs = await client.read_discrete_inputs(0, count=5, device_id=1)
    assert inputs.bits[:5] == [True, False, True, False, True]
    client.close()
    await lift.stop()


async def test_each_lift_state_has_its_number_and_what_is_unknown_is_not_available(tcp_port):
    lift = LiftController(tcp_port=tcp_port)
    await lift.start()
    client = await connected({"tcp_port": tcp_port})
    told = []
    for state in ("idle", "raising", "dumping", "lowering", "fault", "unknown"):
        lift.show(state, 0, angle=None, pressure=-3.0)
        told.append(await holding(client, 2, 1))
    assert told == [[0], [1], [2], [3], [4], [0xFFFF]]
    assert await holding(client, 6, 2) == [0xFFFF, 0]
    client.close()
    await lift.stop()


async def test_address_base_and_word_order_are_settings_as_they_are_on_real_controllers(tcp_port):
    lift = LiftController(tcp_port=tcp_port, device_id=7, base=14, word_order="little")
    await lift.start()
    lift.show("idle", 70_000, clamped=True, footboard=True)
    client = await connected({"tcp_port": tcp_port})
    assert await holding(client, 18, 2, device_id=7) == [4464, 1]
    inputs = await client.read_discrete_inputs(14, count=5, device_id=7)
    assert inputs.bits[:5] == [False, True, False, True, True]
    client.close()
    await lift.stop()


async def test_a_controller_lets_nobody_steer_it_and_serves_nothing_beside_its_map(place):
    lift = LiftController(**place)
    await lift.start()
    client = await connected(place)
    for refused in (
        client.write_register(2, 1, device_id=1),
        client.write_coil(0, True, device_id=1),
        client.read_coils(0, count=1, device_id=1),
        client.read_input_registers(0, count=1, device_id=1),
        client.read_holding_registers(0, count=11, device_id=1),
    ):
        assert (await refused).isError()
    assert (await holding(client, 2, 1)) == [0]
    client.close()
    await lift.stop()


async def test_nobody_answers_for_another_slave(place):
    lift = LiftController(**place)
    await lift.start()
    client = await connected(place, timeout=0.3)
    with pytest.raises(ModbusException):
        await client.read_holding_registers(0, count=1, device_id=9)
    client.close()
    await lift.stop()


async def test_a_fuel_probe_serves_its_published_map(place):
    probe = FuelProbe(**place)
    await probe.start()
    client = await connected(place)
    assert await holding(client, 0, 5) == [0xA57F, 1, 0xFFFF, 200, 1], "it feels nothing before it was told"
    for level, temperature, registers in (
        (33.3, 21.55, [333, 216, 0]),
        (0.0, -5.0, [0, 0x10000 - 50, 0]),
        (None, -0.1, [0xFFFF, 0, 1]),
    ):
        probe.show(level, temperature)
        assert await holding(client, 2, 3) == registers
    assert (await client.read_discrete_inputs(0, count=1, device_id=1)).isError()
    client.close()
    await probe.stop()


async def test_a_serial_slave_that_is_plugged_in_again_answers(tmp_path):
    place = {"link": tmp_path / "ttyLIFT"}
    lift = LiftController(**place)
    await lift.start()
    client = await connected(place, timeout=0.3)
    assert (await holding(client, 0, 1)) == [0xA57B]
    lift.unplug()
    with pytest.raises(ModbusException):
        await client.read_holding_registers(0, count=1, device_id=1)
    client.close()
    lift.plug()
    client = await connected(place)
    assert (await holding(client, 0, 1)) == [0xA57B]
    client.close()
    await lift.stop()


async def test_a_stopped_slave_hangs_up_leaves_nothing_behind_and_starts_again_at_the_same_place(place, tmp_path, until):
    lift = LiftController(**place)
    for _ in range(2):
        await lift.start()
        client = await connected(place)
        assert (await holding(client, 0, 1)) == [0xA57B]
        await lift.stop()
        await until(lambda client=client: not client.connected)
        client.close()
        assert list(tmp_path.iterdir()) == []
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_taken_port_is_said(tcp_port):
    first, second = FuelProbe(tcp_port=tcp_port), FuelProbe(tcp_port=tcp_port)
    await first.start()
    with pytest.raises(OSError, match="in use"):
        await second.start()
    await second.stop()
    await first.stop()


@pytest.mark.parametrize("place", [{}, {"tcp_port": 5020, "link": "ttyLIFT"}], indirect=False)
def test_a_slave_is_reached_in_exactly_one_way(place):
    with pytest.raises(ValueError, match="tcp_port or by link"):
        LiftController(**place)
