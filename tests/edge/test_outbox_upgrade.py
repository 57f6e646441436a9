"""An upgrade keeps the outbox: what an older agent left is sent by the newer one, and an older agent leaves a newer file alone."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from asty_contracts.evidence import holds
from asty_contracts.records import Lift, Weight
from asty_edge.event import Event, Moment
from asty_edge.outbox import Outbox, OutboxTooNewError, inspect
from asty_edge.outbox.version import VERSION, stamp
from asty_edge.ranges import Ranges

ROOM = 1 << 28
ALL = Ranges([(1, 1 << 40)])
FILES = Path(__file__).parent / "outboxes"
EPOCH = "40f16914-4c68-46db-9d4f-59605ea35c1b"
WHEN = Moment(80_000, 1_795_000_080_000, "gnss")


@pytest.fixture
def version_1(tmp_path):
    """A file of version 1: 66 numbers given, 20 acknowledged, positions 21-60, lifts 61-65, an alarm 66."""
    return Path(shutil.copy(FILES / "version-1.db", tmp_path / "outbox.db"))


def make_newer(path):
    """Write what a later agent would: a higher version, a number and a table that this one does not know, another checksum."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE photos (s INTEGER PRIMARY KEY, jpeg BLOB)")
        db.execute("UPDATE meta SET value = ? WHERE key = 'version'", [stamp(VERSION + 1)])
        db.execute("INSERT INTO meta VALUES ('photos', 7)")
        db.execute("UPDATE meta SET value = 7 WHERE key = 'sum'")


def test_every_earlier_form_of_the_file_has_a_sample_here():
    assert sorted(path.name for path in FILES.glob("*.db")) == [f"version-{version}.db" for version in range(1, VERSION)]


def test_an_older_file_keeps_its_epoch_its_numbers_and_every_record(version_1):
    with closing(sqlite3.connect(version_1)) as db:
        before = db.execute("SELECT s, t, mono, tq, k, d FROM records ORDER BY s").fetchall()
    outbox = Outbox.open(version_1, ROOM)
    assert (str(outbox.epoch), outbox.head, outbox.acked, outbox.held) == (EPOCH, 66, 20, 46)
    assert [(one.s, one.t, one.mono, one.tq, one.k, one.d) for one in outbox.peek(ALL, 1000, ROOM)] == before
    assert (outbox.set_aside, outbox.damaged) == (None, Ranges())
    outbox.close()
    assert not list(version_1.parent.glob("*.corrupt-*"))


def test_a_file_of_version_2_keeps_what_waits_and_what_was_damaged(tmp_path):
    path = Path(shutil.copy(FILES / "version-2.db", tmp_path / "outbox.db"))
    assert inspect(path)["refused"] == [], "before the upgrade too"
    outbox = Outbox.open(path, ROOM)
    assert (str(outbox.epoch), outbox.head, outbox.acked, outbox.held) == ("afe289f3-e096-4510-8690-17ce7dbbe84a", 67, 20, 46)
    assert len(outbox.peek(ALL, 1000, ROOM)) == 46
    assert outbox.refuse(Ranges([(66, 66)]), WHEN).last == 68
    outbox.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT s FROM damaged").fetchall() == [(30,)]
        assert db.execute("SELECT s, k FROM refused").fetchall() == [(66, "alarm")]


def test_after_the_upgrade_numbers_sessions_and_the_chain_of_lifts_go_on(version_1):
    outbox = Outbox.open(version_1, ROOM)
    assert outbox.begin_session(0) == 1_795_000_001
    assert outbox.append([Event(WHEN, Lift(cycle=6, started=1, ended=2))]).first == 67
    lifts = [msgspec.json.decode(one.d, type=Lift) for one in outbox.peek(ALL, 1000, ROOM) if one.k == "lift"]
    assert all(holds(lift) for lift in lifts)
    assert [lift.prev for lift in lifts[1:]] == [lift.hash for lift in lifts[:-1]]
    outbox.close()


def test_an_upgraded_file_is_protected_by_checksums_like_a_new_one(version_1):
    Outbox.open(version_1, ROOM).close()
    outbox = Outbox.open(version_1, ROOM)
    outbox.append([Event(WHEN, Weight(kg=1.0))])
    outbox.close()
    with closing(sqlite3.connect(version_1)) as db, db:
        assert db.execute("SELECT value FROM meta WHERE key = 'version'").fetchone() == (stamp(VERSION),)
        db.execute("""UPDATE records SET d = '{"kg":9.0}' WHERE s = 67""")
    again = Outbox.open(version_1, ROOM)
    again.peek(ALL, 1000, ROOM)
    assert again.damaged == Ranges([(67, 67)])
    again.close()


def test_an_upgrade_that_a_power_cut_interrupted_is_finished_at_the_next_start(version_1):
    with closing(sqlite3.connect(version_1)) as db:
        db.execute("ALTER TABLE records ADD COLUMN c INTEGER")
    outbox = Outbox.open(version_1, ROOM)
    assert (str(outbox.epoch), outbox.head, outbox.held, outbox.set_aside) == (EPOCH, 66, 46, None)
    outbox.close()


def test_what_waits_in_an_older_file_can_be_looked_at_before_the_upgrade(version_1):
    report = inspect(version_1)
    assert (report["epoch"], report["held"], report["unacknowledged"]) == (EPOCH, 46, [[21, 66]])


def test_a_newer_file_is_refused_with_what_to_do_and_not_a_byte_of_it_is_changed(version_1):
    Outbox.open(version_1, ROOM).close()
    make_newer(version_1)
    before = version_1.read_bytes()
    with pytest.raises(OutboxTooNewError, match=rf"version {VERSION + 1}.*up to {VERSION}.*its records wait.*install the newer asty-edge"):
        Outbox.open(version_1, ROOM)
    assert version_1.read_bytes() == before
    assert not list(version_1.parent.glob("*.corrupt-*"))


def test_a_flipped_bit_in_the_version_does_not_make_the_file_a_newer_one(version_1):
    Outbox.open(version_1, ROOM).close()
    with closing(sqlite3.connect(version_1)) as db, db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'version'", [stamp(VERSION).replace(str(VERSION), str(VERSION + 4), 1)])
    outbox = Outbox.open(version_1, ROOM)
    assert (str(outbox.epoch), outbox.held, outbox.set_aside) == (EPOCH, 46, None)
    outbox.close()


def test_a_newer_file_that_is_damaged_as_well_is_left_to_the_newer_agent(version_1):
    Outbox.open(version_1, ROOM).close()
    make_newer(version_1)
    with closing(sqlite3.connect(version_1)) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'lifts'").fetchone()
    damaged = bytearray(version_1.read_bytes())
    damaged[(root - 1) * 4096] ^= 0xFF
    version_1.write_bytes(damaged)
    with pytest.raises(OutboxTooNewError):
        Outbox.open(version_1, ROOM)
    assert version_1.read_bytes() == bytes(damaged)


def test_the_agent_says_so_and_exits_2(version_1):
    Outbox.open(version_1, ROOM).close()
    make_newer(version_1)
    config = version_1.with_name("edge.toml")
    config.write_text('[edge]\nid = "truck-01"\norg = "demo"\nkind = "truck"\n')
    done = subprocess.run(
        [sys.executable, "-m", "asty_edge.cli", "run", "--config", str(config)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "install the newer asty-edge again" in done.stderr
