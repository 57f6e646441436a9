"""An agent and a real broker: what a third-party client sees, and what survives when one of them goes away."""

import asyncio
import subprocess
import time
from contextlib import asynccontextmanager, suppress

import aiomqtt
import msgspec
import pytest
from asty_contracts.envelope import decode
from asty_contracts.life import Ack, Birth, State
from asty_edge import config as configuration
from asty_edge.agent import Agent
from asty_edge.clock import mono_ms
from asty_edge.device import Counters, DeviceLostError, DeviceSettings, PointDescription
from asty_edge.devices import Fitted
from asty_edge.outbox import Outbox
from asty_edge.ranges import Ranges
from asty_edge.reading import Fix, LiftReading, TagRead, Weighing

UTC = 1_795_000_000_000
TAG = "80003DE0075BCD15"


class FakeDevice:
    """Yields what a test says; a DeviceLostError in the queue is raised."""

    def __init__(self):
        self.counters = Counters()
        self.queue = asyncio.Queue()

    def says(self, *readings):
        for reading in readings:
            self.queue.put_nowait(reading)

    async def readings(self):
        while True:
            reading = await self.queue.get()
            if isinstance(reading, Exception):
                raise reading
            self.counters.frames += 1
            yield reading


class Town:
    """The other end, over MQTT: keeps what arrives, and acknowledges when told to."""

    def __init__(self, client, edge):
        self.client = client
        self.edge = edge
        self.packs, self.births, self.states = [], [], []

    async def listen(self):
        async for message in self.client.messages:
            leaf = message.topic.value.rsplit("/", 1)[1]
            if leaf == "rec":
                content_type = getattr(message.properties, "ContentType", None) if message.properties else None
                self.packs.append((decode(message.payload, content_type), content_type))
            elif leaf == "birth":
                self.births.append(msgspec.json.decode(message.payload, type=Birth))
            elif leaf == "state":
                self.states.append(msgspec.json.decode(message.payload, type=State))

    @property
    def records(self):
        return {record.s: record for pack, _ in self.packs for record in pack.recs}

    def kinds(self):
        return [record.k for record in self.records.values()]

    async def say(self, leaf, value, *, retain=False):
        await self.client.publish(f"asty/1/demo/{self.edge}/dn/{leaf}", msgspec.json.encode(value), qos=1, retain=retain)

    async def ack(self, epoch, upto, *miss):
        await self.say("ack", Ack(epoch, upto, miss), retain=True)


async def until(condition, why="", within=20.0):
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {within} s: {why}"
        await asyncio.sleep(0.02)
    return found


@asynccontextmanager
async def town_of(broker, edge, **options):
    async with aiomqtt.Client(broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5, **options) as client:
        await client.subscribe(f"asty/1/demo/{edge}/up/#", qos=1)
        town = Town(client, edge)
        listening = asyncio.create_task(town.listen())
        yield town
        listening.cancel()
        with suppress(asyncio.CancelledError, aiomqtt.MqttError):
            await listening


def write_config(folder, edge, broker, extra="", uplink=""):
    file = folder / f"{edge}.toml"
    file.write_text(f"""
[edge]
id = "{edge}"
org = "demo"
kind = "truck"
[outbox]
path = "{edge}.db"
[uplink]
host = "{broker.host}"
port = {broker.port}
{uplink}
{extra}
""")
    return configuration.load(file)


@asynccontextmanager
async def running(config):
    """An agent with one fake device that already told a date."""
    device = FakeDevice()
    device.says(Fix("fake", mono_ms(), True, UTC, 40.77, 22.38, 5.0, 90.0))
    fitted = Fitted(DeviceSettings("fake", "fake"), device, (PointDescription("load", "kg", "what hangs on the lift"),))
    outbox = Outbox.open(config.file.parent / config.outbox.path, config.outbox.max_bytes)
    agent, stop = Agent(config, [fitted], outbox), asyncio.Event()
    task = asyncio.create_task(agent.run(stop))
    try:
        yield device, outbox
        stop.set()
        await asyncio.wait_for(task, 10)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        outbox.close()


def a_lift(device, base):
    now = mono_ms()

    def poll(state, cycle):
        return LiftReading("fake", now, state, cycle, 0, None, None, 1, False, False, False, True, False)

    before = [poll("idle", base), TagRead("fake", now, TAG, "fdxb"), poll("raising", base), Weighing("fake", now, 130.0, True)]
    after = [poll("lowering", base), Weighing("fake", now, 12.0, True), poll("lowering", base), poll("idle", base + 1)]
    device.says(*before, poll("raising", base), poll("dumping", base), *after)


@pytest.mark.parametrize(
    ("edge", "uplink", "content_type"),
    [
        ("truck-311", 'protocol = "3.1.1"', None),
        ("truck-5j", 'protocol = "5"', "application/json"),
        ("truck-5c", 'protocol = "5"\nencoding = "cbor"', "application/cbor"),
    ],
)
async def test_a_lift_travels_from_sensor_to_acknowledgement(mosquitto, tmp_path, edge, uplink, content_type):
    async with town_of(mosquitto, edge) as town, running(write_config(tmp_path, edge, mosquitto, uplink=uplink)) as (device, outbox):
        a_lift(device, 7)
        await until(lambda: "lift" in town.kinds())
        lift = next(record for record in town.records.values() if record.k == "lift")
        assert lift.tq == "gnss"
        assert abs(lift.t - UTC) < 60_000, "town time as the receiver told it"
        assert msgspec.json.decode(lift.d)["net"] == 118.0
        assert {kind for _, kind in town.packs} == {content_type}
        assert town.births[0].devices[0].points[0].key == "load"
        assert town.states[-1].up
        held = outbox.held
        assert held > 0, "a PUBACK deletes nothing"
        await town.ack(outbox.epoch, outbox.head)
        await until(lambda: outbox.acked >= lift.s, "the acknowledgement deletes")


async def test_the_state_tells_the_end_of_a_session_and_how_far_its_numbers_go(mosquitto, tmp_path):
    async with town_of(mosquitto, "truck-bye") as town:
        async with running(write_config(tmp_path, "truck-bye", mosquitto)) as (device, _):
            a_lift(device, 7)
            await until(lambda: town.packs)
            n = town.states[-1].n
        await until(lambda: town.states and not town.states[-1].up)
        head = town.states[-1].head
        assert head == max(town.records), "everything collected was sent before the goodbye"
        async with running(write_config(tmp_path, "truck-bye", mosquitto)):
            await until(lambda: town.states[-1].up)
            assert town.states[-1].n > n


async def test_a_late_subscriber_finds_the_state_retained(mosquitto, tmp_path):
    async with running(write_config(tmp_path, "truck-late", mosquitto)), town_of(mosquitto, "truck-late") as first:
        await until(lambda: first.states and first.states[-1].up)
        async with town_of(mosquitto, "truck-late") as second:
            await until(lambda: second.states)


async def test_missing_records_are_sent_again_on_request(mosquitto, tmp_path):
    async with town_of(mosquitto, "truck-miss") as town, running(write_config(tmp_path, "truck-miss", mosquitto)) as (device, outbox):
        for base in range(3):
            a_lift(device, base)
            await until(lambda base=base: town.kinds().count("lift") == base + 1)
        lost = town.packs[0][0].recs
        town.packs.clear()
        await town.ack(outbox.epoch, 0, (lost[0].s, lost[-1].s))
        await until(lambda: {record.s for record in lost} <= set(town.records), "the lost pack comes again")


async def test_a_command_brings_the_birth_again(mosquitto, tmp_path):
    async with town_of(mosquitto, "truck-born") as town, running(write_config(tmp_path, "truck-born", mosquitto)):
        await until(lambda: town.births)
        await town.client.publish("asty/1/demo/truck-born/dn/cmd", b"not a command", qos=1)
        await town.say("cmd", {"id": "x", "cmd": "dance"})
        await town.say("cmd", {"id": "y", "cmd": "rebirth"})
        await until(lambda: len(town.births) == 2)
        assert town.births[0].session == town.births[1].session


async def test_a_lost_device_is_an_alarm_and_does_not_stop_the_others(mosquitto, tmp_path):
    extra = "[fusion]\ndevice_lost_s = 0.3"
    async with town_of(mosquitto, "truck-lost") as town, running(write_config(tmp_path, "truck-lost", mosquitto, extra)) as (device, _):
        device.says(DeviceLostError("unplugged"), DeviceLostError("unplugged"))
        await until(lambda: "alarm" in town.kinds())
        alarm = next(record for record in town.records.values() if record.k == "alarm")
        assert msgspec.json.decode(alarm.d)["code"] == "device_lost"
        device.says(Weighing("fake", mono_ms(), 5.0, True))
        await until(lambda: sum(kind == "alarm" for kind in town.kinds()) == 2, "it ends when the device speaks again")


async def test_a_driver_with_a_fault_of_its_own_does_not_end_the_agent(mosquitto, tmp_path):
    async with town_of(mosquitto, "truck-bug") as town, running(write_config(tmp_path, "truck-bug", mosquitto)) as (device, _):
        device.says(ZeroDivisionError("a driver's fault"))
        a_lift(device, 1)
        await until(lambda: "lift" in town.kinds())


async def test_a_broker_that_crashes_costs_a_resend_and_no_record(new_mosquitto, tmp_path):
    broker = new_mosquitto()
    config = write_config(tmp_path, "truck-crash", broker)
    async with running(config) as (device, outbox):
        a_lift(device, 1)
        await until(lambda: outbox.head >= 2)
        await asyncio.to_thread(broker.kill)
        a_lift(device, 2)
        await until(lambda: outbox.head >= 3)
        await asyncio.to_thread(broker.start)
        async with town_of(broker, "truck-crash") as town:
            await until(lambda: town.kinds().count("lift") == 2, "what the broker forgot comes again after the back-off", within=40)
            assert set(town.records) >= set(range(1, 4))


async def test_nobody_waits_for_an_absent_broker(tmp_path):
    class Nobody:
        host, port = "127.0.0.1", 1

    async with running(write_config(tmp_path, "truck-alone", Nobody)) as (device, outbox):
        for base in range(20):
            a_lift(device, base)
        await until(lambda: sum(one.k == "lift" for one in outbox.peek(Ranges([(1, outbox.head)]), 1000, 1 << 30)) == 20)


async def test_an_epoch_that_the_store_knows_better_begins_anew(mosquitto, tmp_path):
    async with town_of(mosquitto, "truck-copy") as town, running(write_config(tmp_path, "truck-copy", mosquitto)) as (device, outbox):
        a_lift(device, 1)
        await until(lambda: "lift" in town.kinds())
        old = outbox.epoch
        await town.ack(old, 5000)
        await until(lambda: outbox.epoch != old)
        town.packs.clear()
        await until(lambda: any(pack.ep == outbox.epoch and pack.recs for pack, _ in town.packs))


async def test_numbers_the_store_forgot_are_accounted_for_by_a_gap(mosquitto, tmp_path, monkeypatch):
    monkeypatch.setattr("asty_edge.agent.DOUBT_MS", 300)
    async with town_of(mosquitto, "truck-gap") as town, running(write_config(tmp_path, "truck-gap", mosquitto)) as (device, outbox):
        a_lift(device, 1)
        await until(lambda: "lift" in town.kinds())
        last = outbox.head
        await town.ack(outbox.epoch, last)
        await until(lambda: outbox.acked == last)
        while "gap" not in town.kinds():
            await town.ack(outbox.epoch, 0, (1, last))
            await asyncio.sleep(0.1)
        gap = next(record for record in town.records.values() if record.k == "gap")
        assert msgspec.json.decode(gap.d)["ranges"] == [[1, last]]


async def test_old_acknowledgements_that_arrive_late_report_nothing_as_lost(mosquitto, tmp_path):
    async with town_of(mosquitto, "truck-late") as town, running(write_config(tmp_path, "truck-late", mosquitto)) as (device, outbox):
        a_lift(device, 1)
        await until(lambda: "lift" in town.kinds())
        last = outbox.head
        await town.ack(outbox.epoch, last)
        await until(lambda: outbox.acked == last)
        await town.ack(outbox.epoch, 0, (1, last - 1))
        await town.ack(outbox.epoch, 1, (2, last - 1))
        a_lift(device, 2)
        await until(lambda: town.kinds().count("lift") == 2)
        assert "gap" not in town.kinds()


async def test_a_full_outbox_is_an_alarm_and_keeps_all_but_positions(tmp_path):
    class Nobody:
        host, port = "127.0.0.1", 1

    config = write_config(tmp_path, "truck-full", Nobody)
    config = msgspec.structs.replace(config, outbox=msgspec.structs.replace(config.outbox, max_bytes=65536))
    async with running(config) as (device, outbox):
        a_lift(device, 1)
        start = mono_ms()
        for n in range(900):
            device.says(Fix("fake", start + n * 1100, True, UTC + n * 1100, 40.0, 22.0, 8.0, n * 45 % 360))
        await until(lambda: outbox.given_up)
        await until(lambda: "outbox_full" in str(outbox.peek(Ranges([(1, outbox.head)]), 10_000, 1 << 30)))
        kinds = [one.k for one in outbox.peek(Ranges([(1, outbox.head)]), 10_000, 1 << 30)]
        assert {"lift", "gap", "alarm"} <= set(kinds)


# TLS


def certificate(folder, name, *, ca=None, san=""):
    key, request, made = folder / f"{name}.key", folder / f"{name}.csr", folder / f"{name}.pem"
    extension = folder / f"{name}.ext"
    extension.write_text(f"subjectAltName={san}\n" if san else "basicConstraints=critical,CA:TRUE\n" if ca is None else "")
    subject = ["-subj", f"/CN={name}"]
    run(
        ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", request, *subject]
    )
    signer = ["-signkey", key] if ca is None else ["-CA", ca[0], "-CAkey", ca[1], "-CAcreateserial"]
    run(["openssl", "x509", "-req", "-in", request, *signer, "-days", "2", "-extfile", extension, "-out", made])
    return made, key


def run(command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


@pytest.fixture
def tls(new_mosquitto, server_folder):
    folder = server_folder("tls")
    ca = certificate(folder, "town-ca")
    server = certificate(folder, "broker", ca=ca, san="IP:127.0.0.1,DNS:localhost")
    edge = certificate(folder, "truck-tls", ca=ca)
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o644)
    files = f"cafile {ca[0]}\ncertfile {server[0]}\nkeyfile {server[1]}\n"
    broker = new_mosquitto(f"{files}require_certificate true\nuse_identity_as_username true\n")
    return broker, ca, edge


async def test_an_edge_shows_its_own_certificate(tls, tmp_path):
    broker, ca, edge = tls
    uplink = f'[uplink.tls]\nca = "{ca[0]}"\ncert = "{edge[0]}"\nkey = "{edge[1]}"'
    parameters = aiomqtt.TLSParameters(ca_certs=str(ca[0]), certfile=str(edge[0]), keyfile=str(edge[1]))
    config = write_config(tmp_path, "truck-tls", broker, uplink=uplink)
    async with town_of(broker, "truck-tls", tls_params=parameters) as town, running(config) as (device, _):
        a_lift(device, 1)
        await until(lambda: "lift" in town.kinds())
    assert "u'truck-tls'" in broker.log()


async def test_an_edge_without_a_certificate_keeps_its_records(tls, tmp_path):
    broker, ca, _ = tls
    uplink = f'[uplink.tls]\nca = "{ca[0]}"'
    async with running(write_config(tmp_path, "truck-bare", broker, uplink=uplink)) as (device, outbox):
        a_lift(device, 1)
        await until(lambda: outbox.held >= 2)
        await until(lambda: "peer did not return a certificate" in broker.log())
