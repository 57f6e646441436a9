"""The state of bins and alarms, folded in event time: late data never overwrites what is newer."""

from collections.abc import Iterable
from typing import Any

from asty_contracts.records import Alarm, Lift
from psycopg import AsyncConnection

from asty_stream.incoming import at
from asty_stream.rules.alarms import AlarmKey, alarm_changes, since
from asty_stream.rules.happened import Happened
from asty_stream.rules.lifts import bin_changes


async def fold_bins(connection: AsyncConnection[Any], lifts: Iterable[Happened[Lift]]) -> None:
    """Fold new lifts into `bin_state`, in the order of tags."""
    rows = []
    for tag, (newest, lifted) in sorted(bin_changes(lifts).items()):
        d = newest.d
        rows.append((tag, at(newest.t), newest.edge, newest.epoch, newest.s, d.gross, d.tare, d.net, d.lat, d.lon, list(d.flags), lifted))
    if not rows:
        return
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO telemetry.bin_state AS b (tag, t, edge, lift_epoch, lift_s, gross, tare, net, lat, lon, flags, lifts)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (tag) DO UPDATE SET
                (t, edge, lift_epoch, lift_s, gross, tare, net, lat, lon, flags, lifts) = (
                    SELECT n.t, n.edge, n.lift_epoch, n.lift_s, n.gross, n.tare, n.net, n.lat, n.lon, n.flags, b.lifts + excluded.lifts
                    FROM (
                        SELECT excluded.t, excluded.edge, excluded.lift_epoch, excluded.lift_s, excluded.gross, excluded.tare, excluded.net,
                               excluded.lat, excluded.lon, excluded.flags
                        UNION ALL SELECT b.t, b.edge, b.lift_epoch, b.lift_s, b.gross, b.tare, b.net, b.lat, b.lon, b.flags
                    ) AS n ORDER BY n.t DESC, n.lift_epoch DESC, n.lift_s DESC LIMIT 1)
            """,
            rows,
        )


async def fold_alarms(connection: AsyncConnection[Any], alarms: Iterable[Happened[Alarm]]) -> None:
    """Fold new alarms into `alarm_state`, in the order of edge, code and device."""
    changes = alarm_changes(alarms)
    if not changes:
        return
    keys = sorted(changes)
    cursor = await connection.execute(
        """
        SELECT edge, code, device, (extract(epoch FROM t) * 1000)::bigint, alarm_epoch, alarm_s,
               CASE WHEN active THEN (extract(epoch FROM since) * 1000)::bigint END
        FROM telemetry.alarm_state JOIN unnest(%s::text[], %s::text[], %s::text[]) AS k (edge, code, device) USING (edge, code, device)
        ORDER BY edge, code, device FOR UPDATE OF alarm_state
        """,
        [[key.edge for key in keys], [key.code for key in keys], [key.device for key in keys]],
    )
    known = {AlarmKey(*row[:3]): (row[3:6], row[6]) async for row in cursor}
    rows = []
    for key in keys:
        order, active_since = known.get(key, ((0, 0, 0), None))
        newer = [alarm for alarm in changes[key] if alarm.order > order]
        if newer:
            last = newer[-1]
            start = at(since(newer, active_since))
            rows.append((*key, last.d.on, start, at(last.t), last.epoch, last.s, last.d.severity, last.d.info))
    async with connection.cursor() as writer:
        await writer.executemany(
            """
            INSERT INTO telemetry.alarm_state AS a (edge, code, device, active, since, t, alarm_epoch, alarm_s, severity, info)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (edge, code, device) DO UPDATE SET active = excluded.active, since = excluded.since, t = excluded.t,
                alarm_epoch = excluded.alarm_epoch, alarm_s = excluded.alarm_s, severity = excluded.severity, info = excluded.info
            WHERE (excluded.t, excluded.alarm_epoch, excluded.alarm_s) > (a.t, a.alarm_epoch, a.alarm_s)
            """,
            rows,
        )
