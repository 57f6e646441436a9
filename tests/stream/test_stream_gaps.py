"""A gap that stays open is told: how old it is, when it is an alarm, and when it no longer is."""

from typing import Any

import msgspec
import psycopg
import pytest
from asty_contracts.records import Position
from asty_contracts.stream import Alert
from asty_contracts.topics import ALERTS
from asty_process.environment import SettingsError
from asty_stream import settings
from asty_stream.rules.gaps import GapAlarm, OpenGap, judge_gaps, observe
from asty_stream.rules.timing import MINUTE
from asty_stream.store.gaps import watch_gaps
from asty_stream.store.maintain import maintain

T = 1_795_000_000_000
LATER = T + 10 * MINUTE


@pytest.mark.parametrize(
    ("known", "missing", "expected"),
    [
        ([], [(5, 9)], [OpenGap(5, 9, LATER, LATER)]),
        ([OpenGap(5, 9, T, T)], [(5, 9)], [OpenGap(5, 9, T, T)]),
        ([OpenGap(5, 9, T, T)], [(5, 30)], [OpenGap(5, 30, T, T)]),
        ([OpenGap(5, 9, T, T)], [(7, 9)], [OpenGap(7, 9, T, LATER)]),
        ([OpenGap(5, 99, T, T)], [(5, 20), (40, 99)], [OpenGap(5, 20, T, LATER), OpenGap(40, 99, T, LATER)]),
        ([OpenGap(5, 9, T, T)], [(20, 30)], [OpenGap(20, 30, LATER, LATER)]),
        ([OpenGap(5, 9, T, T)], [], []),
        ([OpenGap(5, 9, T, T), OpenGap(20, 30, T + 1, T + 2)], [(5, 9), (20, 30)], [OpenGap(5, 9, T, T), OpenGap(20, 30, T + 1, T + 2)]),
        ([OpenGap(20, 30, T + 1, T + 2), OpenGap(5, 9, T, T)], [(1, 40)], [OpenGap(1, 40, T, T)]),
    ],
    ids=["new", "unchanged", "grown", "shrunk", "split", "another", "filled", "two", "merged"],
)
def test_what_is_left_of_a_gap_is_as_old_as_it_and_idle_only_while_nothing_of_it_comes(
    known: list[OpenGap], missing: list[tuple[int, int]], expected: list[OpenGap]
) -> None:
    assert observe(known, missing, LATER, connected=True) == expected


def test_a_gap_is_not_idle_while_its_edge_is_away_and_has_no_chance_to_fill_it() -> None:
    assert observe([OpenGap(5, 9, T, T)], [(5, 9)], LATER, connected=False) == [OpenGap(5, 9, T, LATER)]


def test_the_alarm_begins_after_the_minutes_and_not_at_them() -> None:
    gap = OpenGap(5, 9, T, T)
    assert not judge_gaps([gap], T + 15 * MINUTE, 15, was_on=False).on
    assert judge_gaps([gap], T + 15 * MINUTE + 1, 15, was_on=False) == GapAlarm(True, "5 records are missing: 5-9")


def test_a_backlog_that_drains_is_no_alarm_however_long_it_takes_but_does_not_end_one_either() -> None:
    draining = OpenGap(5000, 90_000, T, LATER + 20 * MINUTE)
    now = LATER + 21 * MINUTE
    assert not judge_gaps([draining], now, 15, was_on=False).on
    assert judge_gaps([draining], now, 15, was_on=True).on


def test_the_alarm_counts_every_old_gap_and_no_young_one() -> None:
    gaps = [OpenGap(5, 9, T, T), OpenGap(20, 20, T, T), OpenGap(90, 99, LATER, LATER)]
    assert judge_gaps(gaps, T + 16 * MINUTE, 15, was_on=False).info == "6 records are missing: 5-9 and 1 more"


class Watched:
    """An edge with a gap, and rounds of upkeep at times of the test's choice."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.edge = store.edge()

    async def has_a_gap(self) -> None:
        """It is connected, has sent 1-3 and 7-8, and 4-6 are missing."""
        edge = self.edge
        await self.store.send(edge, [edge.record(Position(39.0, 22.0), self.store.now, s=s) for s in (1, 2, 3, 7, 8)])
        self.connect(up=True, ep=edge.ep)

    def connect(self, *, up: bool, ep: Any) -> None:
        self.store.ask("UPDATE telemetry.edge SET up = %s, ep = %s WHERE edge = %s RETURNING 1", up, ep, self.edge.name)

    async def round(self, minute: float) -> None:
        async with await psycopg.AsyncConnection.connect(self.store.dsn, autocommit=True) as connection:
            await watch_gaps(connection, minutes=15, now=self.store.now + int(minute * MINUTE))

    async def fill(self) -> None:
        await self.store.send(self.edge, [self.edge.record(Position(39.0, 22.0), self.store.now, s=s) for s in (4, 5, 6)])

    def open_alarms(self) -> list[Any]:
        return list(self.store.ask("SELECT code, info FROM telemetry.v_alarm_open WHERE edge = %s", self.edge.name))

    def told(self) -> list[Alert]:
        rows = self.store.ask(
            "SELECT value FROM telemetry.announcement WHERE topic = %s AND key = %s ORDER BY id", ALERTS.name, self.edge.name
        )
        return [msgspec.json.decode(value, type=Alert) for value in rows]


@pytest.fixture
async def watched(store: Any) -> Watched:
    one = Watched(store)
    await one.has_a_gap()
    return one


async def test_a_gap_that_stays_open_is_an_alarm_once_and_ends_when_it_is_filled(watched: Watched) -> None:
    await watched.round(0)
    await watched.round(14)
    assert watched.open_alarms() == []
    await watched.round(16)
    await watched.round(17)
    assert watched.open_alarms() == [("gap_open", "3 records are missing: 4-6")]
    await watched.fill()
    await watched.round(18)
    assert watched.open_alarms() == []
    assert [(alert.code, alert.on, alert.live, alert.t) for alert in watched.told()] == [
        ("gap_open", True, True, watched.store.now + 16 * MINUTE),
        ("gap_open", False, True, watched.store.now + 18 * MINUTE),
    ]
    history = watched.store.ask("SELECT code, active, severity FROM telemetry.v_alarm WHERE edge = %s ORDER BY t", watched.edge.name)
    assert history == [("gap_open", True, "warning"), ("gap_open", False, "warning")]


async def test_the_minutes_begin_when_the_edge_is_back(watched: Watched) -> None:
    watched.connect(up=False, ep=watched.edge.ep)
    for minute in (0, 300):
        await watched.round(minute)
    watched.connect(up=True, ep=watched.edge.ep)
    await watched.round(301)
    await watched.round(314)
    assert watched.open_alarms() == []
    await watched.round(316)
    assert len(watched.open_alarms()) == 1


async def test_what_a_lost_outbox_never_sent_is_shown_and_is_no_alarm_without_an_end(watched: Watched) -> None:
    await watched.round(0)
    await watched.round(16)
    assert len(watched.open_alarms()) == 1
    successor = watched.store.edge()
    successor.name = watched.edge.name
    await watched.store.send(successor, successor.positions(2, watched.store.now))
    watched.connect(up=True, ep=successor.ep)
    await watched.round(17)
    assert watched.open_alarms() == []
    rows = watched.store.ask("SELECT first, last, present FROM telemetry.v_missing WHERE edge = %s", watched.edge.name)
    assert rows == [(4, 6, False)]


async def test_a_missing_range_says_since_when_also_after_a_part_of_it_came(watched: Watched) -> None:
    await watched.round(0)
    await watched.store.send(watched.edge, [watched.edge.record(Position(39.0, 22.0), watched.store.now, s=5)])
    await watched.round(5)
    since = "(extract(epoch FROM since) * 1000)::bigint"
    rows = watched.store.ask(f"SELECT first, last, {since} FROM telemetry.v_missing WHERE edge = %s ORDER BY 1", watched.edge.name)
    assert rows == [(4, 4, watched.store.now), (6, 6, watched.store.now)]


async def test_upkeep_watches_gaps_with_the_minutes_it_is_given(watched: Watched) -> None:
    await watched.round(-2)
    await maintain(watched.store.dsn, 1)
    assert len(watched.open_alarms()) == 1


def test_the_minutes_are_a_setting() -> None:
    assert settings.read_gap_minutes({}) == 15
    assert settings.read_gap_minutes({"ASTY_STREAM_GAP_MINUTES": "30"}) == 30
    with pytest.raises(SettingsError, match="ASTY_STREAM_GAP_MINUTES"):
        settings.read_gap_minutes({"ASTY_STREAM_GAP_MINUTES": "0"})
