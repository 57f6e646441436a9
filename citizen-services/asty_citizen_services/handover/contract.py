"""What goes over the wire, and how it is signed. docs/handover.md is its description for vendors. Pure."""

import hashlib
import hmac
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

SIGNATURE = "asty-signature"
KEY = "idempotency-key"
TOLERANCE = 300
"""Seconds by which clocks may differ, and for which a call may be on its way."""


class File(Struct, frozen=True):
    """One file of an entry: its bytes follow by a call of their own."""

    id: str
    name: str
    media_type: str
    sha256: str


class Entry(Struct, frozen=True):
    """An entry of our protocol. `procedure`, `answers` and `case` are empty for a paper that no case belongs to."""

    id: str
    reference: str
    direction: Literal["in", "out"]
    at: datetime
    issuer: str
    subject: str
    department: str
    case: str
    procedure: str
    answers: dict[str, Any]
    files: tuple[File, ...]


class Event(Struct, frozen=True):
    """What the document system tells us: it `registered` an entry under its number, `routed` its case to another department,
    or asks for a number of our protocol for a paper that was `filed` there."""

    id: str
    kind: Literal["registered", "routed", "filed"]
    docket: str = ""
    number: str = ""
    department: str = ""
    reason: str = ""
    subject: str = ""
    sha256: str = ""


def sign(secret: str, body: bytes, seconds: int) -> str:
    """Return the header's value: `t` is the UNIX time, `v1` the HMAC-SHA256 of `t.body`, hex."""
    mark = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={mark}"


def is_signed(secret: str, body: bytes, given: str, seconds: int) -> bool:
    """Tell whether a body was signed with the secret, lately."""
    said = dict(part.partition("=")[::2] for part in given.split(","))
    at = said.get("t", "")
    if not (at.isascii() and at.isdigit() and len(at) < 13) or abs(int(at) - seconds) > TOLERANCE:
        return False
    return hmac.compare_digest(sign(secret, body, int(at)).encode(), given.encode())
