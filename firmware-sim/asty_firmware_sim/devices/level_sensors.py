"""Ultrasonic level sensors in bins' lids, LoRaWAN class A, and the gateway's packet forwarder that hears them.

Frames: LoRaWAN 1.0.4, chapter 4, activated by personalisation. Payload: Milesight EM310-UDL. Forwarder: Semtech's UDP protocol, version 2.
"""

import asyncio
import json
import secrets
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

_PORT = 85
_PUSH_DATA, _PULL_DATA = 0, 2
_VERSION = 2


@dataclass(frozen=True, slots=True)
class LevelTag:
    """A sensor's identity: DevEUI, DevAddr and session keys, all hex, which follow from its bin's tag."""

    id: str
    address: str
    nwkskey: str
    appskey: str


def level_tag(bin_tag: str) -> LevelTag:
    """Return the sensor of a bin."""
    digest = sha256(bin_tag.encode()).hexdigest()
    return LevelTag(f"24E124{digest[:10].upper()}", f"26{digest[10:16].upper()}", digest[:32], digest[32:])


def payload(mm: int, battery: int, *, tilted: bool) -> bytes:
    """Encode a reading."""
    return b"\x01\x75" + bytes([battery]) + b"\x03\x82" + mm.to_bytes(2, "little") + b"\x04\x00" + bytes([tilted])


def frame(tag: LevelTag, count: int, clear: bytes) -> bytes:
    """Encrypt and sign an unconfirmed data frame."""
    device, counter = bytes.fromhex(tag.address)[::-1], count.to_bytes(4, "little")
    blocks = b"".join(b"\x01" + bytes(5) + device + counter + b"\0" + bytes([n + 1]) for n in range((len(clear) + 15) // 16))
    stream = Cipher(algorithms.AES(bytes.fromhex(tag.appskey)), modes.ECB()).encryptor().update(blocks)  # noqa: S305  as LoRaWAN has it
    body = b"\x40" + device + b"\0" + counter[:2] + bytes([_PORT]) + bytes(a ^ b for a, b in zip(clear, stream, strict=False))
    code = CMAC(algorithms.AES(bytes.fromhex(tag.nwkskey)))
    code.update(b"\x49" + bytes(5) + device + counter + b"\0" + bytes([len(body)]) + body)
    return body + code.finalize()[:4]


class PacketForwarder(asyncio.DatagramProtocol):
    """A concentrator's packet forwarder that speaks to an edge on this machine. What nobody listens to is lost, as on the air."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._eui = secrets.token_bytes(8)
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Open a port of its own."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=("127.0.0.1", self._port))

    async def stop(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()

    def ask(self) -> None:
        """Ask for something to send, as a forwarder does every few seconds."""
        self._send(_PULL_DATA, b"")

    def forward(self, heard: bytes, rssi: int) -> None:
        """Pass a frame on."""
        packet = {"tmst": 0, "freq": 868.1, "stat": 1, "modu": "LORA", "datr": "SF9BW125", "codr": "4/5", "rssi": rssi, "lsnr": 6.2,
                  "size": len(heard), "data": b64encode(heard).decode()}  # fmt: skip
        self._send(_PUSH_DATA, json.dumps({"rxpk": [packet]}).encode())

    def _send(self, kind: int, rest: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(bytes([_VERSION]) + secrets.token_bytes(2) + bytes([kind]) + self._eui + rest)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens yet."""
