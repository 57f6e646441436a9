"""Watches missing ranges from round to round, and raises the alarm `gap_open` for an edge that is connected and leaves one open."""

from typing import Any

import msgspec
from asty_contracts.stream import Alert
from asty_contracts.topics import ALERTS
from psycopg import AsyncConnection

from asty_stream.incoming import at
from asty_stream.rules.gaps import GapAlarm, OpenGap, judge_gaps, observe

CODE = "gap_open"
SEVERITY = "warning"
MOST = 200
"""Ranges watched of one epoch, the lowest first: as many as an acknowledgement names."""


async def watch_gaps(connection: AsyncConnection[Any], *, minutes: float, now: int) -> int:
    """Note what is missing of every epoch and tell of edges whose alarm begins or ends; returns how many do.

    Only an edge's present epoch counts for the alarm: of an outbox that was lost nothing comes any more, and `outbox_lost` has said so.
    """
    changed = 0
    for epoch, org, edge, connected, is_present, missing in await _epochs(connection):
        async with connection.transaction():
            gaps = observe(await _known(connection, epoch), missing, now, connected=connected)
            await _keep(connection, epoch, gaps)
            if not is_present:
                continue
            was_on = await _is_on(connection, edge)
            alarm = judge_gaps(gaps, now, minutes, was_on=was_on)
            if alarm.on != was_on:
                await _tell(connection, org, edge, epoch, alarm, now)
                changed += 1
    return changed


async def _epochs(connection: AsyncConnection[Any]) -> list[tuple[int, str, str, bool, bool, list[tuple[int, int]]]]:
    """Return the epochs that lack something, lacked something, or whose edge's alarm is on."""
    cursor = await connection.execute(
        """
        SELECT l.epoch, l.org, l.edge, coalesce(e.up, false), l.ep = e.ep IS TRUE,
               ARRAY(SELECT lower(r) FROM unnest(l.missing_ranges) AS r ORDER BY r LIMIT %(most)s),
               ARRAY(SELECT upper(r) - 1 FROM unnest(l.missing_ranges) AS r ORDER BY r LIMIT %(most)s)
        FROM telemetry.v_ledger AS l JOIN telemetry.edge AS e USING (edge)
        WHERE l.missing > 0 OR EXISTS (SELECT FROM telemetry.open_gap AS g WHERE g.epoch = l.epoch)
            OR (l.ep = e.ep AND EXISTS (SELECT FROM telemetry.alarm_state AS a WHERE a.edge = l.edge AND a.code = %(code)s AND a.active))
        ORDER BY l.edge, l.epoch
        """,
        {"most": MOST, "code": CODE},
    )
    return [(*row[:5], list(zip(row[5], row[6], strict=True))) async for row in cursor]


async def _known(connection: AsyncConnection[Any], epoch: int) -> list[OpenGap]:
    cursor = await connection.execute(
        """
        SELECT first, last, (extract(epoch FROM since) * 1000)::bigint, (extract(epoch FROM idle) * 1000)::bigint
        FROM telemetry.open_gap WHERE epoch = %s
        """,
        [epoch],
    )
    return [OpenGap(*row) async for row in cursor]


async def _keep(connection: AsyncConnection[Any], epoch: int, gaps: list[OpenGap]) -> None:
    await connection.execute("DELETE FROM telemetry.open_gap WHERE epoch = %s", [epoch])
    await connection.execute(
        """
        INSERT INTO telemetry.open_gap (epoch, first, last, since, idle)
        SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
        """,
        [epoch, [gap.first for gap in gaps], [gap.last for gap in gaps], [at(gap.since) for gap in gaps], [at(gap.idle) for gap in gaps]],
    )


async def _is_on(connection: AsyncConnection[Any], edge: str) -> bool:
    cursor = await connection.execute(
        "SELECT active FROM telemetry.alarm_state WHERE edge = %s AND code = %s AND device = '' FOR UPDATE", [edge, CODE]
    )
    return await cursor.fetchone() == (True,)


async def _tell(connection: AsyncConnection[Any], org: str, edge: str, epoch: int, alarm: GapAlarm, now: int) -> None:
    """Change the alarm's state, keep it as history, and write down what Kafka and listeners must be told."""
    await connection.execute(
        """
        INSERT INTO telemetry.alarm_state AS a (edge, code, device, active, since, t, alarm_epoch, alarm_s, severity, info)
        VALUES (%(edge)s, %(code)s, '', %(on)s, %(t)s, %(t)s, %(epoch)s, 0, %(severity)s, %(info)s)
        ON CONFLICT (edge, code, device) DO UPDATE SET active = excluded.active, since = excluded.since, t = excluded.t,
            alarm_epoch = excluded.alarm_epoch, alarm_s = 0, severity = excluded.severity, info = excluded.info
        """,
        {"edge": edge, "code": CODE, "on": alarm.on, "t": at(now), "epoch": epoch, "severity": SEVERITY, "info": alarm.info},
    )
    await connection.execute(
        "INSERT INTO telemetry.store_alarm (edge, epoch, t, code, active, severity, info) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [edge, epoch, at(now), CODE, alarm.on, SEVERITY, alarm.info],
    )
    alert = Alert(org, edge, now, CODE, alarm.on, SEVERITY, True, None, alarm.info)
    await connection.execute(
        "INSERT INTO telemetry.announcement (topic, key, value) VALUES (%s, %s, %s)", [ALERTS.name, edge, msgspec.json.encode(alert)]
    )
    await connection.execute(
        "SELECT pg_notify('telemetry_changed', json_build_object('edge', %s::text, 'kinds', json_build_array('alarm'))::text)", [edge]
    )
