"""The pack: how records travel from an edge, as JSON or as CBOR (RFC 8949)."""

from io import BytesIO
from typing import Any, Literal
from uuid import UUID

import cbor2
import msgspec
from msgspec import Raw, Struct, field

from asty_contracts import CONTRACT_VERSION
from asty_contracts.records import KIND_OF, KINDS, RecordData

JSON = "application/json"
CBOR = "application/cbor"
MAX_PACK_BYTES = 256 * 1024
MAX_RECORDS = 1000
"""What a reader accepts in one pack; a writer sends up to 100."""

TimeQuality = Literal["gnss", "ntp", "rtc", "none"]
Reason = Literal["malformed", "too_big", "unknown_version", "wrong_edge", "bad_topic"]


class PackRefusedError(Exception):
    """A pack that can't be taken, with the reason for which it is kept aside."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


class Record(Struct, frozen=True):
    """One record: `s` sequence in its outbox (from 1), `t` UTC ms, `mono` monotonic ms, `tq` source of the time, `k` kind, `d` its data."""

    s: int
    t: int
    k: str
    d: Raw
    mono: int = 0
    tq: str = "none"


class Pack(Struct, frozen=True):
    """Records of one outbox epoch `ep`; `h` marks the backlog lane."""

    ep: UUID
    recs: list[Record]
    v: int = CONTRACT_VERSION
    h: bool = False


class _Version(Struct):
    v: int = field(default=0)


_packs = msgspec.json.Decoder(Pack)
_versions = msgspec.json.Decoder(_Version)
_encode_json = msgspec.json.Encoder().encode


def encode_data(data: RecordData) -> tuple[str, bytes]:
    """Return the kind and the JSON bytes of a record's data."""
    return KIND_OF[type(data)], _encode_json(data)


def decode_data(kind: str, data: bytes | Raw) -> Struct | None:
    """Read the data of a known kind; None for a kind that this version does not know.

    Raises msgspec.ValidationError when the data does not fit its kind.
    """
    if (shape := KINDS.get(kind)) is None:
        return None
    return msgspec.json.decode(data, type=shape)


def encode(pack: Pack, content_type: str = JSON) -> bytes:
    """Write a pack as JSON or CBOR."""
    text = _encode_json(pack)
    if content_type == JSON:
        return text
    if content_type == CBOR:
        return cbor2.dumps(msgspec.json.decode(text))
    raise ValueError(f"no such encoding: {content_type}")


def decode(payload: bytes, content_type: str | None = None) -> Pack:
    """Read a pack; JSON unless the content type says CBOR.

    Raises PackRefusedError: too_big, malformed or unknown_version, and no other exception, whatever the bytes are.
    """
    if len(payload) > MAX_PACK_BYTES:
        raise PackRefusedError("too_big", f"{len(payload)} bytes, at most {MAX_PACK_BYTES}")
    if content_type == CBOR:
        payload = _json_of_cbor(payload)
    elif content_type not in (None, "", JSON):
        raise PackRefusedError("malformed", f"content type {content_type[:60]!r}")
    try:
        pack = _packs.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if (version := _version_of(payload)) not in (None, CONTRACT_VERSION):
            raise PackRefusedError("unknown_version", f"version {version}, this reader knows {CONTRACT_VERSION}") from error
        raise PackRefusedError("malformed", str(error)) from error
    if pack.v != CONTRACT_VERSION:
        raise PackRefusedError("unknown_version", f"version {pack.v}, this reader knows {CONTRACT_VERSION}")
    if len(pack.recs) > MAX_RECORDS:
        raise PackRefusedError("too_big", f"{len(pack.recs)} records, at most {MAX_RECORDS}")
    _check_ranges(pack)
    return pack


def _check_ranges(pack: Pack) -> None:
    seen: set[int] = set()
    for record in pack.recs:
        if not 1 <= record.s < 1 << 63:
            raise PackRefusedError("malformed", f"sequence {record.s} is outside 1..2^63-1")
        if not -(1 << 62) < record.t < 1 << 62:
            raise PackRefusedError("malformed", f"time {record.t} of sequence {record.s} is no time")
        if record.s in seen:
            raise PackRefusedError("malformed", f"sequence {record.s} twice in one pack")
        seen.add(record.s)


def _version_of(payload: bytes) -> int | None:
    try:
        return _versions.decode(payload).v
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _json_of_cbor(payload: bytes) -> bytes:
    stream = BytesIO(payload)
    try:
        value: Any = cbor2.CBORDecoder(stream, tag_hook=_refuse_tag).decode()
        text = _encode_json(value)
    except (cbor2.CBORError, RecursionError, MemoryError, OverflowError, ValueError, TypeError, UnicodeError) as error:
        raise PackRefusedError("malformed", f"CBOR: {error}") from error
    if stream.read(1):
        raise PackRefusedError("malformed", "bytes after the CBOR item")
    return text


def _refuse_tag(_decoder: object, tag: cbor2.CBORTag) -> object:
    raise PackRefusedError("malformed", f"CBOR tag {tag.tag} is not used here")
