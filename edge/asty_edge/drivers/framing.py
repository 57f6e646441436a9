"""From a stream of bytes to frames. A codec is a function of the bytes so far; here they are kept and cut."""

from collections.abc import Callable
from dataclasses import dataclass

from asty_edge.device import Counters

_BETWEEN = b"\r\n\0"
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Bad:
    """Bytes that are no frame, or a frame that can't be true, and why."""

    why: str


type Decode[F] = Callable[[bytes], tuple[int, F | Bad | None]]
"""How many bytes of the buffer are done with, and what they were. 0 means "read more", and is never said of a buffer that is full."""


class Deframer[F]:
    """Feeds a codec from chunks and counts what it finds."""

    def __init__(self, decode: Decode[F], counters: Counters) -> None:
        self._decode = decode
        self._counters = counters
        self._rest = b""

    def feed(self, chunk: bytes) -> list[F]:
        """Take the next bytes and return the frames that they complete."""
        buffer, start, frames = self._rest + chunk, 0, list[F]()
        while True:
            used, found = self._decode(buffer[start:])
            if isinstance(found, Bad):
                count_bad(self._counters, found)
            elif found is not None:
                self._counters.frames += 1
                frames.append(found)
            if not used:
                break
            start += used
        self._rest = buffer[start:]
        return frames

    @property
    def held(self) -> int:
        """How many bytes wait for more."""
        return len(self._rest)


def count_bad(counters: Counters, bad: Bad) -> None:
    """Count a bad frame and keep why."""
    counters.bad += 1
    counters.last_bad = bad.why


def before(buffer: bytes, start: bytes) -> tuple[int, Bad | None]:
    """Return how many bytes stand before the next `start` byte, and whether they are noise; line ends and NUL are not."""
    place = buffer.find(start)
    skipped = buffer if place < 0 else buffer[:place]
    return len(skipped), Bad(f"noise: {shown(skipped)}") if skipped.strip(_BETWEEN) else None


def line(buffer: bytes, limit: int) -> tuple[int, bytes | Bad | None]:
    """Cut the next line that ends in LF and return it without CR and LF; more than `limit` bytes without an end are bad."""
    end = buffer.find(b"\n", 0, limit)
    if end < 0:
        return (0, None) if len(buffer) < limit else (limit, Bad(f"no end of line in {limit} bytes: {shown(buffer)}"))
    text = buffer[:end].removesuffix(b"\r")
    return end + 1, text or None


def shown(data: bytes) -> str:
    """Return bytes as a person can read them in a log, cut to a bounded length."""
    return repr(data[:_SHOWN])[1:] + ("…" if len(data) > _SHOWN else "")
