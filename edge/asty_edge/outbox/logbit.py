"""Keeps a flipped bit in SQLite's write-ahead log from hiding what comes after it.

After a power cut the newest records lie in the log alone. SQLite reads it up to the first frame whose checksum fails and forgets the rest
without a word: for a torn write at its end that is right, for a flipped bit in its middle it would lose records that were committed, and
give their numbers out again. The checksum (https://www.sqlite.org/fileformat2.html#walformat) is linear modulo 2^32, so the difference
between the stored and the computed one tells which bits may have flipped. If it is one, it is set right. If it may be one of several (the
high bits of a word leave few traces), it is the one that put the page beyond the database's end; if there is none, the page stays as it is
under a checksum that fits, and the record's own checksum finds the damage. What no single bit explains is a torn write, and is left to
SQLite.
"""

import os
import struct
import sys
from pathlib import Path

_HEADER = 32
_FRAME_HEADER = 24
_LOW = 0xFFFFFFFF
_PAIR = struct.Struct("=II")
_PAGE_SIZES = frozenset(1 << power for power in range(9, 17))

Sums = tuple[int, int]
"""The two running checksums, unsigned 32 bits each; stored big-endian, computed over words in the machine's own order."""


def mend(path: Path) -> bool:
    """Mend a log file, if there is one; True when something had to be done. Raises OSError: then the file is as it was."""
    if not path.exists() or path.stat().st_size <= _HEADER:
        return False
    log = bytearray(path.read_bytes())
    if not correct(log):
        return False
    fresh = path.with_name(path.name + ".mended")
    with fresh.open("wb") as file:
        file.write(log)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return True


def correct(log: bytearray) -> bool:
    """Mend one flipped bit in the header and one in each frame, in place, up to where the log ends or is torn; True when there was one."""
    before = bytes(log)
    if _correct_header(log):
        _correct_frames(log)
    return log != before


def _correct_header(log: bytearray) -> bool:
    """Make the header fit its checksum and the first frame; False when no single bit does that."""
    if _header_fits(log):
        return True
    for bit in range(_HEADER * 8):
        _flip(log, bit)
        if _header_fits(log) and _first_frame_fits(log):
            return True
        _flip(log, bit)
    return False


def _header_fits(log: bytearray) -> bool:
    return _page(log) in _PAGE_SIZES and _sums(bytes(log[:24]), (0, 0)) == _stored(log, 24)


def _first_frame_fits(log: bytearray) -> bool:
    return (
        len(_frames(log)) > 0 and _has_salt(log, _HEADER) and _sums(_content(log, _HEADER), _stored(log, 24)) == _stored(log, _HEADER + 16)
    )


def _correct_frames(log: bytearray) -> None:
    old = new = _stored(log, 24)  # the checksums before this frame: as they were written, and as they are now
    for frame in _frames(log):
        stored = _stored(log, frame + 16)
        if not _has_salt(log, frame):
            at = _only_bit(bytes(log[16:24]), bytes(log[frame + 8 : frame + 16]))
            if at is None or _sums(_content(log, frame), old) != stored:
                return  # of an older generation of the log
            _flip(log, (frame + 8) * 8 + at)
        computed = _sums(_content(log, frame), old)
        if computed != stored:
            in_sums = _only_bit(struct.pack(">II", *computed), struct.pack(">II", *stored)) is not None
            in_content = _bits_behind(_content(log, frame), ((stored[0] - computed[0]) & _LOW, (stored[1] - computed[1]) & _LOW))
            if not in_sums and not in_content:
                return
            if in_sums and _next_frame_follows(log, frame, computed):
                stored = computed
            elif len(in_content) == 1 and not in_sums:
                _flip(log, _place(frame, in_content[0]))
            elif (in_place := _bit_that_misplaces(log, frame, old, stored)) is not None:
                _flip(log, frame * 8 + in_place)
        old, new = stored, _sums(_content(log, frame), new)
        log[frame + 16 : frame + 24] = struct.pack(">II", *new)


def _next_frame_follows(log: bytearray, frame: int, sums: Sums) -> bool:
    behind = frame + _FRAME_HEADER + _page(log)
    return behind in _frames(log) and _has_salt(log, behind) and _sums(_content(log, behind), sums) == _stored(log, behind + 16)


def _bit_that_misplaces(log: bytearray, frame: int, before: Sums, stored: Sums) -> int | None:
    """Find the bit of page number or size whose flip explains the checksum and brings a page back that lies beyond the database's end."""
    most = max((int.from_bytes(log[other + 4 : other + 8]) for other in _frames(log) if other != frame), default=0)
    content = bytearray(_content(log, frame))
    if max(int.from_bytes(content[:4]), int.from_bytes(content[4:8])) <= most:
        return None
    for bit in range(64):
        _flip(content, bit)
        if max(int.from_bytes(content[:4]), int.from_bytes(content[4:8])) <= most and _sums(bytes(content), before) == stored:
            return bit
        _flip(content, bit)
    return None


def _bits_behind(content: bytes, difference: Sums) -> list[int]:
    """Find the bits, two at most, whose flip may have made the difference: a change of a word grows by a rule with each pair after it."""
    found: list[int] = []
    first, second = (1, 1), (0, 1)  # what 1 more in the first and in the second word of a pair does to the sums, at the end of the content
    for pair in range(len(content) // 8 - 1, -1, -1):
        for word, effect in enumerate((first, second)):
            at = pair * 8 + word * 4
            value = int.from_bytes(content[at : at + 4], sys.byteorder)
            for bit in range(32):
                change = -(1 << bit) if value >> bit & 1 else 1 << bit
                if (effect[0] * change & _LOW, effect[1] * change & _LOW) == difference:
                    byte = bit // 8 if sys.byteorder == "little" else 3 - bit // 8
                    found.append((at + byte) * 8 + bit % 8)
                    if len(found) == 2:
                        return found
        first, second = _one_pair_later(first), _one_pair_later(second)
    return found


def _one_pair_later(effect: Sums) -> Sums:
    first = (effect[0] + effect[1]) & _LOW
    return first, (effect[1] + first) & _LOW


def _sums(content: bytes, before: Sums) -> Sums:
    first, second = before
    for low, high in _PAIR.iter_unpack(content):
        first = (first + low + second) & _LOW
        second = (second + high + first) & _LOW
    return first, second


def _page(log: bytearray) -> int:
    return int.from_bytes(log[8:12])


def _frames(log: bytearray) -> range:
    size = _FRAME_HEADER + _page(log)
    return range(_HEADER, len(log) - size + 1, size)


def _content(log: bytearray, frame: int) -> bytes:
    """Return what a frame's checksum covers: page number, size after commit, page."""
    return bytes(log[frame : frame + 8]) + bytes(log[frame + _FRAME_HEADER : frame + _FRAME_HEADER + _page(log)])


def _place(frame: int, bit: int) -> int:
    """Return where a bit of the content lies in the log."""
    return (frame if bit < 64 else frame + _FRAME_HEADER - 8) * 8 + bit


def _has_salt(log: bytearray, frame: int) -> bool:
    return log[frame + 8 : frame + 16] == log[16:24]


def _stored(log: bytearray, at: int) -> Sums:
    return int.from_bytes(log[at : at + 4]), int.from_bytes(log[at + 4 : at + 8])


def _only_bit(one: bytes, other: bytes) -> int | None:
    """Return the one bit in which they differ, or None."""
    differing = [(at, a ^ b) for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(differing) != 1 or differing[0][1].bit_count() != 1:
        return None
    at, difference = differing[0]
    return at * 8 + difference.bit_length() - 1


def _flip(log: bytearray, bit: int) -> None:
    log[bit // 8] ^= 1 << bit % 8
