"""Frames of weighing indicators. Sans-IO.

st_gs: `ST,GS,+  12.50kg` and CR LF: ST stable, US unstable, OL out of range; GS gross, NT net. No check.
toledo: 18 bytes: STX · SWA · SWB · SWC · weight (6) · tare (6) · CR · CHK. SWA bits 0-2: place of the decimal point. SWB bits: 0 net,
1 negative, 2 out of range, 3 motion, 4 kg. CHK: low 7 bits of minus the sum. Source: Mettler Toledo's continuous output.
mt_sics: answers to `SIR`: `S S 100.00 kg` stable, `S D …` dynamic, `S +` over, `S -` under, `S I` not now. No check.
"""

import re
from dataclasses import dataclass

from asty_edge.drivers.framing import Bad, before, line, shown

TOLEDO_BYTES = 18
LINE_LIMIT = 64
KG_PER_LB = 0.45359237
_STX = b"\x02"
_UNIT = {b"kg": 1.0, b"lb": KG_PER_LB}
_ST_GS = re.compile(rb"(ST|US),(GS|NT),([+-]?) *(\d{1,8}(?:\.\d{1,4})?) ?(kg|lb)")
_OL = re.compile(rb"OL,(?:GS|NT),[ -~]{0,24}")
_TOLEDO_DIGITS = re.compile(rb" {0,5}\d{1,6}")
_SICS = re.compile(rb"S ([SD]) +(-?)(\d{1,9}(?:\.\d{1,5})?) (kg|lb)")
_SICS_ANSWERS = {b"ES": "it does not know the command", b"ET": "it heard a broken command", b"EL": "it can't execute the command"}


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight: `kg` is None when out of range; `width` is the length of the line, None where a checksum stands for it."""

    kg: float | None
    stable: bool
    net: bool = False
    width: int | None = None


@dataclass(frozen=True, slots=True)
class NotNow:
    """The indicator can't weigh at this moment."""


def decode_st_gs(buffer: bytes) -> tuple[int, Weight | Bad | None]:
    """Cut the next `ST,GS` line."""
    used, text = line(buffer, LINE_LIMIT)
    if not isinstance(text, bytes):
        return used, text
    if _OL.fullmatch(text):
        return used, Weight(None, stable=False, net=text[3:5] == b"NT")
    if (match := _ST_GS.fullmatch(text)) is None:
        return used, Bad(f"not the shape of an ST,GS line: {shown(text)}")
    state, mode, sign, value, unit = match.groups()
    return used, Weight(_kg(sign, float(value), _UNIT[unit]), state == b"ST", mode == b"NT", len(text))


def decode_toledo(buffer: bytes) -> tuple[int, Weight | Bad | None]:
    """Cut the next frame of the Toledo continuous output."""
    skipped, noise = before(buffer, _STX)
    if skipped or not buffer:
        return skipped, noise
    if len(buffer) < TOLEDO_BYTES:
        return 0, None
    frame = buffer[:TOLEDO_BYTES]
    if frame[16] != 0x0D or max(frame) > 0x7F or not _TOLEDO_DIGITS.fullmatch(frame[4:10]) or not _TOLEDO_DIGITS.fullmatch(frame[10:16]):
        return 1, Bad(f"not the shape of a Toledo frame: {shown(frame)}")
    if sum(frame) & 0x7F:
        return 1, Bad(f"checksum {frame[17]:02X}, computed {-sum(frame[:17]) & 0x7F:02X}")
    swa, swb, swc = frame[1:4]
    if swc & 0x07:
        return TOLEDO_BYTES, Bad(f"unit {swc & 0x07} of status word C: set the indicator to kg or lb")
    net, stable = bool(swb & 0x01), not swb & 0x08
    if swb & 0x04:
        return TOLEDO_BYTES, Weight(None, stable=False, net=net)
    value = int(frame[4:10]) * 10.0 ** (2 - (swa & 0x07))
    kg = _kg(b"-" if swb & 0x02 else b"+", value, 1.0 if swb & 0x10 else KG_PER_LB)
    return TOLEDO_BYTES, Weight(kg, stable, net)


def decode_mt_sics(buffer: bytes) -> tuple[int, Weight | NotNow | Bad | None]:
    """Cut the next answer of an MT-SICS terminal."""
    used, text = line(buffer, LINE_LIMIT)
    if not isinstance(text, bytes):
        return used, text
    if text in (b"S +", b"S -"):
        return used, Weight(None, stable=False)
    if text == b"S I":
        return used, NotNow()
    if text in _SICS_ANSWERS:
        return used, Bad(f"the terminal answers {text.decode()}: {_SICS_ANSWERS[text]}")
    if (match := _SICS.fullmatch(text)) is None:
        return used, Bad(f"not the shape of an MT-SICS answer: {shown(text)}")
    state, sign, value, unit = match.groups()
    return used, Weight(_kg(sign, float(value), _UNIT[unit]), state == b"S", width=len(text))


def _kg(sign: bytes, value: float, unit: float) -> float:
    kg = round(value * unit, 4)
    return -kg if sign == b"-" and kg else kg


DIALECTS = {"st_gs": decode_st_gs, "toledo": decode_toledo, "mt_sics": decode_mt_sics}
