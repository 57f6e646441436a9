"""CBOR (RFC 8949) of what JSON can say: no tags, no byte strings. Checked before it is decoded, since tags can unfold
a few kilobytes into gigabytes (shared references, string references) or run code of a library (regular expressions)."""

import cbor2
import msgspec

MAX_DEPTH = 64

_BYTES, _TEXT, _ARRAY, _MAP, _TAG = 2, 3, 4, 5, 6  # major types
_BREAK = 0xFF
_UNTIL_BREAK = -1
_encode_json = msgspec.json.Encoder().encode


class CborError(ValueError):
    """Not a CBOR item that has a JSON form; says why."""


def to_json(data: bytes) -> bytes:
    """Write one CBOR item as JSON; NaN and infinities become null. Raises CborError, whatever the bytes are."""
    check(data)
    try:
        return _encode_json(cbor2.loads(data))
    except (cbor2.CBORError, msgspec.MsgspecError, RecursionError, OverflowError, ValueError, TypeError) as error:
        raise CborError(str(error)) from error


def of_json(text: bytes) -> bytes:
    """Write JSON as CBOR. Raises msgspec.DecodeError when it is none."""
    return cbor2.dumps(msgspec.json.decode(text))


def check(data: bytes) -> None:
    """Raise CborError unless `data` is one complete item, without tags and byte strings, at most MAX_DEPTH deep, with true lengths."""
    at, size = 0, len(data)
    pending = [1]  # in each open container: how many items are to come
    while pending:
        if pending[-1] == 0:
            pending.pop()
        elif at >= size:
            raise CborError("it ends early")
        elif data[at] == _BREAK:
            at += 1
            if pending.pop() != _UNTIL_BREAK:
                raise CborError("a break outside of an indefinite length")
        else:
            if pending[-1] > 0:
                pending[-1] -= 1
            major, length, at = _head(data, at)
            if major == _TEXT and length >= 0:
                at += length
            elif major in (_TEXT, _ARRAY, _MAP):
                pending.append(_items(major, length, room=size - at))
            if len(pending) > MAX_DEPTH:
                raise CborError(f"nested more than {MAX_DEPTH} deep")
    if at != size:
        raise CborError("it ends early" if at > size else "bytes after the item")


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Return major type, argument and where the next byte lies (RFC 8949, section 3); the argument of simple values means nothing here."""
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if major == _TAG:
        raise CborError("a tag")
    if major == _BYTES:
        raise CborError("a byte string")
    if info < 24:
        return major, info, at
    if info < 28:
        width = 1 << (info - 24)
        return major, int.from_bytes(data[at : at + width]), at + width
    if info == 31 and major in (_TEXT, _ARRAY, _MAP):
        return major, _UNTIL_BREAK, at
    raise CborError("an initial byte that means nothing")


def _items(major: int, length: int, room: int) -> int:
    if length == _UNTIL_BREAK:
        return length
    items = length * 2 if major == _MAP else length
    if items > room:
        raise CborError("a container longer than the message")
    return items
