"""Opening the file, whatever a power cut or a worn flash has made of it."""

import logging
import os
import sqlite3
from pathlib import Path

from asty_edge.outbox.logbit import mend
from asty_edge.outbox.rescue import rescue
from asty_edge.outbox.schema import connect

_RETRY_CODES = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
    }
)
_SIDES = ("", "-wal", "-shm")

_log = logging.getLogger(__name__)


class OutboxStuckError(Exception):
    """The disk takes nothing now (full, or an I/O error): keep what is to be appended and try again."""


def is_worth_a_retry(error: sqlite3.Error) -> bool:
    """Tell whether the disk, and not the file's content, is at fault."""
    return isinstance(error, sqlite3.OperationalError) and (error.sqlite_errorcode & 0xFF) in _RETRY_CODES


def open_or_rescue(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """Open the outbox or make a new one; also returns where a corrupt one was moved. Raises OutboxStuckError, OutboxTooNewError."""
    rescued = path.with_name(path.name + ".rescued")
    if rescued.exists() and not path.exists():  # the power went between the two renames below
        rescued.rename(path)
    _mend_log(path.with_name(path.name + "-wal"))
    try:
        return connect(path), None
    except sqlite3.DatabaseError as error:
        if is_worth_a_retry(error) and not _claims_to_be_read_only(path, error):
            raise _stuck(path, error) from error
        kept = _rescue(path, rescued)
        aside = _move_aside(path)
        rescued.rename(path)
        said = (
            "what could be read of it stays in the outbox under its numbers, the rest is reported as damaged"
            if kept
            else "nothing of it could be read: a new epoch begins in an empty outbox"
        )
        _log.error("%s is corrupt (%s): the file was kept as %s; %s", path, error, aside, said)
        return connect(path), aside


def _mend_log(log: Path) -> None:
    try:
        if mend(log):
            _log.error("a bit of %s had flipped: what was written after it is kept; look after the disk", log)
    except OSError as error:
        raise OutboxStuckError(
            f"a bit of {log} has flipped and could not be set right: {error}; nothing was changed: is there room?"
        ) from error


def _rescue(path: Path, rescued: Path) -> bool:
    """Make the file that takes the corrupt one's place; False when it is a new, empty outbox."""
    for side in _SIDES:
        rescued.with_name(rescued.name + side).unlink(missing_ok=True)
    try:
        db = connect(rescued)
        try:
            return rescue(path, db, rescued)
        finally:
            db.close()
    except sqlite3.OperationalError as error:
        raise _stuck(path, error) from error


def _claims_to_be_read_only(path: Path, error: sqlite3.DatabaseError) -> bool:
    """A file that may be written to, and says in its header that it may not, is damaged there."""
    return (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_READONLY and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _stuck(path: Path, error: sqlite3.Error) -> OutboxStuckError:
    return OutboxStuckError(f"{path} could not be opened: {error}; nothing was changed: is there room, and may this user write there?")


def _move_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    for suffix in _SIDES[1:]:
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.rename(aside.with_name(aside.name + suffix))
    return path.rename(aside)
