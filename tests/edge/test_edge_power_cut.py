"""The power goes at any moment: between two commits, in the middle of a frame of the log, in the middle of a checkpoint.

After each commit both files are copied as they lie on the disk. What a disk holds after a power cut during the next commit is then
built from two copies: of what SQLite had not yet been told to be on the disk, any part may be there and any part missing.
"""

import random
from dataclasses import dataclass
from uuid import UUID

import pytest
from asty_contracts.records import Driver, Lift
from asty_edge.event import Event, Held, Moment
from asty_edge.outbox import Outbox
from asty_edge.outbox.schema import connect
from asty_edge.ranges import Ranges

ROOM = 1 << 28
ALL = Ranges([(1, 1 << 40)])
SECTOR = 512
COMMITS = 350


@dataclass(frozen=True)
class Copy:
    """Both files after a commit, and what the outbox said then."""

    db: bytes
    wal: bytes
    epoch: UUID
    head: int
    acked: int
    held: list[Held]


def copy_of(path, outbox):
    wal = path.with_name(path.name + "-wal")
    return Copy(path.read_bytes(), wal.read_bytes(), outbox.epoch, outbox.head, outbox.acked, outbox.peek(ALL, 1_000_000, ROOM))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Copies before and after a commit: some dozen commits by chance, and each that moved the log into the file or began it anew."""
    path = tmp_path_factory.mktemp("live") / "outbox.db"
    outbox = Outbox.open(path, ROOM)
    chance = random.Random(1)
    before, pairs = copy_of(path, outbox), []
    for n in range(COMMITS):
        when = Moment(n * 1000, 1_795_000_000_000 + n * 1000, "gnss")
        if n % 50 == 49:
            outbox.acknowledge(outbox.head - 20)
        else:
            notes = [Event(when, Driver(act="note", note=f"{n}.{m}" * 100)) for m in range(20)]
            outbox.append([*notes, Event(when, Lift(cycle=n, started=when.utc - 9000, ended=when.utc))])
        after = copy_of(path, outbox)
        if after.db != before.db or after.wal[:SECTOR] != before.wal[:SECTOR] or chance.random() < 0.02:
            pairs.append((before, after))
        before = after
    outbox.close()
    return pairs


def assert_as_after_a_commit(folder, db, wal, *allowed):
    folder.mkdir()
    path = folder / "outbox.db"
    path.write_bytes(db)
    path.with_name("outbox.db-wal").write_bytes(wal)
    outbox = Outbox.open(path, ROOM)
    found = (outbox.epoch, outbox.head, outbox.acked, outbox.peek(ALL, 1_000_000, ROOM))
    assert found in [(copy.epoch, copy.head, copy.acked, copy.held) for copy in allowed]
    assert (outbox.set_aside, outbox.damaged) == (None, Ranges())
    assert outbox.append([Event(Moment(0, 0, "none"), Driver(act="note"))]).first == found[1] + 1
    outbox.close()


def mixed(old, new, chance, *, in_order):
    """Return what the disk may hold while `new` is written over `old`: up to a byte, or any of its sectors."""
    if in_order:
        cut = chance.randrange(len(new) + 1)
        return new[:cut] + old[cut:]
    length = max(len(old), len(new))
    sides = [text.ljust(length, b"\0") for text in (old, new)]
    parts = [chance.choice(sides)[at : at + SECTOR] for at in range(0, length, SECTOR)]
    return b"".join(parts)[: chance.choice([len(old), len(new)])]


def test_a_cut_anywhere_in_the_log_loses_nothing_whose_append_had_returned(pairs, tmp_path):
    chance = random.Random(2)
    turn = 0
    for before, after in pairs:
        for in_order in (True, False):
            wal = mixed(before.wal, after.wal, chance, in_order=in_order)
            assert_as_after_a_commit(tmp_path / str(turn), before.db, wal, before, after)
            turn += 1
    assert turn > 12


def test_a_log_that_ends_in_the_middle_of_a_frame_loses_only_what_was_being_written(pairs, tmp_path):
    chance = random.Random(3)
    grown = [(before, after) for before, after in pairs if len(after.wal) > len(before.wal) and after.db == before.db]
    assert len(grown) >= 2
    for turn, (before, after) in enumerate(grown * 4):
        cut = chance.randrange(len(before.wal), len(after.wal))
        assert_as_after_a_commit(tmp_path / str(turn), before.db, after.wal[:cut], before)


def test_a_cut_while_the_log_moves_into_the_file_loses_nothing(pairs, tmp_path):
    chance = random.Random(4)
    moved = [(before, after) for before, after in pairs if after.db != before.db]
    assert len(moved) >= 2, "the log is moved into the file about every 1000 pages"
    turn = 0
    for before, after in moved:
        for in_order in (True, False):
            db = mixed(before.db, after.db, chance, in_order=in_order)
            assert_as_after_a_commit(tmp_path / str(turn), db, after.wal, after)
            turn += 1


def test_a_commit_waits_for_the_disk(tmp_path):
    """The tests above hold only if SQLite tells the disk before a commit returns."""
    db = connect(tmp_path / "outbox.db")
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    db.close()
