"""The audit: nobody changes it unseen."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from asty_citizen_services.audit import journal
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

GUIDE = Path(__file__).parents[2] / "docs/administrator.md"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def flaws(municipality: Any) -> list[str]:
    with municipality.database.begin() as session:
        return [str(flaw) for flaw in journal.verify(session)]


@pytest.mark.parametrize("change", ["UPDATE audit_entry SET act = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"])
def test_the_database_refuses_to_change_what_was_written(municipality: Any, change: str) -> None:
    with municipality.database.begin() as session:
        journal.write(session, "case:kept", at=NOW, actor="system", act="test.write")
    with pytest.raises(DBAPIError, match="append-only"), municipality.database.begin() as session:
        session.execute(text(change))


def test_many_writers_of_one_stream_make_one_chain(municipality: Any) -> None:
    def write(n: int) -> None:
        with municipality.database.begin() as session:
            journal.write(
                session, "case:busy", at=NOW + timedelta(microseconds=n), actor="staff:1", act="test.read", n=n, name="Άλφα", ok=True
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert flaws(municipality) == []
    with municipality.database.begin() as session:
        assert session.scalar(text("SELECT number FROM audit_head WHERE stream = 'case:busy'")) == 40


def drop_whole(cursor: Any) -> None:
    cursor.execute("DELETE FROM citizen.audit_entry WHERE stream = 'case:forged'")
    cursor.execute("DELETE FROM citizen.audit_head WHERE stream = 'case:forged'")


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (lambda c: c.execute("UPDATE citizen.audit_entry SET actor = 'staff:2' WHERE stream = 'case:forged' AND number = 2"), "altered"),
        (lambda c: c.execute("UPDATE citizen.audit_entry SET details = '{}' WHERE stream = 'case:forged' AND number = 2"), "altered"),
        (lambda c: c.execute("DELETE FROM citizen.audit_entry WHERE stream = 'case:forged' AND number = 2"), "entry 2 is missing"),
        (lambda c: c.execute("DELETE FROM citizen.audit_entry WHERE stream = 'case:forged' AND number = 3"), "ends at entry 2"),
        (drop_whole, "not what was sealed"),
    ],
    ids=["actor", "details", "middle", "end", "whole"],
)
def test_whoever_turns_the_trigger_off_is_found_out(municipality: Any, forge: Callable[[Any], None], said: str) -> None:
    with municipality.database.begin() as session:
        for n in range(3):
            journal.write(session, "case:forged", at=NOW + timedelta(hours=n), actor="staff:1", act="test.write", n=n)
        journal.seal(session, NOW + timedelta(hours=4))
    assert flaws(municipality) == []
    with psycopg.connect(municipality.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE citizen.audit_entry DISABLE TRIGGER append_only")
        forge(cursor)
        connection.commit()
        try:
            found = flaws(municipality)
        finally:
            for table in ("audit_entry", "audit_head"):
                cursor.execute(f"DELETE FROM citizen.{table} WHERE stream IN ('case:forged', 'seals')")  # type: ignore[call-overload]
            cursor.execute("ALTER TABLE citizen.audit_entry ENABLE TRIGGER append_only")
            connection.commit()
    assert any(said in flaw for flaw in found), found


def test_a_backup_is_made_and_restored_by_the_lines_of_the_administrators_guide(municipality: Any, tmp_path: Path) -> None:
    with municipality.database.begin() as session:
        journal.write(session, "case:backed-up", at=NOW, actor="system", act="test.write", name="Άλφα")
        journal.seal(session, NOW)
    _, _, chapter = GUIDE.read_text(encoding="utf-8").partition("### Backup and restore")
    lines = "\n".join(line.strip() for line in chapter.splitlines() if line.startswith("    "))
    environment = municipality.environment | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    restored = municipality.dsn.rpartition("/")[0] + "/asty_restored"
    try:
        said = subprocess.run(["bash", "-eu", "-c", lines], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (said.returncode, said.stderr) == (0, "")
        assert "whole" in said.stdout
        with psycopg.connect(restored) as connection:
            kept = connection.execute("SELECT details FROM citizen.audit_entry WHERE stream = 'case:backed-up'").fetchall()
        assert kept == [({"name": "Άλφα"},)]
    finally:
        with psycopg.connect(municipality.dsn, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS asty_restored")
