"""Which bins become tickets: tags that are missing, unread, unknown, or on another bin."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asty_cloud_api.board.tickets import Finding, KnownBin, Reading, Visit, find
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
A = KnownBin("A", "AAAAAAAA", 39.3600, 22.9500)
B = KnownBin("B", "BBBBBBBB", 39.3620, 22.9500)  # 222 m up the street
C = KnownBin("C", None, 39.3640, 22.9500)
BINS = (A, B, C)


def lift(days_ago: float, tag: str | None, place: KnownBin | None, *, off: float = 0.0) -> Reading:
    lat, lon = (place.lat + off / 111_195, place.lon) if place else (None, None)
    return Reading(NOW - timedelta(days=days_ago), "truck-01", tag, lat, lon)


def visit(days_ago: float, name: str, *, read: bool) -> Visit:
    at = NOW - timedelta(days=days_ago)
    return Visit(name, at.date(), at, read)


def kinds(*readings: Reading, visits: tuple[Visit, ...] = (), settled: dict[str, datetime] | None = None) -> list[tuple[Any, ...]]:
    return [(found.kind, found.bin, found.other, found.times) for found in find(BINS, readings, visits, settled)]


@pytest.mark.parametrize(
    ("said", "readings", "expected"),
    [
        ("all is well", [lift(1, "AAAAAAAA", A, off=5), lift(2, "BBBBBBBB", B, off=-12)], []),
        ("once is chance", [lift(1, "AAAAAAAA", B)], []),
        ("twice at B's place", [lift(2, "AAAAAAAA", B), lift(1, "AAAAAAAA", B)], [("swapped", "A", "B", 2)]),
        (
            "two bins with each other's tags are one ticket",
            [lift(2, "AAAAAAAA", B), lift(1, "AAAAAAAA", B), lift(2, "BBBBBBBB", A), lift(1, "BBBBBBBB", A)],
            [("swapped", "A", "B", 2)],
        ),
        ("it came home again", [lift(3, "AAAAAAAA", B), lift(2, "AAAAAAAA", B), lift(1, "AAAAAAAA", A)], []),
        ("where no bin stands", [lift(2, "AAAAAAAA", A, off=111), lift(1, "AAAAAAAA", A, off=111)], [("moved", "A", None, 2)]),
        ("a sloppy position is no move", [lift(2, "AAAAAAAA", A, off=45), lift(1, "AAAAAAAA", A, off=50)], []),
        ("without a position nothing is said", [lift(2, "AAAAAAAA", None), lift(1, None, None)], []),
        ("lifted without a tag", [lift(2, None, A), lift(1, None, A, off=8)], [("no_tag", "A", None, 2)]),
        ("the tag was read since", [lift(3, None, A), lift(2, None, A), lift(1, "AAAAAAAA", A)], []),
        ("between two bins it can't be told", [lift(2, None, A, off=111), lift(1, None, A, off=111)], []),
        ("a tag that nobody knows", [lift(2, "CCCCCCCC", C), lift(1, "CCCCCCCC", C)], [("unknown_tag", "C", None, 2)]),
        ("a strange tag where the own one is still read", [lift(3, "EEEEEEEE", A), lift(2, "EEEEEEEE", A), lift(1, "AAAAAAAA", A)], []),
    ],
)
def test_lifts_tell_what_is_wrong_with_a_tag(said: str, readings: list[Reading], expected: list[tuple[Any, ...]]) -> None:
    assert kinds(*readings) == expected, said


def test_a_tag_that_three_visits_did_not_read_is_a_ticket_and_one_reading_ends_it() -> None:
    three = tuple(visit(n, "A", read=False) for n in (3, 2, 1))
    assert kinds(visits=three) == [("never_read", "A", None, 3)]
    assert kinds(visits=three[:2]) == []
    assert kinds(visits=(*three, visit(0.5, "A", read=True))) == []
    assert kinds(visits=(visit(4, "A", read=True), *three)) == [("never_read", "A", None, 3)]


def test_what_was_settled_makes_no_ticket_again_until_it_happens_again() -> None:
    readings = [lift(5, None, A), lift(4, None, A)]
    settled = {"A": NOW - timedelta(days=3)}
    assert kinds(*readings, settled=settled) == []
    assert kinds(*readings, lift(2, None, A), lift(1, None, A), settled=settled) == [("no_tag", "A", None, 2)]
    unread = tuple(visit(n, "A", read=False) for n in (6, 5, 4))
    assert kinds(visits=unread, settled=settled) == []


def test_the_finding_says_since_when_and_how_far() -> None:
    (found,) = find(BINS, [lift(2, "AAAAAAAA", B), lift(1, "AAAAAAAA", B)], [])
    assert found == Finding("swapped", "A", NOW - timedelta(days=2), NOW - timedelta(days=1), 2, "B", "AAAAAAAA", 222)


readings = st.builds(
    lift,
    st.floats(0, 20),
    st.sampled_from(["AAAAAAAA", "BBBBBBBB", "CCCCCCCC", None]),
    st.sampled_from([*BINS, None]),
    off=st.floats(-300, 300),
)
visits = st.builds(visit, st.floats(1, 20), st.sampled_from(["A", "B", "C", "gone"]), read=st.booleans())


@given(st.lists(readings, max_size=25), st.lists(visits, max_size=12), st.randoms())
def test_a_bin_has_one_ticket_at_most_whatever_the_order(lifts: list[Reading], seen: list[Visit], chance: Any) -> None:
    found = find(BINS, lifts, seen)
    assert len({one.bin for one in found}) == len(found)
    assert {one.bin for one in found} <= {"A", "B", "C"}
    assert all(one.first <= one.last <= NOW and one.times >= 2 for one in found)
    if len({r.at for r in lifts}) == len(lifts) and len({v.at for v in seen}) == len(seen):
        chance.shuffle(lifts)
        assert find(BINS, lifts, seen) == found
