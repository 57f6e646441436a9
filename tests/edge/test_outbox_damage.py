"""What a worn flash does: any bit of the file may flip; what it hit is isolated and accounted for, nothing else is lost or altered."""

import random
import sqlite3
from contextlib import closing

import msgspec
import pytest
from asty_contracts.records import Alarm, Driver, Gap, Weight
from asty_edge import config
from asty_edge.agent import Agent
from asty_edge.clock import mono_ms
from asty_edge.event import Event, Moment
from asty_edge.outbox import Outbox
from asty_edge.outbox.logbit import correct
from asty_edge.ranges import Ranges

ROOM = 1 << 28
ALL = Ranges([(1, 1 << 40)])
WHEN = Moment(5000, 1_795_000_000_000, "gnss")
PAGE = 4096


def held(outbox):
    return {one.s: one for one in outbox.peek(ALL, 1_000_000, 1 << 40)}


def gaps(outbox):
    return Ranges(pair for one in held(outbox).values() if one.k == "gap" for pair in msgspec.json.decode(one.d, type=Gap).ranges)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """An outbox of several pages, a part of it acknowledged: its bytes, its epoch and what it holds."""
    path = tmp_path_factory.mktemp("sample") / "outbox.db"
    outbox = Outbox.open(path, ROOM)
    for batch in range(20):
        words = [Driver(act="note", note=f"{batch}.{n}", reason=str(outbox.epoch)) for n in range(20)]
        outbox.append([Event(WHEN, word) for word in words])
    outbox.acknowledge(60)
    epoch, records = outbox.epoch, held(outbox)
    outbox.close()
    return path.read_bytes(), epoch, records


def flipped(whole, bit):
    damaged = bytearray(whole)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


@pytest.mark.parametrize("part", ["anywhere", "header", "schema", "numbers"])
def test_whatever_bit_flips_no_other_record_is_lost_and_none_is_altered(tmp_path, sample, part):
    whole, epoch, records = sample
    low, high = {"anywhere": (0, len(whole)), "header": (0, 100), "schema": (3400, PAGE), "numbers": (2 * PAGE - 250, 2 * PAGE)}[part]
    chance = random.Random(part)
    for turn in range(60):
        bit = chance.randrange(low * 8, high * 8)
        folder = tmp_path / str(turn)
        folder.mkdir()
        path = folder / "outbox.db"
        path.write_bytes(flipped(whole, bit))
        outbox = Outbox.open(path, ROOM)
        there = held(outbox)
        missing = Ranges.of(records.keys() - there.keys())
        assert there.items() <= records.items(), f"bit {bit}: altered or invented"
        assert (outbox.epoch, outbox.acked) == (epoch, 60), f"bit {bit}"
        assert outbox.damaged == missing, f"bit {bit}: lost without an account"
        assert len(missing) <= PAGE // 40, f"bit {bit}: more than a page is gone"
        if missing:
            outbox.isolate(WHEN)
            assert gaps(outbox) == missing
        assert outbox.append([Event(WHEN, Weight(kg=1.0))]).last > max(records), f"bit {bit}: a number is given twice"
        outbox.close()


@pytest.fixture(scope="module")
def after_a_power_cut(tmp_path_factory):
    """An outbox whose newest records lie in the log alone: the bytes of both files, the epoch, and what it holds."""
    path = tmp_path_factory.mktemp("cut") / "outbox.db"
    outbox = Outbox.open(path, ROOM)
    for batch in range(6):
        outbox.append([Event(WHEN, Driver(act="note", note=f"{batch}.{n}", reason=str(outbox.epoch))) for n in range(20)])
    outbox.acknowledge(30)
    records = held(outbox)
    files = path.read_bytes(), path.with_name("outbox.db-wal").read_bytes()
    outbox.close()
    return *files, outbox.epoch, records


@pytest.mark.parametrize("part", ["log header", "frame headers", "last frame", "anywhere"])
def test_a_bit_that_flipped_in_the_log_hides_nothing_that_was_written_after_it(tmp_path, after_a_power_cut, part):
    whole, log, epoch, records = after_a_power_cut
    frame = PAGE + 24
    chance = random.Random(part)
    for turn in range(40):
        byte = {
            "log header": chance.randrange(32),
            "frame headers": 32 + chance.randrange(len(log) // frame) * frame + chance.randrange(24),
            "last frame": chance.randrange(len(log) - frame, len(log)),
            "anywhere": chance.randrange(len(log)),
        }[part]
        bit = byte * 8 + chance.randrange(8)
        folder = tmp_path / str(turn)
        folder.mkdir()
        (folder / "outbox.db").write_bytes(whole)
        (folder / "outbox.db-wal").write_bytes(flipped(log, bit))
        outbox = Outbox.open(folder / "outbox.db", ROOM)
        there = held(outbox)
        assert (outbox.epoch, outbox.acked, outbox.head) == (epoch, 30, max(records)), f"bit {bit}"
        assert there.items() <= records.items(), f"bit {bit}: altered or invented"
        assert outbox.damaged == Ranges.of(records.keys() - there.keys()), f"bit {bit}: lost without an account"
        assert len(outbox.damaged) <= PAGE // 40, f"bit {bit}: more than a page is gone"
        outbox.close()


@pytest.mark.parametrize("cut", [1, 500, 4120, 5000, 20_000])
def test_a_torn_log_is_left_to_sqlite(tmp_path, after_a_power_cut, cut):
    whole, log, epoch, _ = after_a_power_cut
    (tmp_path / "outbox.db").write_bytes(whole)
    torn = log[:-cut] + bytes(cut)
    assert not correct(bytearray(torn))
    (tmp_path / "outbox.db-wal").write_bytes(torn)
    outbox = Outbox.open(tmp_path / "outbox.db", ROOM)
    assert outbox.epoch == epoch
    assert set(outbox.damaged) == set()
    outbox.close()


def spoil(path, s, column="d"):
    """Change one record behind the outbox's back."""
    with closing(sqlite3.connect(path)) as db, db:
        value = {"d": b'{"kg":2.0}', "t": 7}[column]
        db.execute(f"UPDATE records SET {column} = ? WHERE s = ?", (value, s))


@pytest.mark.parametrize("column", ["d", "t"])
def test_a_record_that_changed_while_it_waited_is_isolated_kept_and_reported(tmp_path, column):
    path = tmp_path / "outbox.db"
    outbox = Outbox.open(path, ROOM)
    outbox.append([Event(WHEN, Weight(kg=1.0)) for _ in range(5)])
    spoil(path, 3, column)
    assert list(held(outbox)) == [1, 2, 4, 5]
    appended = outbox.isolate(WHEN)
    assert gaps(outbox) == Ranges([(3, 3)])
    assert (appended.first, appended.last) == (6, 6)
    assert outbox.held == 5
    assert not outbox.damaged
    outbox.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT s, k FROM damaged").fetchall() == [(3, "weight")]


async def test_the_agent_says_what_was_damaged_and_the_gap_goes_out_like_any_record(tmp_path):
    file = tmp_path / "edge.toml"
    file.write_text('[edge]\nid = "truck-01"\norg = "demo"\nkind = "truck"\n')
    outbox = Outbox.open(tmp_path / "outbox.db", ROOM)
    outbox.append([Event(WHEN, Weight(kg=1.0)) for _ in range(3)])
    spoil(tmp_path / "outbox.db", 2)
    agent = Agent(config.load(file), (), outbox)
    held(outbox)
    agent._tick(mono_ms())
    agent._flush()
    assert gaps(outbox) == Ranges([(2, 2)])
    raised = [msgspec.json.decode(one.d, type=Alarm) for one in held(outbox).values() if one.k == "alarm"]
    assert [(alarm.code, alarm.severity) for alarm in raised] == [("outbox_damaged", "critical")]
    assert agent._uplink.machine.unacknowledged == outbox.head
    outbox.close()


def test_damaged_records_do_not_hide_sound_ones_behind_them(tmp_path):
    path = tmp_path / "outbox.db"
    outbox = Outbox.open(path, ROOM)
    outbox.append([Event(WHEN, Weight(kg=1.0)) for _ in range(6)])
    for s in (1, 2, 3):
        spoil(path, s)
    assert [one.s for one in outbox.peek(ALL, 2, 1 << 20)] == [4, 5]
    outbox.close()


def test_a_record_that_was_acknowledged_before_its_damage_was_seen_needs_no_account(tmp_path):
    path = tmp_path / "outbox.db"
    outbox = Outbox.open(path, ROOM)
    outbox.append([Event(WHEN, Weight(kg=1.0)) for _ in range(4)])
    spoil(path, 2)
    held(outbox)
    outbox.acknowledge(2)
    outbox.isolate(WHEN)
    assert not gaps(outbox)
    outbox.close()


def test_an_outbox_without_checksums_keeps_its_records_and_gets_checksums(tmp_path):
    path = tmp_path / "outbox.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript("""
            CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
            CREATE TABLE records (
                s INTEGER PRIMARY KEY, t INTEGER NOT NULL, mono INTEGER NOT NULL, tq TEXT NOT NULL, k TEXT NOT NULL, d BLOB NOT NULL
            );
            CREATE TABLE lifts (s INTEGER PRIMARY KEY, t INTEGER NOT NULL, d BLOB NOT NULL);
        """)
        epoch = "3cb733c9-fee1-46b3-86e2-a5dea16a7225"
        meta = {"epoch": epoch, "head": 2, "acked": 0, "session": 5, "last_lift": "", "thinned": 0, "given_up": 0}
        db.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        db.executemany("INSERT INTO records VALUES (?, 7, 5, 'gnss', 'weight', ?)", [(1, b'{"kg":1.0}'), (2, b'{"kg":2.0}')])
    for _ in range(2):
        outbox = Outbox.open(path, ROOM)
        assert str(outbox.epoch) == epoch
        assert outbox.set_aside is None
        assert [one.d for one in held(outbox).values()][:2] == [b'{"kg":1.0}', b'{"kg":2.0}']
        outbox.append([Event(WHEN, Weight(kg=3.0))])
        outbox.close()
    spoil(path, 3)
    outbox = Outbox.open(path, ROOM)
    assert list(held(outbox)) == [1, 2, 4]
    outbox.close()


def test_power_may_fail_between_moving_a_corrupt_file_aside_and_putting_the_rescued_one_in_its_place(tmp_path, sample):
    whole, epoch, records = sample
    (tmp_path / "outbox.db.rescued").write_bytes(whole)
    outbox = Outbox.open(tmp_path / "outbox.db", ROOM)
    assert outbox.epoch == epoch
    assert held(outbox) == records
    outbox.close()
