"""The file's tables, and how a connection is opened so that a commit is on the disk."""

import sqlite3
from pathlib import Path
from uuid import uuid4

ROW_OVERHEAD = 48
"""Bytes counted for a record besides its data: rowid, times, kind and cell headers."""

SIZE = f"LENGTH(d) + {ROW_OVERHEAD}"

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    s INTEGER PRIMARY KEY, t INTEGER NOT NULL, mono INTEGER NOT NULL, tq TEXT NOT NULL, k TEXT NOT NULL, d BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS lifts (s INTEGER PRIMARY KEY, t INTEGER NOT NULL, d BLOB NOT NULL);
"""

Meta = dict[str, str | int]


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the file. Raises sqlite3.DatabaseError when it is no sound database."""
    db = sqlite3.connect(path, isolation_level=None, timeout=5)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 4194304")
        _check(db)
        db.executescript(_TABLES)
        fresh: Meta = {"epoch": str(uuid4()), "head": 0, "acked": 0, "session": 0, "last_lift": "", "thinned": 0, "given_up": 0}
        db.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", fresh.items())
    except BaseException:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection) -> None:
    if (verdict := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise sqlite3.DatabaseError(verdict)


def read_meta(db: sqlite3.Connection) -> Meta:
    """Read what the file knows of itself: epoch, head, acked, session, last_lift, thinned (upper end), given_up (count)."""
    return dict(db.execute("SELECT key, value FROM meta"))


def write_meta(db: sqlite3.Connection, meta: Meta) -> None:
    """Write all of it back."""
    db.executemany("UPDATE meta SET value = ? WHERE key = ?", [(value, key) for key, value in meta.items()])
