"""The pack: how records travel from an edge, as JSON or as CBOR (RFC 8949)."""

from typing import Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from asty_contracts import CONTRACT_VERSION, cbor
from asty_contracts.records import KIND_OF, KINDS, RecordData

JSON = "application/json"
CBOR = "application/cbor"
MAX_PACK_BYTES = 256 * 1024
"""Of a message, as sent and as JSON."""
MAX_RECORDS = 1000
"""What a reader accepts in one pack; a writer sends up to 100."""
CLAIM_BYTES = 4 * MAX_PACK_BYTES
"""Beyond it a refused pack is not looked into."""
CLAIM_RANGES = 1000
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""What is a time at all, UTC ms: the years 1 to 9999. Whether it is plausible is judged where it is stored."""

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


class Claim(NamedTuple):
    """What a pack that can't be taken says of itself: its epoch and the inclusive ranges of its sequences."""

    ep: UUID
    ranges: tuple[tuple[int, int], ...]


class _Version(Struct):
    v: int | None = None


class _Numbered(Struct):
    s: int


class _Claiming(Struct):
    ep: UUID
    recs: list[_Numbered]


_packs = msgspec.json.Decoder(Pack)
_versions = msgspec.json.Decoder(_Version)
_claims = msgspec.json.Decoder(_Claiming)
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
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise msgspec.ValidationError(str(error)) from error


def encode(pack: Pack, content_type: str = JSON) -> bytes:
    """Write a pack as JSON or CBOR."""
    text = _encode_json(pack)
    if content_type == JSON:
        return text
    if content_type == CBOR:
        return cbor.of_json(text)
    raise ValueError(f"no such encoding: {content_type}")


def json_text(payload: bytes, content_type: str | None = None) -> bytes:
    """Return the message as UTF-8 text that should be JSON: untouched, or rewritten when the content type says CBOR.

    Raises PackRefusedError: too_big or malformed, and no other exception, whatever the bytes are.
    """
    if len(payload) > MAX_PACK_BYTES:
        raise PackRefusedError("too_big", f"{len(payload)} bytes, at most {MAX_PACK_BYTES}")
    essence = essence_of(content_type)
    if essence == CBOR:
        try:
            payload = cbor.to_json(payload)
        except cbor.CborError as error:
            raise PackRefusedError("malformed", f"CBOR: {error}") from error
        if len(payload) > MAX_PACK_BYTES:
            raise PackRefusedError("too_big", f"{len(payload)} bytes as JSON, at most {MAX_PACK_BYTES}")
    elif essence != JSON:
        raise PackRefusedError("malformed", f"content type {essence[:60]!r} is neither {JSON} nor {CBOR}")
    try:
        payload.decode()  # what is kept raw (`d`, unknown fields) is not looked at again before it is stored
    except UnicodeDecodeError as error:
        raise PackRefusedError("malformed", str(error)) from error
    return payload


def decode(payload: bytes, content_type: str | None = None) -> Pack:
    """Read a pack; JSON unless the content type says CBOR.

    Raises PackRefusedError: too_big, malformed or unknown_version, and no other exception, whatever the bytes are.
    """
    return decode_json(json_text(payload, content_type))


def decode_json(text: bytes) -> Pack:
    """Read a pack from what `json_text` gave. Raises PackRefusedError as `decode` does."""
    try:
        pack = _packs.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if (version := _version_of(text)) not in (None, CONTRACT_VERSION):
            raise PackRefusedError("unknown_version", _unknown(version)) from error
        raise PackRefusedError("malformed", str(error)) from error
    if pack.v != CONTRACT_VERSION:
        raise PackRefusedError("unknown_version", _unknown(pack.v))
    if len(pack.recs) > MAX_RECORDS:
        raise PackRefusedError("too_big", f"{len(pack.recs)} records, at most {MAX_RECORDS}")
    _check_records(pack)
    return pack


def claim(payload: bytes, content_type: str | None = None) -> Claim | None:
    """Read the epoch and the sequences of a pack that is refused, so that its edge can be told; None where they can't be read.

    Raises nothing, whatever the bytes are.
    """
    if len(payload) > CLAIM_BYTES:
        return None
    try:
        text = cbor.to_json(payload) if essence_of(content_type) == CBOR else payload
        said = _claims.decode(text)
    except (cbor.CborError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    ranges: list[tuple[int, int]] = []
    for s in sorted({record.s for record in said.recs if 1 <= record.s < 1 << 63}):
        if ranges and s == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], s)
        else:
            ranges.append((s, s))
    return Claim(said.ep, tuple(ranges)) if 0 < len(ranges) <= CLAIM_RANGES else None


def essence_of(content_type: str | None) -> str:
    """Return the media type without its parameters; JSON where none is named."""
    return (content_type or JSON).partition(";")[0].strip().lower()


def _unknown(version: object) -> str:
    return f"version {version}, this reader knows {CONTRACT_VERSION}"


def _check_records(pack: Pack) -> None:
    seen: set[int] = set()
    for record in pack.recs:
        if not 1 <= record.s < 1 << 63:
            raise PackRefusedError("malformed", f"sequence {record.s} is outside 1..2^63-1")
        if record.s in seen:
            raise PackRefusedError("malformed", f"sequence {record.s} twice in one pack")
        if not FIRST_MS <= record.t <= LAST_MS:
            raise PackRefusedError("malformed", f"time {record.t} of sequence {record.s} is no time")
        if not 0 <= record.mono < 1 << 63:
            raise PackRefusedError("malformed", f"monotonic time {record.mono} of sequence {record.s} is outside 0..2^63-1")
        if not (_is_word(record.k, 64) and _is_word(record.tq, 16)):
            raise PackRefusedError("malformed", f"kind or time quality of sequence {record.s} is no word")
        seen.add(record.s)


def _is_word(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isprintable()


def _version_of(payload: bytes) -> int | None:
    try:
        return _versions.decode(payload).v
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
