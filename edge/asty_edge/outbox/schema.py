"""The file's tables, how a connection is opened so that a commit is on the disk, and the checksums that tell a flipped bit.

SQLite checks structure, not content: without a checksum of its own, a record whose bits a worn flash has changed would be sent as true.
"""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4
from zlib import crc32

from asty_edge.event import Held
from asty_edge.outbox.version import bring_forward, mark, refuse_newer

ROW_OVERHEAD = 48
"""Bytes counted for a record besides its data: rowid, times, kind and cell headers."""

SIZE = f"LENGTH(d) + {ROW_OVERHEAD}"

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    s INTEGER PRIMARY KEY, t INTEGER NOT NULL, mono INTEGER NOT NULL, tq TEXT NOT NULL, k TEXT NOT NULL, d BLOB NOT NULL, c INTEGER
);
CREATE TABLE IF NOT EXISTS lifts (s INTEGER PRIMARY KEY, t INTEGER NOT NULL, d BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS identity (epoch TEXT PRIMARY KEY, c INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS damaged (s INTEGER, t, mono, tq, k, d, c);
CREATE TABLE IF NOT EXISTS refused (s INTEGER, t, mono, tq, k, d, c);
"""

COLUMNS = "s, t, mono, tq, k, d, c"

_SUM = "sum"
_NEEDED = frozenset({"epoch", "head", "acked"})

Meta = dict[str, str | int]
"""epoch, head, acked, session, last_lift (its hash), thinned (upper end), given_up (count)."""
_FRESH: Meta = {"head": 0, "acked": 0, "session": 0, "last_lift": "", "thinned": 0, "given_up": 0}


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the file. Raises sqlite3.DatabaseError when it is no sound outbox, OutboxTooNewError when a later agent made it."""
    db = prepared(sqlite3.connect(path, isolation_level=None, timeout=5))
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 4194304")
        refuse_newer(db)
        _check_structure(db)
        db.executescript(_TABLES)
        bring_forward(db)
        _check_shape(db)
        _complete(db)
        mark(db)
    except UnicodeDecodeError as error:  # in the text of SQLite's own complaint
        db.close()
        raise sqlite3.DatabaseError(f"malformed schema: {error.object!r}") from error
    except BaseException:
        db.close()
        raise
    return db


def prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    """Let damaged text be read as it is, instead of raising an error that looks like a full disk."""
    db.text_factory = lambda text: text.decode(errors="surrogateescape")
    return db


def _check_structure(db: sqlite3.Connection) -> None:
    if (verdict := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise sqlite3.DatabaseError(verdict)


def _check_shape(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM damaged WHERE 0")  # fails when a damaged header forbids writing
    if _shape(db) != _expected_shape():
        raise sqlite3.DatabaseError("the tables are not the outbox's")


def _shape(db: sqlite3.Connection) -> dict[str, str]:
    return {str(name): "".join(str(text).split()) for name, text in db.execute("SELECT name, sql FROM sqlite_schema")}


@cache
def _expected_shape() -> dict[str, str]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_TABLES)
        return _shape(db)


def _complete(db: sqlite3.Connection) -> None:
    """Check what the file knows of itself, and add what is new in this version, or everything to a new file."""
    found: dict[str, Any] = dict(db.execute("SELECT key, value FROM meta"))
    if found and not is_sound(found):
        raise sqlite3.DatabaseError("the outbox's own numbers fail their checksum")
    (highest,) = db.execute("SELECT COALESCE(MAX(s), 0) FROM records").fetchone()
    if found and highest > int(found["head"]):
        raise sqlite3.DatabaseError(f"record {highest} has a number that was never given")
    if not found.keys() >= {*_FRESH, _SUM}:
        db.execute("BEGIN IMMEDIATE")
        write_meta(db, {"epoch": str(uuid4()), **_FRESH, **_known(found)})
        db.execute("COMMIT")


def is_sound(meta: dict[str, Any]) -> bool:
    """Tell whether a file's own numbers are what was written; without a checksum they are of an older version, and believed."""
    sum_ = _sum_of(meta)
    return meta.keys() >= _NEEDED and meta.get(_SUM, sum_) == sum_


def read_meta(db: sqlite3.Connection) -> Meta:
    """Read what the file knows of itself."""
    return _known(dict(db.execute("SELECT key, value FROM meta")))


def _known(found: dict[str, Any]) -> Meta:
    return {key: value for key, value in found.items() if key == "epoch" or key in _FRESH}


def write_meta(db: sqlite3.Connection, meta: Meta) -> None:
    """Write all of it back, and its checksum; the epoch also where a damaged page of these numbers does not reach it."""
    rows = {**_known(meta), _SUM: _sum_of(meta)}
    db.executemany("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", rows.items())
    epoch = str(meta["epoch"])
    if db.execute("SELECT epoch FROM identity").fetchall() != [(epoch,)]:
        db.execute("DELETE FROM identity")
        db.execute("INSERT INTO identity VALUES (?, ?)", (epoch, crc32(epoch.encode())))


def read_identity(db: sqlite3.Connection) -> str | None:
    """Read the epoch's second copy; None when there is none, or no sound one."""
    for epoch, c in db.execute("SELECT epoch, c FROM identity"):
        if isinstance(epoch, str) and crc32(epoch.encode(errors="surrogateescape")) == c:
            return epoch
    return None


def row_of(held: Held) -> tuple[Any, ...]:
    """Return a record's columns, with its checksum."""
    return held.s, held.t, held.mono, held.tq, held.k, held.d, _checksum(held.s, held.t, held.mono, held.tq, held.k, held.d)


def held_of(row: tuple[Any, ...]) -> Held | None:
    """Return the record of a row, or None when it is not what was written; without a checksum it is of an older version, and believed."""
    *values, c = row
    if c is None:
        return Held(*values) if all(isinstance(value, kind) for value, kind in zip(values, _TYPES, strict=True)) else None
    if not isinstance(values[5], bytes) or c != _checksum(*values):
        return None
    return Held(*values)


_TYPES = (int, int, int, str, str, bytes)


def _checksum(s: int, t: int, mono: int, tq: str, k: str, d: bytes) -> int:
    return crc32(d, crc32(f"{s} {t} {mono} {tq} {k} ".encode(errors="surrogateescape")))


def _sum_of(meta: dict[str, Any]) -> int:
    said = "\n".join(f"{key}={value!r}" for key, value in sorted(_known(meta).items()))
    return crc32(said.encode(errors="surrogateescape"))
