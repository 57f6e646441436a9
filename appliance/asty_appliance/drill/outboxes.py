"""What a drill does to an outbox file of a stopped edge, and what it finds in one: SQLite, read without the agent's code."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from uuid import UUID

from msgspec import Struct

SUFFIXES = ("", "-wal", "-shm")


class Destroyed(Struct, frozen=True):
    """Records that were in an outbox when it was destroyed: the only ones that may be missing afterwards."""

    edge: str
    ep: UUID
    sequences: tuple[int, ...]


class Flip(Struct, frozen=True):
    """The bit that was flipped: in which file, at which byte, which bit."""

    edge: str
    file: str
    byte: int
    bit: int


def delete(folder: Path) -> Destroyed | None:
    """Delete the outbox in the folder; returns what it held, None when there was none."""
    path = folder / "outbox.db"
    held = _held(path, folder.name)
    for suffix in SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return held


def flip(folder: Path, chance: float) -> Flip | None:
    """Flip one bit of the outbox in the folder; `chance` in [0, 1) says where: its first half means the file, its second half the log."""
    path = folder / "outbox.db"
    log = path.with_name(path.name + "-wal")
    if chance >= 0.5 and log.exists() and log.stat().st_size:
        return _flip(folder.name, log, 2 * chance - 1)
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # else the log would cover what is flipped
    return _flip(folder.name, path, 2 * chance % 1)


def _flip(edge: str, path: Path, chance: float) -> Flip | None:
    if not path.exists() or not (size := path.stat().st_size):
        return None
    byte, bit = divmod(int(chance * size * 8), 8)
    with path.open("r+b") as file:
        file.seek(byte)
        old = file.read(1)[0]
        file.seek(byte)
        file.write(bytes([old ^ (1 << bit)]))
    return Flip(edge, path.name, byte, bit)


def _held(path: Path, edge: str) -> Destroyed | None:
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as db:
        (epoch,) = db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        held = tuple(s for (s,) in db.execute("SELECT s FROM records ORDER BY s"))
    return Destroyed(edge, UUID(epoch), held)
