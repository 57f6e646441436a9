"""RFID readers on a serial line: ISO 11784 tags (WL-134, TIRIS/Allflex) and 125 kHz EM4100 tags (RDM6300, ID-12)."""

from functools import reduce
from operator import xor
from pathlib import Path
from typing import Literal

from asty_firmware_sim.devices.serial_port import SerialPort

REPEAT = 3
"""How often a reader says the same tag while it lies in the field."""


def wl134_frame(raw: int) -> bytes:
    """Encode an ISO 11784 value as the 30 bytes of a WL-134.

    `raw` holds bits 0-37 national id, 38-47 country, 48 data flag, 49-62 reserved, 63 animal flag. Fields are sent in
    hex with the lowest digit first; the check is the XOR of bytes 1 to 26, then its complement.
    """
    fields = (
        _low_digit_first(raw & (1 << 38) - 1, 10)
        + _low_digit_first(raw >> 38 & 0x3FF, 4)
        + f"{raw >> 48 & 1}{raw >> 63 & 1}"
        + _low_digit_first(raw >> 49 & 0x3FFF, 4)
        + "000000"
    ).encode()
    check = reduce(xor, fields)
    return b"\x02" + fields + bytes((check, check ^ 0xFF)) + b"\x03"


def tiris_frame(raw: int) -> bytes:
    """Encode country and national id of an ISO 11784 value as a TIRIS line; that line has no room for the flags."""
    return f"LA {raw >> 38 & 0x3FF:03d} {raw & (1 << 38) - 1:012d}\r\n".encode()


def em4100_frame(tag: str, dialect: Literal["rdm6300", "id12"]) -> bytes:
    """Encode 10 hex digits with the XOR of their 5 bytes. Raises ValueError when `tag` is anything else."""
    number = bytes.fromhex(tag)
    if len(number) != 5 or len(tag) != 10:
        raise ValueError(f"an EM4100 tag has 10 hex digits, not {tag!r}")
    text = f"{tag.upper()}{reduce(xor, number):02X}".encode()
    return b"\x02" + text + (b"\r\n" if dialect == "id12" else b"") + b"\x03"


class Wl134(SerialPort):
    """A WL-134 module, 9600 8N2."""

    def read(self, raw: int, repeat: int = REPEAT) -> None:
        """Say that the tag with this 64-bit value lies in the field."""
        self.write(wl134_frame(raw) * repeat)


class Tiris(SerialPort):
    """A TIRIS/Allflex reader, 9600 8N1."""

    def read(self, raw: int, repeat: int = REPEAT) -> None:
        """Say that the tag with this 64-bit value lies in the field."""
        self.write(tiris_frame(raw) * repeat)


class Em4100(SerialPort):
    """A 125 kHz module, 9600 8N1."""

    def __init__(self, link: Path, dialect: Literal["rdm6300", "id12"] = "rdm6300") -> None:
        super().__init__(link)
        self.dialect = dialect

    def read(self, tag: str, repeat: int = REPEAT) -> None:
        """Say that the tag with these 10 hex digits lies in the field."""
        self.write(em4100_frame(tag, self.dialect) * repeat)


def _low_digit_first(value: int, digits: int) -> str:
    return f"{value:0{digits}X}"[::-1]
