"""Reads what is left of a corrupt outbox. Nothing is believed that does not fit its checksum."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from asty_edge.event import Held
from asty_edge.outbox.schema import COLUMNS, Meta, held_of, is_sound, prepared, read_identity, read_meta, row_of, write_meta
from asty_edge.ranges import Ranges

PAGE = 4096
_UNREADABLE = (sqlite3.Error, ValueError)
"""ValueError: text that is none, also in SQLite's own complaints."""
_PAGE_COUNT = slice(28, 32)


def rescue(corrupt: Path, into: sqlite3.Connection, file: Path) -> bool:
    """Copy epoch, numbers and sound records into a new outbox (open as `into`, at `file`); False when there is nothing to copy.

    The first page says where everything begins, and is the same in all outboxes: what can't be read as it is, is read with the new
    file's. Raises sqlite3.OperationalError when the disk takes nothing.
    """
    into.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    first_page = file.read_bytes()[:PAGE]
    mended = file.with_name(file.name + "-mended")
    into.execute("BEGIN IMMEDIATE")
    meta, epoch = _copy(corrupt, into)
    if not _is_complete(meta, into):
        try:
            _mend(corrupt, mended, first_page)
            meta_there, epoch_there = _copy(mended, into)
            meta, epoch = meta or meta_there, epoch or epoch_there
        finally:
            for side in ("", "-wal", "-shm"):
                mended.with_name(mended.name + side).unlink(missing_ok=True)
    numbers = _adopted(meta, epoch, into)
    if numbers is None:
        into.execute("ROLLBACK")
        return False
    write_meta(into, read_meta(into) | numbers)
    into.execute("DELETE FROM records WHERE s NOT BETWEEN ? AND ?", (int(numbers["acked"]) + 1, numbers["head"]))
    into.execute("COMMIT")
    return True


def _is_complete(meta: Meta | None, into: sqlite3.Connection) -> bool:
    (held,) = into.execute("SELECT COUNT(*) FROM records").fetchone()
    return meta is not None and held >= int(meta["head"]) - int(meta["acked"])


def _adopted(meta: Meta | None, epoch: str | None, into: sqlite3.Connection) -> Meta | None:
    """Return the numbers to go on with. Without the file's own, the records tell: the newest is always held until it is acknowledged."""
    if meta is not None:
        return meta
    first, last = into.execute("SELECT MIN(s), MAX(s) FROM records").fetchone()
    return None if epoch is None or last is None else {"epoch": epoch, "acked": first - 1, "head": last}


def _mend(corrupt: Path, mended: Path, first_page: bytes) -> None:
    shutil.copyfile(corrupt, mended)
    log = corrupt.with_name(corrupt.name + "-wal")
    if log.exists():
        shutil.copyfile(log, mended.with_name(mended.name + "-wal"))
    page = bytearray(first_page)
    page[_PAGE_COUNT] = (mended.stat().st_size // PAGE).to_bytes(4)
    with mended.open("r+b") as file:
        file.write(page)


def _copy(corrupt: Path, into: sqlite3.Connection) -> tuple[Meta | None, str | None]:
    """Copy every sound record that can be read; returns the file's numbers and epoch, as far as they are sound."""
    try:
        source = prepared(sqlite3.connect(f"file:{quote(str(corrupt.absolute()))}?mode=ro", uri=True, isolation_level=None, timeout=5))
    except sqlite3.Error:
        return None, None
    with closing(source):
        meta, epoch = _numbers(source)
        for held in _records(source, meta):
            into.execute(f"INSERT OR IGNORE INTO records ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row_of(held))  # noqa: S608
        return meta, epoch


def _numbers(source: sqlite3.Connection) -> tuple[Meta | None, str | None]:
    """Return what the file knows of itself, or None, and its epoch, or None."""
    with suppress(*_UNREADABLE, TypeError):
        found: dict[str, Any] = dict(source.execute("SELECT key, value FROM meta"))
        if is_sound(found):
            meta = read_meta(source)
            return meta, str(meta["epoch"])
    with suppress(*_UNREADABLE):
        return None, read_identity(source)
    return None, None


def _records(source: sqlite3.Connection, meta: Meta | None) -> Iterator[Held]:
    """Read forwards up to what can't be read, then backwards, then, if still some are missing, one by one."""
    seen = Ranges()
    for order in ("ASC", "DESC"):
        with suppress(*_UNREADABLE):
            for row in source.execute(f"SELECT {COLUMNS} FROM records ORDER BY s {order}"):  # noqa: S608
                if not isinstance(row[0], int) or row[0] in seen:
                    break
                seen.add(row[0], row[0])
                if (held := held_of(row)) is not None:
                    yield held
            else:
                return
    if meta is None:
        return
    missing = Ranges([(int(meta["acked"]) + 1, int(meta["head"]))])
    missing.subtract(seen)
    for first, last in missing:
        for s in range(first, last + 1):
            with suppress(*_UNREADABLE):
                for row in source.execute(f"SELECT {COLUMNS} FROM records WHERE s = ?", (s,)):  # noqa: S608
                    if (held := held_of(row)) is not None:
                        yield held
