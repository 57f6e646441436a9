"""The payload of Milesight's EM310-UDL. Sans-IO.

Channels, each an id, a type and a little-endian value: 01 75 battery % · 03 82 distance mm · 04 00 position (1: tilted).
FF …: what the device is. Source: github.com/Milesight-IoT/SensorDecoders, em-series/em310-udl
"""

from dataclasses import dataclass

from asty_edge.drivers.framing import Bad, shown

PORT = 85
_BATTERY, _DISTANCE, _POSITION = b"\x01\x75", b"\x03\x82", b"\x04\x00"
_LENGTHS = {_BATTERY: 1, _DISTANCE: 2, _POSITION: 1} | {
    bytes([0xFF, kind]): length for kind, length in ((1, 1), (9, 2), (10, 2), (255, 2), (0x16, 8), (0x0F, 1), (0xFE, 1), (0x0B, 1))
}


@dataclass(frozen=True, slots=True)
class Echo:
    """What the sensor says: `mm` to what lies below, `battery` in %, `tilted`; None where it does not say."""

    mm: int | None = None
    battery: int | None = None
    tilted: bool | None = None


def decode(payload: bytes) -> Echo | Bad:
    """Read a payload; a channel that is not known ends the reading."""
    values: dict[bytes, int] = {}
    at = 0
    while at < len(payload) and (length := _LENGTHS.get(payload[at : at + 2])) is not None:
        if at + 2 + length > len(payload):
            return Bad(f"a channel is cut: {shown(payload)}")
        values[payload[at : at + 2]] = int.from_bytes(payload[at + 2 : at + 2 + length], "little")
        at += 2 + length
    battery, position = values.get(_BATTERY), values.get(_POSITION)
    if (battery or 0) > 100 or (position or 0) > 1:
        return Bad(f"battery {battery} %, position {position}: impossible")
    return Echo(values.get(_DISTANCE), battery, None if position is None else bool(position))
