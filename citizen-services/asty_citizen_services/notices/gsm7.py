"""What fits into a short message (3GPP TS 23.038): the alphabet of 7 bits, Greek in its capitals, and the parts of a long text. Pure."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = {"\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65}
"""Signs of two septets: an escape goes before them."""
ESCAPE = 0x1B
_SEPTETS = {sign: number for number, sign in enumerate(ALPHABET) if number != ESCAPE}
_TWINS = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX")
"""Greek capitals that look like Latin ones; Γ Δ Θ Λ Ξ Π Σ Φ Ψ Ω are in the alphabet."""
_PLAIN = str.maketrans(
    {"«": '"', "»": '"', "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "·": ".", "…": "...", "\u00a0": " "}
)
SINGLE, PART = 160, 153
WIDE_SINGLE, WIDE_PART = 70, 67
MOST_PARTS = 255


@dataclass(frozen=True, slots=True)
class Plan:
    """How a text goes out: `text` as the phone shows it, split into `parts`, each of which is paid for."""

    coding: Literal["gsm7", "ucs2"]
    text: str
    parts: tuple[str, ...]

    @property
    def segments(self) -> int:
        return len(self.parts)


def greek(text: str) -> str:
    """Write Greek words as short messages carry them: capitals without tonos, Latin twins where they look the same. Others stay."""
    out = []
    for sign in unicodedata.normalize("NFC", text).translate(_PLAIN):
        if _is_greek(sign) and sign not in ALPHABET:
            bare = "".join(part for part in unicodedata.normalize("NFD", sign) if unicodedata.category(part) != "Mn")
            out.append(bare.upper().translate(_TWINS))
        else:
            out.append(sign)
    return "".join(out)


def plan(text: str) -> Plan:
    """Split a text into its parts: 160 or 153 septets each where the alphabet has all of it, else 70 or 67 units of UTF-16.

    Neither an escaped sign nor a surrogate pair is cut in two. Raises ValueError for more than 255 parts.
    """
    shown = greek(text)
    if all(sign in _SEPTETS or sign in EXTENDED for sign in shown):
        parts = _split(shown, SINGLE, PART, lambda sign: 2 if sign in EXTENDED else 1)
        found = Plan("gsm7", shown, parts)
    else:
        found = Plan("ucs2", text, _split(text, WIDE_SINGLE, WIDE_PART, lambda sign: 2 if ord(sign) > 0xFFFF else 1))
    if found.segments > MOST_PARTS:
        raise ValueError(f"a text of {found.segments} parts is too long for a short message: {MOST_PARTS} at most")
    return found


def encode(part: str, coding: Literal["gsm7", "ucs2"]) -> bytes:
    """Return a part as SMPP carries it: a septet an octet, or UTF-16 big-endian. Raises ValueError for a sign that the alphabet lacks."""
    if coding == "ucs2":
        return part.encode("utf-16-be")
    out = bytearray()
    for sign in part:
        if sign in EXTENDED:
            out += bytes((ESCAPE, EXTENDED[sign]))
        elif sign in _SEPTETS:
            out.append(_SEPTETS[sign])
        else:
            raise ValueError(f"{sign!r} is not in the alphabet of short messages")
    return bytes(out)


def decode(octets: bytes, coding: Literal["gsm7", "ucs2"]) -> str:
    """Return what a phone shows of a part. Raises ValueError."""
    if coding == "ucs2":
        return octets.decode("utf-16-be")
    shown, behind = [], {number: sign for sign, number in EXTENDED.items()}
    rest = iter(octets)
    for octet in rest:
        if octet > 0x7F:
            raise ValueError(f"{octet:#x} is no septet")
        shown.append(behind.get(next(rest, ESCAPE), " ") if octet == ESCAPE else ALPHABET[octet])
    return "".join(shown)


def _is_greek(sign: str) -> bool:
    return "\u0370" <= sign <= "\u03ff" or "\u1f00" <= sign <= "\u1fff"


def _split(text: str, single: int, part: int, width: Callable[[str], int]) -> tuple[str, ...]:
    if sum(map(width, text)) <= single:
        return (text,)
    parts, begun, used = [], 0, 0
    for at, sign in enumerate(text):
        if used + width(sign) > part:
            parts.append(text[begun:at])
            begun, used = at, 0
        used += width(sign)
    return (*parts, text[begun:])
