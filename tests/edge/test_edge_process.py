"""The command as an operator and a supervisor use it: a real process, a real pseudo terminal, real signals."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
import tty
from contextlib import suppress
from functools import reduce
from pathlib import Path

import msgspec
import pytest
from asty_contracts.life import Birth, State
from asty_edge import drivers

MB = 1 << 20
COMMAND = [sys.executable, "-m", "asty_edge.cli"]


def sentence(body):
    return f"${body}*{reduce(lambda so_far, char: so_far ^ ord(char), body, 0):02X}\r\n".encode()


class Receiver:
    """A GNSS receiver on a pseudo terminal, which drives along a street."""

    def __init__(self):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.port = os.ttyname(slave)
        self._slave = slave
        self._going = True
        self._thread = threading.Thread(target=self._drive, daemon=True)
        self._thread.start()

    def _drive(self):
        second = 0
        while self._going:
            clock = f"{8 + second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}.00"
            second += 1
            turn = (second * 45) % 360
            place = f"40{46 + second / 10000:07.4f},N,02223.4500,E"
            both = sentence(f"GPGGA,{clock},{place},1,08,0.9,5.4,M,46.9,M,,")
            both += sentence(f"GPRMC,{clock},A,{place},12.4,{turn:05.1f},241126,,,A")
            with suppress(BlockingIOError):  # nobody reads: a receiver does not wait
                os.write(self.master, both)
            time.sleep(0.1)

    def stop(self):
        self._going = False
        self._thread.join()
        os.close(self.master)
        os.close(self._slave)


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    one.stop()


class Edge:
    def __init__(self, folder, devices="", port=1):
        self.folder = folder
        self.config = folder / "edge.toml"
        self.config.write_text(f"""
[edge]
id = "truck-01"
org = "demo"
kind = "truck"
[uplink]
port = {port}
[fusion]
position_every_s = 0.1
{devices}
""")
        self.process = None

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*COMMAND, "run", "--config", str(self.config)], stderr=log)
        return self

    def end(self, how):
        self.process.send_signal(how)
        return self.process.wait(15)

    def ask(self, *words):
        return subprocess.run([*COMMAND, *words, "--config", str(self.config)], capture_output=True, text=True, timeout=60)

    def look(self):
        done = self.ask("inspect", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    @property
    def log(self):
        return (self.folder / "log").read_text()


@pytest.fixture
def edge(tmp_path, receiver):
    one = Edge(tmp_path, f'[[device]]\nname = "gps"\ndriver = "nmea"\nport = "{receiver.port}"')
    yield one
    if one.process is not None and one.process.poll() is None:
        one.process.kill()
        one.process.wait()


def test_killed_at_any_moment_it_goes_on_with_the_next_number(edge, eventually):
    held = 0
    epoch = None
    for _ in range(2):
        edge.start()
        before = held
        seen = eventually(lambda before=before: (look := edge.look()) and look["held"] > before + 3 and look, within=60)
        edge.end(signal.SIGKILL)
        report = edge.look()
        assert report["held"] >= seen["held"], "what was appended is there"
        assert report["unacknowledged"] == [[1, report["head"]]], "no number is missing"
        assert epoch in (None, report["epoch"])
        held, epoch = report["held"], report["epoch"]


def test_told_to_stop_it_stores_what_it_has_says_goodbye_and_ends_well(edge, mosquitto, eventually):
    edge.config.write_text(edge.config.read_text().replace("port = 1\n", f"port = {mosquitto.port}\n").replace("truck-01", "truck-term"))
    watcher = subprocess.Popen(
        [sys.executable, "-c", WATCH, str(mosquitto.port), "asty/1/demo/truck-term/up/+"], stdout=subprocess.PIPE, text=True
    )
    assert watcher.stdout.readline() == "ready\n"
    edge.start()
    eventually(lambda: (look := edge.look()) and look["held"] > 3, within=60)
    assert edge.end(signal.SIGTERM) == 0
    report = edge.look()
    lines = [json.loads(line) for line in iter(watcher.stdout.readline, "end\n")]
    watcher.communicate(timeout=10)
    states = [msgspec.convert(body, State, strict=False) for leaf, body in lines if leaf == "state"]
    births = [msgspec.convert(body, Birth, strict=False) for leaf, body in lines if leaf == "birth"]
    sent = {record["s"] for leaf, body in lines if leaf == "rec" for record in body["recs"]}
    assert [state.up for state in states] == [True, False]
    assert states[-1].head == report["head"]
    assert sent == set(range(1, report["head"] + 1))
    assert births[0].devices[0].driver == "nmea"
    assert births[0].devices[0].points
    assert 'msg="stopped' in edge.log
    assert all(line.startswith("time=") for line in edge.log.splitlines()), "one line each"


WATCH = """
import json, sys
import paho.mqtt.client as mqtt
def on_message(client, _, message):
    leaf, body = message.topic.rsplit("/", 1)[1], json.loads(message.payload)
    print(json.dumps([leaf, body]), flush=True)
    if leaf == "state" and not body["up"]:
        print("end", flush=True)
        client.disconnect()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_message = on_message
client.on_subscribe = lambda *_: print("ready", flush=True)
client.connect("127.0.0.1", int(sys.argv[1]))
client.subscribe(sys.argv[2], qos=1)
client.loop_forever()
"""


def test_told_to_stop_without_a_broker_it_does_not_wait_for_one(edge, eventually):
    edge.start()
    eventually(lambda: (look := edge.look()) and look["held"] > 3, within=60)
    assert edge.end(signal.SIGTERM) == 0


def test_it_fits_into_sixty_megabytes_with_every_driver_running(tmp_path, receiver, free_port, eventually):
    sensor = f'id = "24E124713B042517", address = "260B1F2A", nwkskey = "{"0" * 32}", appskey = "{"1" * 32}", bin = "00004B10CA0C0016"'
    tables = {
        "rfid_fdxb": f'port = "{tmp_path}/none"',
        "rfid_em4100": f'port = "{tmp_path}/none"',
        "scale": f'port = "{tmp_path}/none"',
        "nmea": f'port = "{receiver.port}"',
        "lift_modbus": 'transport = "tcp"\nhost = "127.0.0.1"\ntcp_port = 1',
        "fuel_modbus": 'transport = "tcp"\nhost = "127.0.0.1"\ntcp_port = 1',
        "j1939": 'interface = "udp_multicast"\nchannel = "239.74.163.2"\nport = 43113',
        "level_lorawan": f"udp_port = {free_port()}\nsensors = [{{{sensor}, empty_mm = 1300, full_mm = 300}}]",
        "ble_tags": 'vests = [{id = "C0:FF:EE:00:00:01", kind = "bthome", key = "000102030405060708090a0b0c0d0e0f"}]',
    }
    assert tables.keys() == set(drivers.kinds())
    edge = Edge(tmp_path, "\n".join(f'[[device]]\nname = "{kind}"\ndriver = "{kind}"\n{table}' for kind, table in tables.items()))
    edge.start()
    try:
        eventually(
            lambda: (look := edge.look()) and look["held_by_kind"].get("health", 0) and look["held_by_kind"].get("pos", 0) > 5, within=60
        )
        status = Path(f"/proc/{edge.process.pid}/status").read_text()
        peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024
    finally:
        edge.end(signal.SIGTERM)
    assert peak <= 60 * MB, f"{peak / MB:.1f} MB"


def test_check_names_every_fault_with_file_key_and_expectation(tmp_path):
    edge = Edge(tmp_path, '[[device]]\nname = "gps"\ndriver = "nmea"\nbaud = 3\n[[device]]\nname = "x"\ndriver = "sundial"')
    done = edge.ask("check")
    assert done.returncode == 2
    assert "gps" in done.stderr
    assert "port" in done.stderr
    assert "baud" in done.stderr
    assert "sundial" in done.stderr
    assert all(line.startswith(str(edge.config)) for line in done.stderr.splitlines())
    assert edge.ask("run").returncode == 2, "it does not run with a wrong configuration"


def test_check_of_a_right_configuration_opens_nothing(tmp_path):
    edge = Edge(tmp_path, '[[device]]\nname = "gps"\ndriver = "nmea"\nport = "/nowhere"')
    done = edge.ask("check")
    assert (done.returncode, "gps (nmea)" in done.stdout) == (0, True)
    assert not list(tmp_path.glob("outbox*"))


def test_inspect_tells_people_what_waits(edge, eventually):
    assert edge.ask("inspect").returncode == 1
    edge.start()
    eventually(lambda: (look := edge.look()) and look["held_by_kind"].get("pos", 0) > 2, within=60)
    text = edge.ask("inspect").stdout
    for word in ("epoch", "head", "acknowledged up to 0", "pos", "waiting", "no lifts yet"):
        assert word in text
    report = edge.look()
    assert {"edge", "epoch", "head", "acked", "held", "held_by_kind", "bytes", "oldest", "last_lifts"} <= report.keys()
    assert report["edge"] == "truck-01"


def test_a_second_agent_on_the_same_outbox_says_so_and_leaves(edge, eventually):
    edge.start()
    eventually(edge.look, within=60)
    second = edge.ask("run")
    assert second.returncode == 2
    assert "another agent" in second.stderr
