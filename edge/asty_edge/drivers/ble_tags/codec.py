"""What tags advertise. Sans-IO.

iBeacon: maker 0x004C, `02 15`, UUID (16), major, minor (big-endian), power. Eddystone: service FEAA; UID `00`, power, namespace (10),
instance (6), 2 reserved; TLM `20 00`, battery mV, temperature 8.8, adverts, uptime (big-endian). BTHome v2 is in bthome.py.
"""

import struct
from dataclasses import dataclass
from uuid import UUID

from asty_edge.drivers.framing import Bad, shown

APPLE = 0x004C
EDDYSTONE = "0000feaa-0000-1000-8000-00805f9b34fb"

_EMPTY_MV, _FULL_MV = 2000, 3000
"""A lithium coin cell: empty and full. Linear between, which is rough."""


@dataclass(frozen=True, slots=True)
class Uid:
    """An Eddystone tag says who it is: namespace and instance in hex."""

    identity: str


@dataclass(frozen=True, slots=True)
class Tlm:
    """An Eddystone tag says how it is: `battery` in %, None when it has none."""

    battery: float | None


def decode_ibeacon(data: bytes) -> str | Bad | None:
    """Return uuid/major/minor of an iBeacon's manufacturer data; None when Apple's data is something else."""
    if data[:2] != b"\x02\x15":
        return None
    if len(data) != 23:
        return Bad(f"an iBeacon of {len(data)} bytes, expected 23: {shown(data)}")
    major, minor = struct.unpack(">HH", data[18:22])
    return f"{UUID(bytes=data[2:18])}/{major}/{minor}"


def decode_eddystone(data: bytes) -> Uid | Tlm | Bad | None:
    """Read an Eddystone frame; None for those that say nothing here (URL, EID, encrypted TLM)."""
    if data[:1] == b"\x00":
        if len(data) not in (18, 20):  # the two reserved bytes may be left out
            return Bad(f"an Eddystone UID of {len(data)} bytes, expected 20: {shown(data)}")
        return Uid(f"{data[2:12].hex()}/{data[12:18].hex()}")
    if data[:2] == b"\x20\x00":
        if len(data) != 14:
            return Bad(f"an Eddystone TLM of {len(data)} bytes, expected 14: {shown(data)}")
        return Tlm(battery_of(int.from_bytes(data[2:4], "big")))
    return None


def battery_of(millivolts: int) -> float | None:
    """Return the % of a coin cell at `millivolts`; 0 mV means that the tag can't measure it."""
    if not millivolts:
        return None
    return float(max(0, min(100, round(100 * (millivolts - _EMPTY_MV) / (_FULL_MV - _EMPTY_MV)))))
