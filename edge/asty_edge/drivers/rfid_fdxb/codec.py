"""Frames of FDX-B readers. Sans-IO.

wl134: 30 bytes: STX · 10 hex national id · 4 hex country · data flag · animal flag · 4 + 6 hex reserved, each field with its least
significant digit first · XOR of bytes 1-26 · its complement · ETX or BEL. Source: the WL-134 module's manual.
tiris: `LA 982 000123456789` and CR LF, country and national id in decimal; it has no check.
"""

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Literal

from asty_edge.drivers.framing import Bad, before, line, shown

WL134_BYTES = 30
TIRIS_LIMIT = 64
_STX = b"\x02"
_ENDS = b"\x03\x07"
_BODY = re.compile(rb"([0-9A-F]{10})([0-9A-F]{4})([01])([01])([0-9A-F]{4})[0-9A-F]{6}")
_TIRIS = re.compile(rb"LA (\d{3}) (\d{12})")


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: `bits` is the 64-bit value of ISO 11784, sent bit 0 first on air."""

    bits: int
    std: Literal["fdxb", "tiris"]

    @property
    def identity(self) -> str:
        """The 64 bits as 16 upper-case hex digits, most significant first."""
        return f"{self.bits:016X}"


def decode_wl134(buffer: bytes) -> tuple[int, Tag | Bad | None]:
    """Cut the next WL-134 frame."""
    skipped, noise = before(buffer, _STX)
    if skipped or not buffer:
        return skipped, noise
    if len(buffer) < WL134_BYTES:
        return 0, None
    frame = buffer[:WL134_BYTES]
    if (body := _BODY.fullmatch(frame[1:27])) is None or frame[29] not in _ENDS:
        return 1, Bad(f"not the shape of a WL-134 frame: {shown(frame)}")
    check = reduce(xor, frame[1:27])
    if frame[27] != check or frame[28] != check ^ 0xFF:
        return 1, Bad(f"checksum {frame[27]:02X} {frame[28]:02X}, computed {check:02X} {check ^ 0xFF:02X}")
    national, country, data, animal, reserved = (int(field[::-1], 16) for field in body.groups())
    return WL134_BYTES, _tag(national, country, data, reserved, animal, "fdxb")


def decode_tiris(buffer: bytes) -> tuple[int, Tag | Bad | None]:
    """Cut the next line of a TIRIS or Allflex reader."""
    used, text = line(buffer, TIRIS_LIMIT)
    if not isinstance(text, bytes):
        return used, text
    if (match := _TIRIS.fullmatch(text)) is None:
        return used, Bad(f"not the shape of a TIRIS line: {shown(text)}")
    return used, _tag(int(match[2]), int(match[1]), 0, 0, 0, "tiris")


def _tag(national: int, country: int, data: int, reserved: int, animal: int, std: Literal["fdxb", "tiris"]) -> Tag | Bad:
    if national >= 1 << 38 or country >= 1 << 10 or reserved >= 1 << 14:
        return Bad(f"national id {national}, country {country}, reserved {reserved}: more bits than ISO 11784 has for them")
    if not national:
        return Bad("a tag without a national id")
    return Tag(national | country << 38 | data << 48 | reserved << 49 | animal << 63, std)


DIALECTS = {"wl134": decode_wl134, "tiris": decode_tiris}
