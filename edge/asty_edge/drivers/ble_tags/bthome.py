"""BTHome version 2. Sans-IO.

Service FCD2: an info byte (bit 0 encrypted, bits 5-7 version), then objects: an id and a little-endian value each. Encrypted: AES-CCM with
a tag of 4 bytes; nonce = address, D2 FC, info byte, counter; the counter and the tag stand at the end. Source: https://bthome.io/format
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from asty_edge.drivers.ble_tags.codec import battery_of
from asty_edge.drivers.framing import Bad, shown

BTHOME = "0000fcd2-0000-1000-8000-00805f9b34fb"

_BATTERY, _VOLTAGE, _MOVING = 0x01, 0x0C, 0x22
_LENGTHS = {
    1: "00 01 09 0F 10 11 15 16 17 18 19 1A 1B 1C 1D 1E 1F 20 21 22 23 24 25 26 27 28 29 2A 2B 2C 2D 2E 2F 3A 46 57 58 59 60",
    2: "02 03 06 07 08 0C 0D 0E 12 13 14 3C 3D 3F 40 41 43 44 45 47 48 49 4A 51 52 56 5A 5D 5E 5F 61 F0",
    3: "04 05 0A 0B 42 4B F2",
    4: "3E 4C 4D 4E 4F 50 55 5B 5C 62 63 F1",
}
"""Bytes of a value, by object id: what is not read must be stepped over. An id that is not here ends the reading."""
_LENGTH_OF = {number: length for length, numbers in _LENGTHS.items() for number in bytes.fromhex(numbers)}


@dataclass(frozen=True, slots=True)
class Vest:
    """What the tag says of itself: `battery` in %, `moving`; `counter` is None when it is not encrypted."""

    battery: float | None
    moving: bool | None
    counter: int | None


def decode(address: str, data: bytes, key: bytes | None) -> Vest | Bad:
    """Read the service data of the tag at `address`. With a key only what was encrypted with it is believed."""
    info = data[:1]
    if not info or info[0] >> 5 != 2:
        return Bad(f"not BTHome version 2: {shown(data)}")
    if not info[0] & 1:
        if key is not None:
            return Bad(f"{address} has a key but speaks in clear: another tag may pretend to be it")
        return _objects(data[1:], None)
    if key is None:
        return Bad(f"{address} is encrypted and has no key in the configuration")
    if len(data) < 9:
        return Bad(f"{len(data)} bytes are too few for an encrypted advertisement")
    counter = data[-8:-4]
    nonce = bytes.fromhex(address.replace(":", "")) + b"\xd2\xfc" + info + counter
    try:
        clear = AESCCM(key, tag_length=4).decrypt(nonce, data[1:-8] + data[-4:], None)
    except InvalidTag:
        return Bad(f"{address} is not authentic: wrong key, damaged or forged")
    return _objects(clear, int.from_bytes(counter, "little"))


def _objects(data: bytes, counter: int | None) -> Vest | Bad:
    values: dict[int, int] = {}
    at = 0
    while at < len(data) and (length := _LENGTH_OF.get(data[at])) is not None:
        if at + 1 + length > len(data):
            return Bad(f"a BTHome object is cut: {shown(data)}")
        values[data[at]] = int.from_bytes(data[at + 1 : at + 1 + length], "little")
        at += 1 + length
    battery, moving = values.get(_BATTERY), values.get(_MOVING)
    if (battery or 0) > 100 or (moving or 0) > 1:
        return Bad(f"battery {battery} %, moving {moving}: impossible")
    voltage = values.get(_VOLTAGE)
    percent = float(battery) if battery is not None else battery_of(voltage) if voltage is not None else None
    return Vest(percent, None if moving is None else bool(moving), counter)
