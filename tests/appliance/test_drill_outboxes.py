"""What a drill does to outboxes, and reads of the witnesses' files."""

from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from asty_appliance.drill import outboxes, truthfiles
from asty_contracts.records import Weight
from asty_edge.event import Event, Moment
from asty_edge.outbox import Outbox

EPOCH = "3cb733c9-fee1-46b3-86e2-a5dea16a7225"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "drill-001"
    folder.mkdir()
    outbox = Outbox.open(folder / "outbox.db", 1 << 20)
    outbox.append([Event(Moment(1, 2, "rtc"), Weight(kg=float(n))) for n in range(1, 11)])
    outbox.acknowledge(4)
    outbox.close()
    return folder


def epoch_of(folder: Path) -> UUID:
    outbox = Outbox.open(folder / "outbox.db", 1 << 20)
    outbox.close()
    return outbox.epoch


def test_a_deleted_outbox_is_gone_and_what_it_held_is_known(folder: Path) -> None:
    epoch = epoch_of(folder)
    assert outboxes.delete(folder) == outboxes.Destroyed("drill-001", epoch, (5, 6, 7, 8, 9, 10))
    assert epoch_of(folder) != epoch
    for path in folder.iterdir():
        path.unlink()
    assert outboxes.delete(folder) is None


@pytest.mark.parametrize("chance", [0.0, 0.3, 0.999999])
def test_exactly_one_bit_is_flipped_where_it_is_said(folder: Path, chance: float) -> None:
    before = (folder / "outbox.db").read_bytes()
    flip = outboxes.flip(folder, chance)
    after = (folder / "outbox.db").read_bytes()
    assert flip is not None
    assert flip.file == "outbox.db"
    assert [at for at in range(len(before)) if before[at] != after[at]] == [flip.byte]
    assert before[flip.byte] ^ after[flip.byte] == 1 << flip.bit


def test_after_a_kill_the_bit_may_be_in_the_log(folder: Path) -> None:
    outbox = Outbox.open(folder / "outbox.db", 1 << 20)
    outbox.append([Event(Moment(1, 2, "rtc"), Weight(kg=1.0))])
    log = folder / "outbox.db-wal"
    before = log.read_bytes()
    flip = outboxes.flip(folder, 0.75)
    assert flip == outboxes.Flip("drill-001", log.name, len(before) // 2, 0)
    assert log.read_bytes() != before
    outbox.close()


def truth(tmp_path: Path, *lines: list[object] | bytes) -> list[truthfiles.Appended]:
    folder = tmp_path / "drill-007"
    folder.mkdir()
    (folder / "truth.jsonl").write_bytes(b"\n".join(line if isinstance(line, bytes) else msgspec.json.encode(line) for line in lines))
    return list(truthfiles.read(tmp_path))


def test_an_append_that_returned_is_sure_and_one_that_was_interrupted_is_not(tmp_path: Path) -> None:
    records = truth(
        tmp_path,
        ["i", 0, EPOCH, [1, 0], [7, 8], ["pos", "health"]],
        ["d", 0, [1, 2]],
        ["i", 99, EPOCH, [2], [9], ["weight"]],
        b'["d",99,[3',
    )
    assert records == [
        truthfiles.Appended("drill-007", 0, EPOCH, 8, "health", 2, sure=True),
        truthfiles.Appended("drill-007", 1, EPOCH, 7, "pos", 1, sure=True),
        truthfiles.Appended("drill-007", 2, EPOCH, 9, "weight", None, sure=False),
    ]


def test_a_record_that_a_full_disk_refused_at_first_comes_once(tmp_path: Path) -> None:
    records = truth(
        tmp_path,
        ["i", 0, EPOCH, [1], [7], ["pos"]],
        ["i", 50, EPOCH, [1], [7], ["pos"]],
        ["d", 50, [4]],
    )
    assert records == [truthfiles.Appended("drill-007", 1, EPOCH, 7, "pos", 4, sure=True)]
