import os
import signal
import subprocess
import sys
from itertools import pairwise

import msgspec
import pytest
from asty_contracts.evidence import holds
from asty_contracts.records import Alarm, Gap, Lift, Position, Weight
from asty_edge.collecting import TAIL, Collector
from asty_edge.event import Event, Moment
from asty_edge.outbox import Outbox, OutboxBusyError, OutboxStuckError, inspect
from asty_edge.ranges import Ranges

MB = 1 << 20
ALL = Ranges([(1, 1 << 40)])
WHEN = Moment(5000, 1_795_000_000_000, "gnss")


def pos(n=0):
    return Event(WHEN, Position(lat=40.0, lon=22.0 + n / 1e5))


def weight(kg=1.0):
    return Event(WHEN, Weight(kg=kg))


def lift(cycle):
    return Event(WHEN, Lift(cycle=cycle, started=1, ended=2))


def held(outbox):
    return outbox.peek(ALL, 1_000_000, 1 << 40)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path):
    box = Outbox.open(path, MB)
    yield box
    box.close()


def test_numbers_begin_at_one_and_have_no_holes(outbox):
    assert outbox.append([weight(), pos()]).first == 1
    assert outbox.append([weight()]).last == 3
    assert [one.s for one in held(outbox)] == [1, 2, 3]


def test_a_record_keeps_its_time_and_data(outbox):
    outbox.append([weight(42.5)])
    (one,) = held(outbox)
    assert (one.t, one.mono, one.tq, one.k) == (WHEN.utc, WHEN.mono, "gnss", "weight")
    assert msgspec.json.decode(one.d, type=Weight).kg == 42.5


def test_acknowledged_records_go_and_numbers_go_on(outbox, path):
    outbox.append([weight() for _ in range(10)])
    outbox.acknowledge(7)
    assert [one.s for one in held(outbox)] == [8, 9, 10]
    outbox.acknowledge(3)
    assert outbox.acked == 7
    outbox.acknowledge(10)
    outbox.close()
    again = Outbox.open(path, MB)
    assert again.append([weight()]).first == 11
    assert (again.acked, again.held) == (10, 1)
    again.close()


def test_the_epoch_outlives_a_restart_and_not_the_file(outbox, path):
    epoch = outbox.epoch
    outbox.close()
    again = Outbox.open(path, MB)
    assert again.epoch == epoch
    again.close()
    for file in path.parent.iterdir():
        file.unlink()
    fresh = Outbox.open(path, MB)
    assert fresh.epoch != epoch
    assert fresh.head == 0
    fresh.close()


def test_a_session_number_grows_at_every_start_even_with_a_wrong_clock(outbox, path):
    assert outbox.begin_session(1_795_000_000) == 1_795_000_000
    assert outbox.begin_session(0) == 1_795_000_001


def test_lifts_are_chained_across_restarts(outbox, path):
    outbox.append([lift(1), lift(2)])
    outbox.acknowledge(2)
    outbox.close()
    again = Outbox.open(path, MB)
    again.append([lift(3)])
    lifts = [msgspec.convert(one, Lift, strict=False) for one in reversed(inspect(path)["last_lifts"])]
    assert [one.cycle for one in lifts] == [1, 2, 3]
    assert lifts[0].prev == ""
    assert all(before.hash == after.prev for before, after in pairwise(lifts))
    assert all(holds(one) for one in lifts)
    again.close()


@pytest.mark.parametrize("damage", ["garbage", "torn"])
def test_a_corrupt_file_is_kept_aside_and_a_new_epoch_begins(path, damage, caplog):
    outbox = Outbox.open(path, MB)
    epoch = outbox.epoch
    outbox.append([weight() for _ in range(2000)])
    outbox.close()
    whole = path.read_bytes()
    path.write_bytes(b"x" * 5000 if damage == "garbage" else whole[:4096] + os.urandom(8192) + whole[12288:])
    damaged = path.read_bytes()
    again = Outbox.open(path, MB)
    assert again.epoch != epoch
    assert again.set_aside is not None
    assert again.set_aside.read_bytes() == damaged
    assert "corrupt" in caplog.text
    again.close()


def test_two_agents_never_share_an_outbox(outbox, path):
    with pytest.raises(OutboxBusyError, match="another agent"):
        Outbox.open(path, MB)


def test_peek_respects_the_pack_size_but_always_gives_one(outbox):
    outbox.append([Event(WHEN, Alarm(code="x", on=True, info="y" * 5000)) for _ in range(10)])
    assert len(outbox.peek(ALL, 100, 12_000)) == 2
    assert len(outbox.peek(ALL, 100, 10)) == 1
    assert [one.s for one in outbox.peek(Ranges([(2, 3), (7, 9)]), 4, MB)] == [2, 3, 7, 8]


# Full


def gaps_of(outbox):
    return [msgspec.json.decode(one.d, type=Gap) for one in held(outbox) if one.k == "gap"]


def test_a_full_outbox_thins_every_second_position_before_all_and_accounts_for_each(path):
    outbox = Outbox.open(path, 65536)
    kinds = {}
    first_gap = None
    for n in range(400):
        before = outbox.head
        appended = outbox.append([pos(n), pos(n), weight()])
        kinds.update({one.s: one.k for one in outbox.peek(Ranges([(before + 1, outbox.head)]), 100, MB)})
        if appended.thinned and first_gap is None:
            first_gap = gaps_of(outbox)[0]
    singles = [first == last for first, last in first_gap.ranges]
    assert all(singles), "at first every second one, so no two neighbours"
    given_up = Ranges(pair for gap in gaps_of(outbox) for pair in gap.ranges)
    here = Ranges.of(one.s for one in held(outbox))
    assert sum(gap.n for gap in gaps_of(outbox)) == len(given_up) == outbox.given_up
    assert not given_up.common(here)
    given_up.update(here)
    assert given_up == Ranges([(1, outbox.head)])
    lost_kinds = {kinds[s] for s in kinds if s not in here}
    assert lost_kinds == {"pos"}
    outbox.close()


def test_when_no_position_is_left_others_still_go_in_and_positions_are_refused(path):
    outbox = Outbox.open(path, 65536)
    while not outbox.is_full:
        outbox.append([weight() for _ in range(50)])
    appended = outbox.append([pos(), lift(1), pos()])
    assert appended.refused == 2
    assert appended.last - appended.first == 0
    outbox.acknowledge(outbox.head)
    assert outbox.append([pos()]).refused == 0
    outbox.close()


def test_positions_on_their_way_are_not_thinned(path):
    outbox = Outbox.open(path, 65536)
    while not outbox.is_full:
        outbox.append([pos() for _ in range(50)])
    last = outbox.head
    assert outbox.append([pos()], spare=Ranges([(1, last)])).thinned == 0
    assert outbox.append([pos()], spare=Ranges([(1, 100)])).thinned > 0
    assert {one.s for one in held(outbox)} >= set(range(1, 101))
    outbox.close()


def test_a_gap_record_fits_into_a_pack(path):
    outbox = Outbox.open(path, 600_000)
    for _ in range(30):
        outbox.append([event for n in range(300) for event in (pos(n), weight())])
    assert gaps_of(outbox)
    assert all(len(one.d) < 20_000 for one in held(outbox) if one.k == "gap")
    outbox.close()


# Disk full


def fill_the_disk(outbox, pages=0):
    (now,) = outbox._db.execute("PRAGMA page_count").fetchone()
    outbox._db.execute(f"PRAGMA max_page_count = {now + pages}")


def free_the_disk(outbox):
    outbox._db.execute("PRAGMA max_page_count = 1000000")


def test_a_full_disk_stores_nothing_of_a_batch_and_keeps_what_there_is(outbox, path):
    outbox.append([weight() for _ in range(10)])
    fill_the_disk(outbox)
    with pytest.raises(OutboxStuckError, match="full"):
        outbox.append([lift(1), Event(WHEN, Alarm(code="x", on=True, info="y" * 50_000))])
    assert (outbox.head, outbox.held) == (10, 10)
    free_the_disk(outbox)
    assert outbox.append([lift(1)]).first == 11
    outbox.close()
    again = Outbox.open(path, MB)
    assert [one.s for one in held(again)] == list(range(1, 12))
    again.close()


def test_the_desk_keeps_events_while_the_disk_is_full_and_stores_them_when_there_is_room(outbox, caplog):
    desk = Collector(outbox)
    fill_the_disk(outbox)
    desk.add([Event(WHEN, Alarm(code="big", on=True, info="y" * 50_000))])
    assert desk.flush(Ranges()) is None
    desk.add([lift(1), lift(2)])
    assert desk.flush(Ranges()) is None
    assert "full" in desk.stuck
    assert caplog.text.count("kept in memory and tried again") == 1, "said once, not each second"
    free_the_disk(outbox)
    appended = desk.flush(Ranges())
    assert (appended.first, appended.last) == (1, 3)
    assert (len(desk), desk.stuck) == (0, "")


def test_the_desk_is_bounded_and_gives_up_positions_first(outbox):
    desk = Collector(outbox)
    fill_the_disk(outbox)
    desk.add([Event(WHEN, Alarm(code="big", on=True, info="y" * 50_000))])
    desk.flush(Ranges())
    desk.add([pos() for _ in range(TAIL - 2)])
    desk.add([lift(n) for n in range(100)])
    assert len(desk) == 101
    assert desk.dropped == TAIL - 2


def test_a_real_full_file_system_is_survived(tmp_path):
    """RLIMIT_FSIZE makes the kernel refuse to let the files grow, as a full disk does."""
    script = f"""
import resource, signal
from pathlib import Path
from asty_contracts.records import Alarm
from asty_edge.event import Event, Moment
from asty_edge.outbox import Outbox, OutboxStuckError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
box = Outbox.open(Path({str(tmp_path / "outbox.db")!r}), 1 << 30)
event = Event(Moment(1, 1, "none"), Alarm(code="x", on=True, info="y" * 1000))
soft = 300_000
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))
stored = 0
try:
    while stored < 5000:
        stored = box.append([event] * 10).last
except OutboxStuckError as error:
    print(type(error).__name__, stored == box.head)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(box.append([event]).last == stored + 1)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["OutboxStuckError", "True", "True"], done.stderr


# The end of the other end


def test_numbers_that_nobody_has_any_more_are_accounted_for_once(outbox):
    outbox.append([weight() for _ in range(10)])
    outbox.acknowledge(5)
    lost = outbox.lacking(Ranges([(3, 8), (40, 50)]))
    assert lost == Ranges([(3, 5)])
    outbox.account(lost, "not_held", WHEN)
    (gap,) = gaps_of(outbox)
    assert (gap.ranges, gap.n, gap.kind, gap.why) == (((3, 5),), 3, "any", "not_held")
    assert not outbox.lacking(Ranges([(3, 8)]))


def test_an_old_copy_of_the_file_begins_a_new_epoch_with_what_it_holds(outbox):
    outbox.append([weight(n) for n in range(10)] + [lift(1)])
    outbox.acknowledge(4)
    epoch = outbox.epoch
    outbox.renumber()
    assert outbox.epoch != epoch
    assert [one.s for one in held(outbox)] == list(range(1, 8))
    assert outbox.append([lift(2)]).first == 8


# Inspect


def test_inspect_reads_beside_a_running_agent_and_after_it(outbox, path):
    outbox.append([weight(), pos(), lift(1)])
    outbox.acknowledge(1)
    expected = {"head": 3, "acked": 1, "held": 2, "held_by_kind": {"lift": 1, "pos": 1}, "unacknowledged": [[2, 3]], "oldest": WHEN.utc}
    beside = inspect(path)
    assert beside.items() >= expected.items()
    outbox.append([weight()])
    outbox.close()
    assert inspect(path)["held"] == 3


def test_inspect_changes_nothing(outbox, path):
    outbox.append([weight()])
    outbox.close()
    before = path.read_bytes()
    inspect(path)
    assert path.read_bytes() == before


def test_inspect_of_nothing_says_so(path):
    with pytest.raises(FileNotFoundError, match="no outbox here yet"):
        inspect(path)
    assert not path.exists()


# Power and kill

WRITER = """
import sys
from pathlib import Path
from asty_contracts.records import Lift
from asty_edge.event import Event, Moment
from asty_edge.outbox import Outbox
box = Outbox.open(Path(sys.argv[1]), 1 << 30)
n = box.head
while True:
    n = box.append([Event(Moment(1, 1, "none"), Lift(cycle=i, started=1, ended=2)) for i in range(n + 1, n + 8)]).last
    print(n, flush=True)
"""


def test_kill_at_any_moment_loses_nothing_that_was_appended(path):
    promised = 0
    for kill_after in (1, 5, 20, 50):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(kill_after):
            promised = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest = writer.communicate()[0].split()
        promised = int(rest[-1]) if rest else promised
        outbox = Outbox.open(path, 1 << 30)
        records = held(outbox)
        assert outbox.head >= promised
        assert [one.s for one in records] == list(range(1, outbox.head + 1))
        lifts = [msgspec.json.decode(one.d, type=Lift) for one in records]
        assert [one.cycle for one in lifts] == list(range(1, len(lifts) + 1))
        assert all(before.hash == after.prev for before, after in pairwise(lifts))
        outbox.close()


def test_a_commit_waits_for_the_disk(outbox):
    assert outbox._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert outbox._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_refused_record_is_kept_in_the_file_named_in_a_gap_and_sent_no_more(path):
    outbox = Outbox.open(path, MB)
    outbox.append([weight(), pos(), weight()])
    appended = outbox.refuse(Ranges([(2, 2), (9, 12)]), WHEN)
    assert (appended.first, appended.last) == (4, 4), "only what is held is accounted for"
    assert [(one.s, one.k) for one in outbox.peek(Ranges([(1, 9)]), 10, MB)] == [(1, "weight"), (3, "weight"), (4, "gap")]
    gap = msgspec.json.decode(outbox.peek(Ranges([(4, 4)]), 1, MB)[0].d, type=Gap)
    assert (gap.ranges, gap.n, gap.why) == (((2, 2),), 1, "refused")
    assert outbox.refuse(Ranges([(2, 2)]), WHEN).last == 3 + 1, "named again, nothing more is written"
    outbox.acknowledge(4)
    outbox.close()
    report = inspect(path)
    assert (report["held"], [(s, k) for s, _, k in report["refused"]]) == (0, [(2, "pos")])
