"""Frames of 125 kHz readers. Sans-IO.

STX · 10 hex digits · 2 hex digits, the XOR of the five bytes · then ETX (RDM6300, 14 bytes) or CR LF ETX (ID-12, 16 bytes).
"""

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor

from asty_edge.drivers.framing import Bad, before, shown

RDM6300_BYTES = 14
ID12_BYTES = 16
_STX = b"\x02"
_ETX = b"\x03"
_ID12_END = b"\r\n\x03"
_HEX = re.compile(rb"[0-9A-F]{12}")


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: `identity` is its 40 bits as 10 upper-case hex digits."""

    identity: str


def decode(buffer: bytes) -> tuple[int, Tag | Bad | None]:
    """Cut the next frame of either framing."""
    skipped, noise = before(buffer, _STX)
    if skipped or not buffer:
        return skipped, noise
    if len(buffer) < RDM6300_BYTES:
        return 0, None
    if buffer[13:14] == _ETX:
        used = RDM6300_BYTES
    elif buffer[13:14] != _ID12_END[:1]:
        return 1, Bad(f"not the shape of an RDM6300 or ID-12 frame: {shown(buffer[:RDM6300_BYTES])}")
    elif len(buffer) < ID12_BYTES:
        return 0, None
    elif buffer[13:ID12_BYTES] == _ID12_END:
        used = ID12_BYTES
    else:
        return 1, Bad(f"not the end of an ID-12 frame: {shown(buffer[:ID12_BYTES])}")
    digits = buffer[1:13]
    if _HEX.fullmatch(digits) is None:
        return 1, Bad(f"not hex digits: {shown(digits)}")
    *content, check = bytes.fromhex(digits.decode())
    if reduce(xor, content) != check:
        return 1, Bad(f"checksum {check:02X}, computed {reduce(xor, content):02X}")
    if not any(content):
        return used, Bad("a tag of zeros")
    return used, Tag(digits[:10].decode())
