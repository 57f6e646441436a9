"""The version of the file's form: an older file is brought forward with all it holds, a newer one is left alone.

It stands in `meta` under `version`, with a checksum of its own, so that an agent of any age can tell a newer file from a damaged one.
"""

import sqlite3
from zlib import crc32

VERSION = 3
"""1: no checksums, no version. 2: `records.c`, `identity`, `damaged`, the sum of `meta`, this version. 3: `refused`."""


class OutboxTooNewError(Exception):
    """A later agent wrote this file: an operator has to install that one again, or move the file aside."""


def refuse_newer(db: sqlite3.Connection) -> None:
    """Raise OutboxTooNewError for a form that this agent does not know: it could neither read nor keep what else is in it.

    Raises sqlite3.Error when the file can't be read.
    """
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone():
        return
    if (version := _read(db)) is not None and version > VERSION:
        raise OutboxTooNewError(
            f"the outbox is of version {version}, and this agent knows up to {VERSION}; nothing was changed, and its records wait in it:"
            " install the newer asty-edge again, or move the file aside (then a new epoch begins, and what waits there stays unsent)"
        )


def bring_forward(db: sqlite3.Connection) -> None:
    """Give an older file what is new in its tables. May be repeated: a power cut in the middle leaves nothing half done."""
    if "c" not in [row[1] for row in db.execute("PRAGMA table_info(records)")]:
        db.execute("ALTER TABLE records ADD COLUMN c INTEGER")


def mark(db: sqlite3.Connection) -> None:
    """Write this version into a file that is whole and of its form."""
    if _read(db) != VERSION:
        db.execute("INSERT INTO meta VALUES ('version', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", [stamp(VERSION)])


def stamp(version: int) -> str:
    """Return a version as it stands in the file: in decimal, a colon, and the CRC-32 of the decimal."""
    return f"{version}:{crc32(str(version).encode())}"


def _read(db: sqlite3.Connection) -> int | None:
    """Return the file's version; None when it tells none, or none that fits its checksum."""
    row = db.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
    number = str(row[0]).partition(":")[0] if row else ""
    return int(number) if number.isascii() and number.isdigit() and row[0] == stamp(int(number)) else None
