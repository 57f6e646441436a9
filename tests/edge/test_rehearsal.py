"""Virtual edges number what they record, and their witness says the truth about what was appended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from asty_contracts.records import Health, Position, Weight
from asty_edge.event import Event, Moment
from asty_edge.outbox import Outbox, OutboxStuckError, inspect
from asty_edge.ranges import Ranges
from asty_edge.rehearsal.numbered import number_of, numbered
from asty_edge.rehearsal.witness import Witness, WitnessedOutbox
from hypothesis import given
from hypothesis import strategies as st

WHEN = Moment(1, 1_795_000_000_000, "rtc")
ALL = Ranges([(1, 1 << 40)])


@given(st.integers(1, 1 << 50))
def test_a_number_can_be_read_back_from_every_kind_of_record(n):
    assert number_of(numbered(n, "drill-001", uuid4())) == n


def test_the_agents_own_records_have_no_number():
    assert number_of(Health(up=1, head=2, acked=0, held=2)) == 0


@pytest.fixture
def outbox(tmp_path):
    box = WitnessedOutbox.open(tmp_path / "outbox.db", 65536)
    box.witness = Witness(tmp_path / "truth.jsonl")
    yield box
    box.close()


def lines(path: Path):
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def told(path: Path):
    """The witness's records by sequence: kind."""
    intended = {what[1]: what for what in lines(path) if what[0] == "i"}
    return {s: k for what in lines(path) if what[0] == "d" for s, k in zip(what[2], intended[what[1]][5], strict=True) if s}


def test_the_witness_knows_the_sequence_of_each_record_also_when_positions_are_thinned_and_refused(outbox, tmp_path):
    kinds = {}
    for n in range(300):
        batch = [Position(lat=1.0, lon=2.0, alt=float(n)), Weight(kg=float(n)), Position(lat=1.0, lon=2.0, alt=float(n))]
        before = outbox.head
        outbox.append([Event(WHEN, data) for data in batch * 3])
        new = outbox.peek(Ranges([(before + 1, outbox.head)]), 1000, 1 << 30)
        kinds.update({one.s: one.k for one in new if one.k != "gap"})
    assert outbox.given_up > 0
    assert told(tmp_path / "truth.jsonl") == kinds


def test_an_append_that_failed_was_intended_and_not_done(outbox, tmp_path):
    outbox.fill_disk(full=True)
    with pytest.raises(OutboxStuckError):
        outbox.append([Event(WHEN, numbered(n, "drill-001", outbox.epoch)) for n in range(1, 2000)])
    outbox.fill_disk(full=False)
    outbox.append([Event(WHEN, numbered(1, "drill-001", outbox.epoch))])
    assert [what[0] for what in lines(tmp_path / "truth.jsonl")] == ["i", "i", "d"]


def test_numbers_go_on_after_a_restart_and_a_torn_line_hides_nothing(outbox, tmp_path):
    outbox.append([Event(WHEN, numbered(n, "drill-001", outbox.epoch)) for n in range(1, 8)])
    truth = tmp_path / "truth.jsonl"
    with truth.open("ab") as file:
        file.write(b'["i",1,"half')
    witness = Witness(truth)
    assert witness.last == 7
    witness.did(witness.intends(outbox.epoch, [Event(WHEN, numbered(8, "drill-001", outbox.epoch))]), [8])
    assert Witness(truth).last == 8


def test_after_a_kill_everything_that_the_witness_is_sure_of_is_in_the_outbox(tmp_path, free_port):
    arguments = ["rehearse", "--folder", str(tmp_path), "--edges", "2", "--rate", "200", "--org", "demo", "--port", str(free_port())]
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-m", "asty_edge.cli", *arguments], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        truth = [tmp_path / f"drill-00{number}" / "truth.jsonl" for number in (1, 2)]
        grown = [path.stat().st_size if path.exists() else 0 for path in truth]
        while not all(path.exists() and path.stat().st_size > before + 20_000 for path, before in zip(truth, grown, strict=True)):
            assert time.monotonic() < end
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for path in truth:
            sure = told_of_torn(path)
            assert inspect(path.parent / "outbox.db")["head"] >= max(sure)
            outbox = Outbox.open(path.parent / "outbox.db", 1 << 30)
            here = {one.s: one.k for one in outbox.peek(ALL, 1 << 30, 1 << 40)}
            outbox.close()
            assert sure.items() <= here.items()


def told_of_torn(path: Path):
    whole = path.with_suffix(".whole")
    good = []
    for line in path.read_bytes().splitlines():
        try:
            msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        good.append(line)
    whole.write_bytes(b"\n".join(good))
    return told(whole)
