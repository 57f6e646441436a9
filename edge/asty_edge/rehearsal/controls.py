"""What a drill may change while virtual edges run: one JSON file, replaced whole, looked at twice a second."""

from pathlib import Path

import msgspec
from msgspec import Struct


class Controls(Struct, frozen=True):
    """`produce`: make records; `clock_offset_s`: how wrong every clock is; `disk_full`: edges whose outbox may not grow."""

    produce: bool = True
    clock_offset_s: float = 0.0
    disk_full: tuple[str, ...] = ()


def read(path: Path) -> Controls:
    """Read the file; the defaults while there is none. Raises msgspec.DecodeError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Controls)
    except FileNotFoundError:
        return Controls()
