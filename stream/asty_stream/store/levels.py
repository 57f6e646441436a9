"""The newest fill level of each bin, folded in event time, and what the planner is to be told of it."""

from collections.abc import Iterable
from typing import Any

from asty_contracts.records import Level
from asty_contracts.stream import PlanTrigger
from psycopg import AsyncConnection

from asty_stream.incoming import at
from asty_stream.rules.happened import Happened
from asty_stream.rules.levels import Known, judge_levels, level_changes


async def fold_levels(connection: AsyncConnection[Any], levels: Iterable[Happened[Level]], now: int, limit: float) -> list[PlanTrigger]:
    """Fold new readings into `bin_level`, in the order of tags, after the lifts of the same batch; returns the triggers that they raise."""
    changes = level_changes(levels)
    if not changes:
        return []
    tags = sorted(changes)
    known = await _known(connection, tags)
    rows, triggers = [], []
    for tag in tags:
        state, trigger = judge_levels(changes[tag], known.get(tag, Known()), now, limit)
        if trigger is not None:
            triggers.append(trigger)
        if state is not None:
            it, d = state.newest, state.newest.d
            seen = (d.sensor, d.level, d.dist, d.full_at, d.battery, d.tilt, d.rssi)
            rows.append((tag, at(it.t), it.edge, it.epoch, it.s, *seen, state.over, state.asked))
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO telemetry.bin_level AS l
                (tag, t, edge, level_epoch, level_s, sensor, level, dist, full_at, battery, tilt, rssi, over, asked)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (tag) DO UPDATE SET t = excluded.t, edge = excluded.edge, level_epoch = excluded.level_epoch,
                level_s = excluded.level_s, sensor = excluded.sensor, level = excluded.level, dist = excluded.dist,
                full_at = excluded.full_at, battery = excluded.battery, tilt = excluded.tilt, rssi = excluded.rssi,
                over = excluded.over, asked = greatest(l.asked, excluded.asked)
            WHERE (excluded.t, excluded.level_epoch, excluded.level_s) > (l.t, l.level_epoch, l.level_s)
            """,
            rows,
        )
    return triggers


async def _known(connection: AsyncConnection[Any], tags: list[str]) -> dict[str, Known]:
    """Read what is known of these bins, their rows of `bin_level` locked."""
    cursor = await connection.execute(
        """
        SELECT tag, (extract(epoch FROM t) * 1000)::bigint, level_epoch, level_s, over, asked FROM telemetry.bin_level
        WHERE tag = ANY(%s) ORDER BY tag FOR UPDATE
        """,
        [tags],
    )
    held = {row[0]: row[1:] async for row in cursor}
    cursor = await connection.execute(
        "SELECT tag, (extract(epoch FROM t) * 1000)::bigint FROM telemetry.bin_state WHERE tag = ANY(%s)", [tags]
    )
    lifted = dict([row async for row in cursor])
    return {
        tag: Known(tuple(held[tag][:3]), held[tag][3], held[tag][4], lifted.get(tag)) if tag in held else Known(lifted=lifted.get(tag))
        for tag in tags
    }
