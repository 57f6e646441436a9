"""From a sensor's reading to a trigger of the planner: the rule by tables, and the store that keeps it."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from asty_contracts.records import Level, Lift
from asty_contracts.stream import PlanTrigger, overflow_id
from asty_contracts.topics import PLAN_TRIGGERS
from asty_stream.rules.happened import Happened
from asty_stream.rules.levels import Known, judge_levels, level_changes

NOW = 1_795_600_000_000  # 2026-11-25T09:46:40Z
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
TODAY, YESTERDAY = date(2026, 11, 25), date(2026, 11, 24)
SENSOR = "24E124713B042517"
UNKNOWN = Known()


def reading(level: float | None, t: int = NOW, *, s: int = 1, full_at: float | None = None, tilt: Any = "no") -> Any:
    d = Level("AA", SENSOR, level, full_at=full_at, tilt=tilt)
    return Happened("demo", "gate-1", UUID(int=1), 1, s, t, True, False, d)


def told(levels: list[Any], known: Known = UNKNOWN) -> tuple[bool, int]:
    """Whether the bin is over its limit at the end, and how often that was told when the readings come one by one."""
    triggers = 0
    for one in levels:
        state, trigger = judge_levels([one], known, NOW, 80.0)
        triggers += trigger is not None
        if state is not None:
            known = Known(state.newest.order, state.over, state.asked, known.lifted)
    return known.over, triggers


@pytest.mark.parametrize(
    ("levels", "over", "triggers"),
    [
        ([79.9], False, 0),
        ([80.0], True, 1),
        ([81.0, 79.0, 83.0, 66.0, 90.0], True, 1),  # what shifts in a bin is no news
        ([81.0, 64.0], False, 1),
        ([81.0, 64.0, 95.0], True, 1),  # once a day, even when it was emptied between
        ([None], False, 0),  # a dead probe is no empty bin, and no full one
        ([81.0, None], True, 1),
    ],
)
def test_a_bin_over_its_limit_is_told_once_a_day_and_stays_over_until_well_below(levels: Any, over: bool, triggers: int) -> None:
    assert told([reading(level, NOW + n * MINUTE, s=n + 1) for n, level in enumerate(levels)]) == (over, triggers)


def test_a_bin_that_is_still_full_on_the_next_day_is_told_again() -> None:
    known = Known((NOW - DAY, 1, 1), over=True, asked=YESTERDAY)
    state, trigger = judge_levels([reading(78.0)], known, NOW, 80.0)
    assert trigger is not None
    assert (trigger.kind, trigger.subject, trigger.said_by, trigger.id) == ("overflow", "AA", "sensor", overflow_id("AA", TODAY))
    assert state is not None
    assert state.asked == TODAY


def test_the_sensors_own_limit_goes_before_the_towns() -> None:
    assert told([reading(60.0, full_at=55.0)]) == (True, 1)
    assert told([reading(85.0, full_at=95.0)]) == (False, 0)


def test_a_lid_that_stands_open_says_nothing_of_what_is_below() -> None:
    assert told([reading(99.0, tilt="yes")]) == (False, 0)


def test_what_a_backlog_brings_of_yesterday_sends_no_truck() -> None:
    assert told([reading(99.0, NOW - DAY)]) == (True, 0)


def test_a_reading_from_before_the_last_lift_sends_no_truck() -> None:
    assert told([reading(99.0)], Known(lifted=NOW + MINUTE)) == (False, 0)
    assert told([reading(70.0, NOW + 2 * MINUTE)], Known((NOW, 1, 0), over=True, lifted=NOW + MINUTE)) == (False, 0)


def test_readings_are_folded_by_bin_in_event_time() -> None:
    first, second = reading(90.0, NOW - MINUTE, s=2), reading(20.0, NOW, s=1)
    assert level_changes([second, first]) == {"AA": [first, second]}
    assert judge_levels([first], Known(second.order), NOW, 80.0) == (None, None)


async def test_a_stored_reading_over_its_limit_becomes_one_message_for_the_planner(store: Any) -> None:
    edge, tag = store.edge(), uuid4().hex[:16].upper()

    def messages() -> list[PlanTrigger]:
        rows = store.ask("SELECT value FROM telemetry.announcement WHERE topic = %s AND key = %s", PLAN_TRIGGERS.name, tag)
        return [msgspec.json.decode(row, type=PlanTrigger) for row in rows]

    t = store.now - 10_000
    await store.send(edge, [edge.record(Level(tag, SENSOR, 60.0, 0.5), t)])
    assert messages() == []
    records = [edge.record(Level(tag, SENSOR, 88.0, 0.2, battery=91.0), t + 1000), edge.record(Level(tag, SENSOR, 89.0, 0.2), t + 2000)]
    await store.send(edge, records)
    await store.send(edge, records)  # once more, as after a lost acknowledgement
    [trigger] = messages()
    assert (trigger.kind, trigger.subject, trigger.said_by, trigger.t) == ("overflow", tag, "sensor", t + 1000)
    assert trigger.detail == {"level": 88.0, "full_at": 80.0, "sensor": SENSOR, "edge": edge.name}
    assert store.ask("SELECT level, over FROM telemetry.v_bin_level WHERE tag = %s", tag) == [(89.0, True)]
    assert store.ask("SELECT level, dist FROM telemetry.v_level WHERE bin = %s ORDER BY t", tag) == [(60.0, 0.5), (88.0, 0.2), (89.0, 0.2)]
    lifted = edge.record(Lift(1, t + 3000, t + 4000, tag=tag, net=80.0), t + 4000)
    await store.send(edge, [lifted, edge.record(Level(tag, SENSOR, 70.0, 0.9), t + 5000)])
    assert store.ask("SELECT level, over FROM telemetry.v_bin_level WHERE tag = %s", tag) == [(70.0, False)]
    assert len(messages()) == 1
