"""The tags in workers' vests: what each puts into one Bluetooth LE advertisement."""

import hashlib
import time
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

Advertisement = tuple[str, dict[int, bytes], dict[str, bytes]]
"""Address, manufacturer data by company, service data by 128-bit UUID."""

APPLE = 0x004C
EDDYSTONE = "0000feaa-0000-1000-8000-00805f9b34fb"
BTHOME = "0000fcd2-0000-1000-8000-00805f9b34fb"
TX_POWER = -59
"""dBm; iBeacon means it at 1 m, Eddystone at 0 m, where it is 41 dB more."""
EMPTY_MV = 2000
FULL_MV = 3000
"""A lithium coin cell, which TLM tells in mV."""
COUNTS_PER_SECOND = 8
COUNTED_SINCE = 1_735_689_600
"""2025-01-01. BTHome's 32 bits last 17 years from here."""


class Vest(Protocol):
    """A vest's tag."""

    @property
    def identity(self) -> str:
        """What the edge knows it by."""
        ...

    def advertisement(self, moving: bool, battery: float) -> Advertisement:
        """Say one advertisement; `battery` in %. A format says only what it has room for."""
        ...


class IBeacon:
    """Apple's format: an identity and nothing else. Raises ValueError for a UUID that is none."""

    def __init__(self, uuid: str, major: int, minor: int) -> None:
        self._uuid = UUID(uuid)
        self._numbers = major.to_bytes(2) + minor.to_bytes(2)
        self.identity = f"{self._uuid}/{major}/{minor}"
        self._address = _random_static(self.identity)

    def advertisement(self, moving: bool, battery: float) -> Advertisement:  # noqa: ARG002 - it has room for neither
        """Say who it is."""
        body = b"\x02\x15" + self._uuid.bytes + self._numbers + TX_POWER.to_bytes(1, signed=True)
        return self._address, {APPLE: body}, {}


class Eddystone:
    """Google's format: UID frames and TLM frames in turn. Raises ValueError unless the namespace has 20 hex digits and the instance 12."""

    def __init__(self, namespace: str, instance: str) -> None:
        self._uid = bytes.fromhex(namespace + instance)
        if len(namespace) != 20 or len(instance) != 12:
            raise ValueError(f"Eddystone has a namespace of 20 and an instance of 12 hex digits, not {namespace}/{instance}")
        self.identity = f"{namespace}/{instance}".lower()
        self._address = _random_static(self.identity)
        self._sent = 0

    def advertisement(self, moving: bool, battery: float) -> Advertisement:  # noqa: ARG002 - TLM has no room for moving
        """Say who it is and, every other time, its battery, 20 Cel, and how much it has said at one advertisement a second."""
        self._sent += 1
        if self._sent % 2:
            body = b"\x00" + (TX_POWER + 41).to_bytes(1, signed=True) + self._uid + b"\x00\x00"
        else:
            millivolts = round(EMPTY_MV + battery / 100 * (FULL_MV - EMPTY_MV))
            body = b"\x20\x00" + millivolts.to_bytes(2) + b"\x14\x00" + self._sent.to_bytes(4) + (self._sent * 10).to_bytes(4)
        return self._address, {}, {EDDYSTONE: body}


class BtHome:
    """BTHome v2: packet id, battery and moving; with a 16-byte key encrypted by AES-CCM under a counter that only grows.

    The counter starts from the machine's clock, so that a tag that comes back goes on from where it was. `mac` as AA:BB:CC:DD:EE:FF.
    """

    def __init__(self, mac: str, key: bytes | None = None, counter: int | None = None) -> None:
        self.identity = mac.upper()
        self._mac = bytes.fromhex(mac.replace(":", ""))
        if len(self._mac) != 6:
            raise ValueError(f"a Bluetooth address has 6 bytes, not {mac}")
        self._cipher = AESCCM(key, tag_length=4) if key is not None else None
        self._counter = int((time.time() - COUNTED_SINCE) * COUNTS_PER_SECOND) if counter is None else counter
        self._packet = 0

    def advertisement(self, moving: bool, battery: float) -> Advertisement:
        """Say the battery and whether it moves."""
        self._packet = (self._packet + 1) % 256
        objects = bytes((0x00, self._packet, 0x01, round(battery), 0x22, moving))
        if self._cipher is None:
            return self.identity, {}, {BTHOME: b"\x40" + objects}
        self._counter += 1
        return self.identity, {}, {BTHOME: bthome_sealed(self._cipher, self._mac, self._counter, objects)}


def bthome_sealed(cipher: AESCCM, mac: bytes, counter: int, objects: bytes) -> bytes:
    """Encrypt BTHome objects: info 0x41, cipher text, counter (little-endian), 4 bytes of check. https://bthome.io/encryption"""
    info, count = b"\x41", counter.to_bytes(4, "little")
    sealed = cipher.encrypt(mac + b"\xd2\xfc" + info + count, objects, None)
    return info + sealed[:-4] + count + sealed[-4:]


def _random_static(identity: str) -> str:
    """Derive a Bluetooth address; the two highest bits mark it as random and static."""
    number = bytearray(hashlib.sha256(identity.encode()).digest()[:6])
    number[0] |= 0xC0
    return number.hex(":").upper()
