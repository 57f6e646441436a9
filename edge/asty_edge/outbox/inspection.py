"""What an outbox holds, read from beside a running agent without disturbing it."""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from asty_edge.outbox.schema import SIZE, read_meta
from asty_edge.ranges import Ranges

LAST_LIFTS = 10


def inspect(path: Path) -> dict[str, Any]:
    """Report epoch, head, acked, held, held_by_kind, bytes, oldest (UTC ms or None), unacknowledged ranges,
    refused (sequence, UTC ms and kind of each record that the town did not take) and last_lifts.

    Raises FileNotFoundError when there is no outbox, sqlite3.DatabaseError when it is unreadable.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no outbox here yet; it is made when the agent first runs")
    db = _open_read_only(path)
    try:
        db.execute("BEGIN")
        meta = read_meta(db)
        count, size, oldest = db.execute(f"SELECT COUNT(*), COALESCE(SUM({SIZE}), 0), MIN(t) FROM records").fetchone()  # noqa: S608
        by_kind = dict(db.execute("SELECT k, COUNT(*) FROM records GROUP BY k ORDER BY k"))
        waiting = Ranges.of(s for (s,) in db.execute("SELECT s FROM records ORDER BY s"))
        refused = [list(row) for row in db.execute("SELECT s, t, k FROM refused ORDER BY s")] if _has_refused(db) else []
        lifts = db.execute("SELECT s, t, d FROM lifts ORDER BY s DESC LIMIT ?", (LAST_LIFTS,)).fetchall()
    finally:
        db.close()
    return {
        "epoch": meta["epoch"],
        "head": meta["head"],
        "acked": meta["acked"],
        "held": count,
        "held_by_kind": by_kind,
        "bytes": size,
        "oldest": oldest,
        "given_up": meta["given_up"],
        "refused": refused,
        "unacknowledged": [list(pair) for pair in waiting],
        "last_lifts": [{"s": s, "t": t, **msgspec.json.decode(text)} for s, t, text in lifts],
    }


def _has_refused(db: sqlite3.Connection) -> bool:
    """Tell whether the file has the table; one of an older version has none."""
    return db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'refused'").fetchone() is not None


def _open_read_only(path: Path) -> sqlite3.Connection:
    name = f"file:{quote(str(path.absolute()))}"
    db = sqlite3.connect(f"{name}?mode=ro", uri=True, isolation_level=None, timeout=5)
    try:
        db.execute("SELECT 1 FROM meta LIMIT 1")
    except sqlite3.OperationalError:
        # A closed outbox in a folder that this user may not write to: SQLite needs to be told that nobody writes.
        db.close()
        db = sqlite3.connect(f"{name}?immutable=1", uri=True, isolation_level=None)
    return db
