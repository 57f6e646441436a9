"""From alarms: who must be told now, and the state of each alarm."""

from collections.abc import Iterable
from typing import NamedTuple

from asty_contracts.records import Alarm
from asty_contracts.stream import Alert

from asty_stream.rules.happened import Happened
from asty_stream.rules.timing import LATE


class AlarmKey(NamedTuple):
    edge: str
    code: str
    device: str  # empty: the edge as a whole


def is_live(alarm: Happened[Alarm], now: int) -> bool:
    """Tell whether an alarm is news: it happened within five minutes, with a credible time, and came over the live lane."""
    return alarm.credible and not alarm.backlog and now - alarm.t <= LATE


def judge(alarm: Happened[Alarm], now: int) -> Alert:
    """Turn an alarm into an alert; one that is not live is history, which raises no page."""
    d = alarm.d
    return Alert(alarm.org, alarm.edge, alarm.t, d.code, d.on, d.severity, is_live(alarm, now), d.device, d.info)


def alarm_changes(alarms: Iterable[Happened[Alarm]]) -> dict[AlarmKey, list[Happened[Alarm]]]:
    """Group credible alarms by what they are about, oldest first, so that each state is folded in event time."""
    changes: dict[AlarmKey, list[Happened[Alarm]]] = {}
    for alarm in sorted((it for it in alarms if it.credible), key=lambda it: it.order):
        changes.setdefault(AlarmKey(alarm.edge, alarm.d.code, alarm.d.device or ""), []).append(alarm)
    return changes


def since(changes: list[Happened[Alarm]], was_active_since: int | None) -> int:
    """Return since when the newest state holds: an alarm that is said again began when it was first said."""
    start = was_active_since
    for alarm in changes:
        if alarm.d.on and start is None:
            start = alarm.t
        elif not alarm.d.on:
            start = None
    return changes[-1].t if start is None else start
