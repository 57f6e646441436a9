"""Datagrams of a packet forwarder and the LoRaWAN frames in them. Sans-IO.

Datagram, version 2: 02 · token 2 · kind · gateway EUI 8 · JSON {"rxpk":[{"data":base64,"rssi":-97,"stat":1}]}.
PUSH_DATA 00 is answered by PUSH_ACK 01, PULL_DATA 02 by PULL_ACK 04, each 02 · token · kind.
Source: github.com/Lora-net/packet_forwarder, PROTOCOL.TXT
Frame: MHDR · DevAddr 4 · FCtrl · FCnt 2 · FOpts · FPort · FRMPayload · MIC 4, little-endian. Source: LoRaWAN 1.0.4, chapter 4
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from asty_edge.drivers.framing import Bad, shown

_VERSION = 2
_PUSH_DATA, _PUSH_ACK, _PULL_DATA, _PULL_ACK = 0, 1, 2, 4
_UNCONFIRMED_UP, _CONFIRMED_UP = 0x40, 0x80
_WRAPS = 16
"""How often a 16-bit counter may have wrapped since a sensor was new, when its count is not known yet."""
_LOST = 16_384
"""The greatest jump of a counter: MAX_FCNT_GAP."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame as the radio heard it, with its strength in dBm."""

    frame: bytes
    rssi: float | None


@dataclass(frozen=True, slots=True)
class Datagram:
    """What a forwarder sent: the answer due, and the frames that it heard."""

    answer: bytes
    heard: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True)
class Keys:
    """The session of a sensor, 16 bytes each."""

    network: bytes
    application: bytes


@dataclass(frozen=True, slots=True)
class Uplink:
    """A frame that is authentic: the full counter, the port and the clear payload."""

    count: int
    port: int | None
    payload: bytes


def datagram(data: bytes) -> Datagram | Bad:
    """Read a datagram of a packet forwarder."""
    if len(data) < 12 or data[0] != _VERSION or data[3] not in (_PUSH_DATA, _PULL_DATA):
        return Bad(f"no datagram of a packet forwarder: {shown(data)}")
    if data[3] == _PULL_DATA:
        return Datagram(data[:3] + bytes([_PULL_ACK]))
    try:
        said = msgspec.json.decode(data[12:], type=dict[str, Any])
        return Datagram(data[:3] + bytes([_PUSH_ACK]), tuple(_frames(said.get("rxpk") or [])))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, binascii.Error, TypeError, AttributeError, ValueError) as error:
        return Bad(f"a forwarder's JSON can't be read: {error}")


def _frames(packets: list[dict[str, Any]]) -> Iterator[Heard]:
    for packet in packets:
        if packet.get("stat", 1) == 1 and isinstance(packet.get("data"), str):  # of another state its checksum failed on the air
            rssi = packet.get("rssi")
            yield Heard(b64decode(packet["data"], validate=True), float(rssi) if isinstance(rssi, int | float) else None)


def address(frame: bytes) -> str | None:
    """Return whose data frame it is, 8 upper-case hex digits; None for any other frame."""
    return frame[4:0:-1].hex().upper() if len(frame) >= 12 and frame[0] in (_UNCONFIRMED_UP, _CONFIRMED_UP) else None


def uplink(frame: bytes, keys: Keys, last: int | None) -> Uplink | Bad | None:
    """Check and decrypt a data frame; `last` is the newest counter so far. None when it was heard before."""
    short = int.from_bytes(frame[6:8], "little")
    body, mic = frame[:-4], frame[-4:]
    if last is None:
        counts = [wraps << 16 | short for wraps in range(_WRAPS)]
    else:
        ahead = (short - last) & 0xFFFF
        counts = [last + ahead if ahead <= _LOST else short]
    count = next((count for count in counts if _mic(body, keys.network, count) == mic), None)
    if count is None:
        return Bad(f"{address(frame)} is not authentic: wrong key, damaged or forged")
    if last is not None and count <= last:
        return (
            None
            if count == last
            else Bad(f"{address(frame)} counts {count} after {last}: sent again by another, or its counter began anew")
        )
    at = 8 + (body[5] & 0x0F)
    if at >= len(body):
        return Uplink(count, None, b"")
    return Uplink(count, body[at], _crypt(body[at + 1 :], keys.network if body[at] == 0 else keys.application, body[1:5], count))


def _mic(body: bytes, key: bytes, count: int) -> bytes:
    block = b"\x49" + bytes(5) + body[1:5] + count.to_bytes(4, "little") + b"\0" + bytes([len(body)])
    code = CMAC(algorithms.AES(key))
    code.update(block + body)
    return code.finalize()[:4]


def _crypt(payload: bytes, key: bytes, device: bytes, count: int) -> bytes:
    blocks = b"".join(
        b"\x01" + bytes(5) + device + count.to_bytes(4, "little") + b"\0" + bytes([n + 1]) for n in range((len(payload) + 15) // 16)
    )
    stream = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(blocks)  # noqa: S305  LoRaWAN builds its counter mode of them
    return bytes(a ^ b for a, b in zip(payload, stream, strict=False))
