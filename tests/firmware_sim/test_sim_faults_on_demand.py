"""Anybody can break something in a running town by appending a line to a file."""

from pathlib import Path

import pytest
from asty_firmware_sim.fault_lines import FaultLineError, FaultLines, parse
from asty_firmware_sim.scenario import FaultSpec, load

DEMO = load("demo")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("gnss_loss truck-01 60", FaultSpec(name="gnss_loss", where="truck-01", lasts=60.0)),
        ("no_tag truck-02", FaultSpec(name="no_tag", where="truck-02")),
        ("  unplugged_serial   truck-03 5.5 scale\n", FaultSpec(name="unplugged_serial", where="truck-03", lasts=5.5, device="scale")),
    ],
)
def test_a_line_is_a_fault(line: str, fault: FaultSpec) -> None:
    assert parse(line, DEMO) == fault


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("gnss_loss", "expected <name> <edge>"),
        ("meteor truck-01", "meteor"),
        ("gnss_loss truck-77", "none of truck-01"),
        ("gnss_loss truck-01 soon", "no number"),
        ("gnss_loss truck-01 nan", "gnss_loss"),
        ("gnss_loss truck-01 -5", "gnss_loss"),
        ("unplugged_serial truck-01 5 wheel", "wheel"),
        ("a b c d e", "expected <name> <edge>"),
    ],
)
def test_a_line_that_is_none_is_refused_with_what_was_expected(line: str, said: str) -> None:
    with pytest.raises(FaultLineError, match=said):
        parse(line, DEMO)


def test_only_whole_new_lines_are_read_and_each_once(tmp_path: Path) -> None:
    file = tmp_path / "faults"
    file.write_text("no_tag truck-01\n")
    lines = FaultLines(file)
    assert lines.new() == []
    with file.open("a") as out:
        out.write("no_tag truck-02\n# a remark\n\nno_tag tru")
    assert lines.new() == ["no_tag truck-02"]
    with file.open("a") as out:
        out.write("ck-03\n")
    assert lines.new() == ["no_tag truck-03"]
    assert lines.new() == []


def test_a_file_that_was_emptied_or_lost_is_followed_on(tmp_path: Path) -> None:
    file = tmp_path / "faults"
    lines = FaultLines(file)
    file.write_text("no_tag truck-01\nno_tag truck-02\n")
    assert len(lines.new()) == 2
    file.write_text("gnss_loss truck-01\n")
    assert lines.new() == ["gnss_loss truck-01"]
    file.unlink()
    assert lines.new() == []
