"""Upkeep on both engines: rollups say what the records say, old data goes, new weeks have a place."""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from asty_contracts.records import Engine, Fuel, Lift, Position
from asty_stream.migrate import migrate
from asty_stream.store.maintain import LOCK, maintain
from asty_stream.store.partitions import week_of
from asty_stream.store.rollups import ROLLED_UP
from asty_stream.store.tables import PREFIX, TABLES

HOUR = 3_600_000
DAY = 24 * HOUR


def day_of_work(edge: Any, start: int) -> list[Any]:
    """Records of some hours: lifts with and without tag and weight, driving, fuel, engine."""
    records = []
    for n in range(8):
        t = start + n * HOUR // 2
        records += [
            edge.record(
                Lift(n, t, t, tag=None if n % 4 == 0 else f"AA00000{n}", net=None if n % 3 == 0 else 10.0 * n, stable=n % 3 != 0), t
            ),
            edge.record(Position(39.0, 22.0, v=float(n)), t + 1000),
            edge.record(Fuel(level=90.0 - n, total=1000.0 + n * 2), t + 2000),
            edge.record(Engine(dist=5000.0 * n, hours=100 + n / 2), t + 3000),
        ]
    return records


COUNTED = """
    SELECT {bucket} AS b, count(*) FILTER (WHERE k = 'lift'), count(net), sum(net), count(*) FILTER (WHERE k = 'lift' AND tag IS NULL),
        count(*) FILTER (WHERE k = 'pos'), max(v), max(total) - min(total), min(level), max(dist) - min(dist), max(hours) - min(hours)
    FROM (
        SELECT 'lift' AS k, t, edge, marks, tag, net, NULL::float8 AS v, NULL::float8 AS total, NULL::float8 AS level, NULL::float8 AS dist,
            NULL::float8 AS hours FROM telemetry.lift
        UNION ALL SELECT 'pos', t, edge, marks, NULL, NULL, v, NULL, NULL, NULL, NULL FROM telemetry.position
        UNION ALL SELECT 'fuel', t, edge, marks, NULL, NULL, NULL, total, level, NULL, NULL FROM telemetry.fuel
        UNION ALL SELECT 'engine', t, edge, marks, NULL, NULL, NULL, NULL, NULL, dist, hours FROM telemetry.engine
    ) AS r WHERE edge = %s AND marks IS NULL GROUP BY b ORDER BY b
"""
ROLLED = """
    SELECT bucket, lifts, weighed, net, untagged, positions, top_v, fuel_l, level_low, distance_m, engine_h
    FROM telemetry.v_{period} WHERE edge = %s ORDER BY 1
"""
HOURLY = "date_trunc('hour', t)"
DAILY = "(telemetry.service_day(t)::timestamp + interval '5 hours') AT TIME ZONE 'Europe/Athens'"


def assert_rolled_up(store: Any, edge: Any) -> None:
    for period, bucket in (("hourly", HOURLY), ("daily", DAILY)):
        counted = store.ask(COUNTED.format(bucket=bucket), edge.name)
        assert counted
        assert store.ask(ROLLED.format(period=period), edge.name) == counted, period


async def test_rollups_say_what_the_records_say_also_after_late_and_impossible_ones(store: Any) -> None:
    edge = store.edge()
    start = store.now - 3 * DAY
    records = day_of_work(edge, start)
    await store.send(edge, records[16:])
    await maintain(store.dsn)
    assert_rolled_up(store, edge)
    ahead = store.now + 30 * DAY
    await store.send(edge, [*records[:16], edge.record(Lift(9, ahead, ahead, net=5.0), ahead)], h=True)
    await maintain(store.dsn)
    assert_rolled_up(store, edge)
    [[lifts]] = [store.ask("SELECT sum(lifts)::int FROM telemetry.v_daily WHERE edge = %s", edge.name)]
    assert lifts == 8


async def test_a_day_is_counted_from_five_to_five_local_time(store: Any) -> None:
    edge = store.edge()
    five = int(datetime.fromisoformat("2026-10-25T03:00:00+00:00").timestamp() * 1000)  # 05:00 after the clocks went back
    store.now = five + DAY
    await store.send(edge, [edge.record(Lift(n, t, t, net=1.0), t) for n, t in enumerate((five - 1000, five, five + 20 * HOUR))])
    await maintain(store.dsn)
    assert store.ask("SELECT day::text, lifts FROM telemetry.v_daily WHERE edge = %s ORDER BY day", edge.name) == [
        ("2026-10-24", 1),
        ("2026-10-25", 2),
    ]


async def test_what_is_older_than_it_is_kept_goes_and_the_rest_stays(store: Any) -> None:
    edge = store.edge()
    past = store.now - 100 * DAY
    store.now, now = past, store.now
    await store.send(edge, [edge.record(Position(39.0, 22.0), past), edge.record(Lift(1, past, past), past)])
    store.now = now
    await store.send(edge, edge.positions(2, now - 5000))
    await maintain(store.dsn)
    kept = "SELECT s FROM telemetry.{} WHERE edge = %s ORDER BY s"
    assert store.ask(kept.format("position"), edge.name) == [3, 4], "positions are kept for 90 days"
    assert store.ask(kept.format("lift"), edge.name) == [2], "lifts are kept for years"


async def test_a_record_that_comes_after_its_week_was_compressed_is_stored(store: Any) -> None:
    edge = store.edge()
    old = store.now - 45 * DAY
    await store.send(edge, edge.positions(3, old), h=True)
    await maintain(store.dsn)
    if store.engine == "timescale":
        assert store.ask(
            "SELECT count(*) > 0 FROM timescaledb_information.chunks WHERE is_compressed AND hypertable_name = 'position'"
        ) == [True]
    await store.send(edge, edge.positions(3, old + 60_000), h=True)
    await maintain(store.dsn)
    assert store.sequences(edge) == [1, 2, 3, 4, 5, 6]
    assert_rolled_up(store, edge)


async def test_retention_is_never_set_below_what_an_offline_edge_may_still_send(store: Any) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        store.ask("UPDATE telemetry.retention SET keep = interval '30 days' WHERE record = 'lift' RETURNING 1")


async def test_the_tables_have_the_columns_that_the_store_writes(store: Any) -> None:
    for table in TABLES.values():
        columns = store.ask(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
            f"telemetry.{table.name}",
        )
        short = {
            "timestamp with time zone": "timestamptz", "integer": "int4", "bigint": "int8", "boolean": "bool", "double precision": "float8",
        }  # fmt: skip
        assert [(name, short.get(type_, type_)) for name, type_ in columns] == list(PREFIX + table.columns)


async def test_migrating_again_changes_nothing(store: Any) -> None:
    edge = store.edge()
    await store.send(edge, edge.positions(2, store.now - 5000))
    migrate(store.dsn)
    assert store.sequences(edge) == [1, 2]


async def test_time_bucket_answers_alike_on_both_engines(store: Any) -> None:
    at = "2026-11-24 08:47:12+00"
    assert store.ask(
        "SELECT time_bucket('15 minutes', %s::timestamptz)::text, time_bucket('1 week', %s::timestamptz)::text,"
        " time_bucket('1 day', %s::timestamptz, 'Europe/Athens')::text",
        *[at] * 3,
    ) == [("2026-11-24 08:45:00+00", "2026-11-23 00:00:00+00", "2026-11-23 22:00:00+00")]


async def test_partitions_stand_before_they_are_needed(native: Any) -> None:
    await maintain(native.dsn)
    bounds = native.ask(
        "SELECT pg_get_expr(relpartbound, c.oid) FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid"
        " WHERE inhparent = 'telemetry.lift'::regclass"
    )
    ahead = native.ask("SELECT date_trunc('week', now() + interval '7 days')")[0]
    assert any(f"FROM ('{ahead:%Y-%m-%d}" in bound for bound in bounds)


async def test_strays_move_out_of_the_default_partition_when_their_week_comes(native: Any) -> None:
    edge = native.edge()
    soon = native.now + 20 * DAY
    await native.send(edge, [edge.record(Position(39.0, 22.0), soon)])
    where = "SELECT tableoid::regclass::text FROM telemetry.position WHERE edge = %s ORDER BY s"
    assert native.ask(where, edge.name) == ["telemetry.position_default"]
    native.now = soon
    await native.send(edge, [edge.record(Position(39.0, 22.0), soon)])
    [moved, beside] = native.ask(where, edge.name)
    assert moved == beside != "telemetry.position_default"
    assert native.sequences(edge) == [1, 2]


async def test_only_one_maintains_at_a_time(native: Any) -> None:
    async with await psycopg.AsyncConnection.connect(native.dsn) as other:
        await other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert await maintain(native.dsn) is False
    assert await maintain(native.dsn) is True


async def test_every_rolled_up_kind_has_both_rollups(store: Any) -> None:
    for record in ROLLED_UP:
        for period in ("hourly", "daily"):
            assert store.ask("SELECT to_regclass(%s) IS NOT NULL", f"telemetry.{record}_{period}") == [True]


def test_weeks_begin_on_monday_utc() -> None:
    monday = int(datetime.fromisoformat("2026-11-23T00:00:00+00:00").timestamp() * 1000)
    assert week_of(monday - 1) + 1 == week_of(monday) == week_of(monday + int(timedelta(days=7).total_seconds() * 1000) - 1)
