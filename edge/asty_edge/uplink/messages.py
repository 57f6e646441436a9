"""The bytes of what travels: packs from held records, births, states; acknowledgements and commands."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec
from asty_contracts.envelope import CBOR, JSON, Pack, Record, encode
from asty_contracts.life import Ack, Birth, Command, State

from asty_edge.event import Held

Encoding = Literal["json", "cbor"]
CONTENT_TYPES: dict[Encoding, str] = {"json": JSON, "cbor": CBOR}

_encode = msgspec.json.encode
_acks = msgspec.json.Decoder(Ack)
_commands = msgspec.json.Decoder(Command)


def pack_bytes(epoch: UUID, held: Sequence[Held], *, historical: bool, encoding: Encoding) -> bytes:
    """Write held records as one pack."""
    records = [Record(s=one.s, t=one.t, k=one.k, d=msgspec.Raw(one.d), mono=one.mono, tq=one.tq) for one in held]
    return encode(Pack(ep=epoch, recs=records, h=historical), CONTENT_TYPES[encoding])


def birth_bytes(birth: Birth) -> bytes:
    """Write a birth."""
    return _encode(birth)


def state_bytes(state: State) -> bytes:
    """Write a state."""
    return _encode(state)


def read_ack(payload: bytes) -> Ack | None:
    """Read an acknowledgement; None when it is none."""
    try:
        return _acks.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def read_command(payload: bytes) -> Command | None:
    """Read a command; None when it is none, or one that this version does not know."""
    try:
        return _commands.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
