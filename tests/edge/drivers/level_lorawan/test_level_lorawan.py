"""Fill levels: what published frames say, what is not believed, and what the gateway's ear makes of it."""

import socket
from base64 import b64encode
from typing import Any

import msgspec
import pytest
from asty_edge import drivers
from asty_edge.config import FusionSettings
from asty_edge.device import DeviceSettings
from asty_edge.drivers.framing import Bad
from asty_edge.drivers.level_lorawan import codec, em310
from asty_edge.drivers.level_lorawan.codec import Keys
from asty_edge.event import Moment
from asty_edge.fusion import Fusion
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

NWK, APP = bytes(range(16)), bytes(range(16, 32))
KEYS = Keys(NWK, APP)
ADDRESS, SENSOR, TAG = "260B1F2A", "24E124713B042517", "00004B10CA0C0016"
TABLE: dict[str, Any] = {
    "id": SENSOR, "address": ADDRESS, "nwkskey": NWK.hex(), "appskey": APP.hex(), "bin": TAG, "empty_mm": 1300, "full_mm": 300,
}  # fmt: skip


def frame(payload: str, count: int, *, port: int = em310.PORT, keys: Keys = KEYS) -> bytes:
    """Build a data frame as LoRaWAN 1.0.4 has it, by the book and not by the codec."""
    device, clear = bytes.fromhex(ADDRESS)[::-1], bytes.fromhex(payload)
    counter = count.to_bytes(4, "little")
    ecb = Cipher(algorithms.AES(keys.application), modes.ECB()).encryptor()
    stream = ecb.update(b"".join(b"\x01" + bytes(5) + device + counter + b"\0" + bytes([n]) for n in (1, 2)))
    body = b"\x40" + device + b"\0" + counter[:2] + bytes([port]) + bytes(a ^ b for a, b in zip(clear, stream, strict=False))
    code = CMAC(algorithms.AES(keys.network))
    code.update(b"\x49" + bytes(5) + device + counter + b"\0" + bytes([len(body)]) + body)
    return body + code.finalize()[:4]


def push(*frames: bytes, token: bytes = b"\x12\x34") -> bytes:
    packets = [{"data": b64encode(one).decode(), "rssi": -97, "stat": 1} for one in frames]
    return b"\x02" + token + b"\0" + bytes(8) + msgspec.json.encode({"rxpk": packets})


def test_published_frames_and_payloads_say_what_their_source_says(frames: Any) -> None:
    for one in frames("level_lorawan"):
        payload = bytes.fromhex(one["payload"])
        if "address" in one:
            assert codec.address(one["bytes"]) == one["address"]
            found: Any = codec.uplink(one["bytes"], Keys(bytes.fromhex(one["nwkskey"]), bytes.fromhex(one["appskey"])), None)
            assert found.payload == payload
        else:
            found = em310.decode(payload)
        assert {key: getattr(found, key) for key in one["says"]} == one["says"], one["from"]


def test_a_counter_that_wrapped_is_followed_and_a_frame_sent_again_is_not_believed() -> None:
    far = codec.uplink(frame("017564", 70_000), KEYS, None)
    assert isinstance(far, codec.Uplink)
    assert far.count == 70_000
    assert isinstance(codec.uplink(frame("017564", 131_072), KEYS, 131_070), codec.Uplink)
    assert codec.uplink(frame("017564", 7), KEYS, 7) is None
    assert isinstance(codec.uplink(frame("017564", 6), KEYS, 7), Bad)


def test_a_forged_or_damaged_frame_is_not_believed() -> None:
    true = frame("0382F401", 1)
    for at in range(1, len(true)):
        damaged = true[:at] + bytes([true[at] ^ 1]) + true[at + 1 :]
        assert isinstance(codec.uplink(damaged, KEYS, None), Bad)
    assert isinstance(codec.uplink(frame("0382F401", 1, keys=Keys(APP, APP)), KEYS, None), Bad)


@given(st.binary(max_size=80))
def test_noise_never_raises(noise: bytes) -> None:
    codec.datagram(noise)
    codec.datagram(b"\x02\0\0\0" + bytes(8) + noise)
    codec.uplink(noise.ljust(12, b"\0"), KEYS, None)
    em310.decode(noise)


async def test_a_gateway_hears_its_own_bins_and_nobody_elses(listening: Any, unused_port: int) -> None:
    device = drivers.load("level_lorawan").open_device(
        DeviceSettings("levels", "level_lorawan", {"udp_port": unused_port, "sensors": [TABLE | {"full_at": 75}]})
    )
    foreign = bytearray(frame("0382F401", 1))
    foreign[1] ^= 0xFF
    says = [
        frame("017564 03822C01 040000", 1),  # 300 mm: the full mark
        frame("03820805 040000", 2),  # 1288 mm: nearly the floor
        frame("03820000 040000", 3),  # no echo
        frame("0382F401 040001", 4),  # tilted
        frame("03820010 040000", 5),  # 4 m: of another bin's floor
        bytes(foreign),
        frame("0382F401", 6, port=2),
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forwarder:
        forwarder.settimeout(20)
        forwarder.connect(("127.0.0.1", unused_port))
        async with listening(device) as listener:
            pull = b"\x02\xab\xcd\x02" + bytes(8)
            await listener.until(lambda it: it.readings, meanwhile=lambda: _send(forwarder, push(*says)))
            _send(forwarder, pull, b"no datagram")
            await listener.until(lambda it: len(it.readings) == 5 and device.counters.bad, meanwhile=lambda: None)
            answers = {forwarder.recv(99) for _ in range(2)}
    assert answers >= {b"\x02\x12\x34\x01"} or answers >= {b"\x02\xab\xcd\x04"}
    assert [it.level for it in listener.readings] == [100.0, 1.2, None, None, None]
    first = listener.readings[0]
    assert (first.bin, first.sensor, first.dist, first.battery, first.tilt, first.full_at, first.rssi) == (
        TAG, SENSOR, 0.3, 100.0, "no", 75.0, -97.0
    )  # fmt: skip
    [event] = Fusion(FusionSettings()).feed(first, Moment(0, 1, "ntp"))
    assert msgspec.to_builtins(event.data) == {
        "bin": TAG, "sensor": SENSOR, "level": 100.0, "dist": 0.3, "full_at": 75.0, "battery": 100.0, "tilt": "no", "rssi": -97.0, "n": 1,
    }  # fmt: skip


def _send(forwarder: socket.socket, *datagrams: bytes) -> None:
    for one in datagrams:
        try:
            forwarder.send(one)
        except ConnectionRefusedError:  # nobody listens yet
            return


@pytest.mark.parametrize(
    "wrong", [{"bin": "x"}, {"empty_mm": 20}, {"full_mm": 1290}, {"nwkskey": "00"}, {"address": "260b1f2a"}, {"full_at": 5}]
)
def test_a_wrong_sensor_is_told_by_its_key_and_no_session_key_is_repeated(wrong: dict[str, Any]) -> None:
    from asty_edge.device import DeviceMisconfiguredError

    with pytest.raises(DeviceMisconfiguredError) as caught:
        drivers.load("level_lorawan").open_device(DeviceSettings("levels", "level_lorawan", {"sensors": [TABLE | wrong]}))
    assert f"sensors[0].{next(iter(wrong))}" in str(caught.value)
    assert NWK.hex() not in str(caught.value)
