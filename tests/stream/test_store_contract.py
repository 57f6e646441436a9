"""What the store promises on both engines."""

import json
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from asty_contracts.evidence import chained
from asty_contracts.life import Ack
from asty_contracts.records import (
    Alarm,
    BinSeen,
    DeviceHealth,
    Driver,
    Engine,
    Fuel,
    Gap,
    Health,
    Level,
    Lift,
    Position,
    Ppe,
    Weight,
)  # fmt: skip
from asty_stream.rules.timing import shift_of_hour

MINUTE = 60_000
DAY = 24 * 60 * MINUTE


def lift(t: int, tag: str | None = "8000E3C1A2B4D5F6", net: float | None = 118.0, **more: Any) -> Lift:
    return chained(Lift(1, t - 9000, t, tag=tag, gross=150.0, tare=32.0, net=net, stable=True, lat=39.36, lon=22.94, **more), "")


async def test_every_kind_lands_in_its_table_with_its_values(store: Any) -> None:
    edge, t = store.edge(), store.now - 2000
    devices = {"scale": DeviceHealth("up", frames=12, heard=t)}
    records = [
        Position(39.361, 22.942, v=4.2, course=84.4, alt=12.0, sats=9, hdop=0.9, fix="dgps"),
        lift(t, others=("AA00AA00",), flags=("two_tags",)),
        BinSeen("8000E3C1A2B4D5F6", "fdxb", 39.3, 22.9), Weight(12.5), Fuel(50.0, 150.0, 8.2, 1000.5, "yes", "no"),
        Engine(900.0, 4.2, 1e6, 2000.05), Ppe("uuid/1/2", "unknown", 80.0, t), Alarm("gnss_lost", True, "gnss", "critical", "no fix"),
        Gap(((3, 4),), 2), Health(60, 10, 0, 10, devices=devices), Driver("skip", bin="B-17", reason="blocked"),
        Level("8000E3C1A2B4D5F6", "24E124713B042517", 42.5, 0.7, battery=88.0, tilt="no", n=7),
    ]  # fmt: skip
    outcome = await store.send(edge, [edge.record(data, t + n) for n, data in enumerate(records)])
    assert outcome.stored == 12

    def row(table: str) -> Any:
        [found] = store.ask(f"SELECT to_jsonb(r) FROM telemetry.{table} AS r WHERE edge = %s", edge.name)
        return found

    assert row("position") | {"lat": 39.361, "v": 4.2, "sats": 9, "fix": "dgps", "tq": "gnss", "late": False, "marks": None} == row(
        "position"
    )
    found = row("lift")
    assert (found["tag"], found["others"], found["flags"], found["net"]) == ("8000E3C1A2B4D5F6", ["AA00AA00"], ["two_tags"], 118.0)
    assert found["hash"] == records[1].hash
    assert (row("bin_seen")["std"], row("weight")["kg"], row("fuel")["pto"], row("engine")["hours"]) == ("fdxb", 12.5, "no", 2000.05)
    assert (row("ppe")["worn"], row("alarm")["active"], row("gap")["ranges"], row("driver")["bin"]) == ("unknown", True, "{[3,5)}", "B-17")
    assert (row("level")["level"], row("level")["full_at"], row("level")["n"]) == (42.5, None, 7)
    assert row("health")["devices"] == {"scale": {"state": "up", "frames": 12, "heard": t}}


async def test_what_is_sent_again_is_stored_once_and_acknowledged_again(store: Any) -> None:
    edge = store.edge()
    records = edge.positions(20, store.now - 30_000)
    first = await store.send(edge, records)
    again = await store.send(edge, records)
    assert (first.stored, again.stored, again.doubled) == (20, 0, 20)
    assert first.acks == again.acks == [(edge.name, Ack(edge.ep, 20))]
    assert store.sequences(edge) == list(range(1, 21))


async def test_a_pack_that_comes_twice_in_one_batch_is_stored_once(store: Any) -> None:
    edge = store.edge()
    message = edge.message(edge.positions(5, store.now - 9000), rx=store.now)
    outcome = await store.keep(message, message)
    assert (outcome.stored, outcome.doubled) == (5, 5)
    assert store.sequences(edge) == [1, 2, 3, 4, 5]


async def test_what_is_missing_is_named_until_it_arrives(store: Any) -> None:
    edge = store.edge()
    records = edge.positions(12, store.now - 60_000)
    outcome = await store.send(edge, records[:3] + records[6:8] + records[10:])
    assert outcome.acks == [(edge.name, Ack(edge.ep, 3, ((4, 6), (9, 10))))]
    assert store.ask("SELECT first, last, n FROM telemetry.v_missing WHERE edge = %s ORDER BY first", edge.name) == [(4, 6, 3), (9, 10, 2)]
    outcome = await store.send(edge, records[3:6] + records[8:10])
    assert outcome.acks == [(edge.name, Ack(edge.ep, 12))]
    assert store.ask("SELECT first FROM telemetry.v_missing WHERE edge = %s", edge.name) == []


async def test_what_the_edge_gave_up_is_accounted_for_and_not_asked_for_again(store: Any) -> None:
    edge, t = store.edge(), store.now - 60_000
    records = edge.positions(10, t)
    gap = edge.record(Gap(((3, 6),), 4), t + 11_000)
    outcome = await store.send(edge, [*records[:2], *records[6:], gap])
    assert outcome.acks == [(edge.name, Ack(edge.ep, 11))]
    assert store.ask("SELECT stored, thinned, missing, upto FROM telemetry.v_ledger WHERE ep = %s", edge.ep) == [(7, 4, 0, 11)]


async def test_what_was_given_up_but_had_arrived_counts_as_stored(store: Any) -> None:
    edge, t = store.edge(), store.now - 60_000
    records = edge.positions(6, t)
    await store.send(edge, records)
    await store.send(edge, [edge.record(Gap(((2, 5),), 4), t + 9000)])
    assert store.ask("SELECT stored, thinned, missing FROM telemetry.v_ledger WHERE ep = %s", edge.ep) == [(7, 0, 0)]


async def test_an_epoch_belongs_to_the_edge_that_first_sent_it(store: Any) -> None:
    edge, thief = store.edge(), store.edge()
    thief.ep = edge.ep
    await store.send(edge, edge.positions(3, store.now - 9000))
    outcome = await store.send(thief, thief.positions(9, store.now - 9000))
    assert (outcome.stored, outcome.refused, outcome.acks) == (0, 1, [])
    assert store.sequences(edge) == [1, 2, 3]
    [(reason, detail)] = store.ask("SELECT reason, detail FROM telemetry.v_refused WHERE edge = %s", thief.name)
    assert reason == "wrong_edge"
    assert edge.name in detail


async def test_the_same_refusal_again_is_counted_not_repeated(store: Any) -> None:
    edge = store.edge()
    message = edge.message(edge.positions(1, store.now), rx=store.now, org="elsewhere")
    for _ in range(3):
        await store.keep(message)
    assert store.ask("SELECT times FROM telemetry.v_refused WHERE edge = %s", edge.name) == [3]


async def test_a_late_lift_does_not_overwrite_the_newer_state_of_its_bin(store: Any) -> None:
    edge, other, tag = store.edge(), store.edge(), uuid4().hex[:16].upper()
    await store.send(edge, [edge.record(lift(store.now - MINUTE, tag, 50.0), store.now - MINUTE)])
    old = store.now - 3 * DAY
    await store.send(other, [other.record(lift(old, tag, 99.0), old)], h=True)
    assert store.ask("SELECT last_edge, net, lifts FROM telemetry.v_bin_state WHERE tag = %s", tag) == [(edge.name, 50.0, 2)]
    await store.send(other, [other.record(lift(store.now, tag, 61.0), store.now)])
    assert store.ask("SELECT last_edge, net, lifts FROM telemetry.v_bin_state WHERE tag = %s", tag) == [(other.name, 61.0, 3)]


async def test_a_lift_from_the_future_is_kept_and_marked_and_buries_no_bin(store: Any) -> None:
    edge, tag = store.edge(), uuid4().hex[:16].upper()
    ahead = store.now + 400 * DAY
    await store.send(edge, [edge.record(lift(store.now, tag, 50.0), store.now), edge.record(lift(ahead, tag, 1.0), ahead)])
    assert store.ask("SELECT marks FROM telemetry.v_lift WHERE edge = %s ORDER BY s", edge.name) == [None, ["future"]]
    assert store.ask("SELECT net, lifts FROM telemetry.v_bin_state WHERE tag = %s", tag) == [(50.0, 1)]


async def test_a_time_of_a_rolled_over_receiver_is_kept_and_marked_past(store: Any) -> None:
    edge = store.edge()
    rolled = store.now - 1024 * 7 * DAY
    await store.send(edge, [edge.record(Position(39.0, 22.0), rolled)])
    assert store.ask("SELECT marks, (extract(epoch FROM t) * 1000)::bigint FROM telemetry.position WHERE edge = %s", edge.name) == [
        (["past"], rolled)
    ]


@pytest.mark.parametrize("t", [1 << 61, -(1 << 61), 253402300800000])
async def test_a_time_that_no_calendar_has_is_kept_whole(store: Any, t: int) -> None:
    edge = store.edge()
    outcome = await store.send(edge, [edge.record(Position(39.0, 22.0), t), *edge.positions(2, store.now - 5000)])
    assert outcome.stored == 3
    [(marks, kept)] = store.ask("SELECT marks, record ->> 't' FROM telemetry.other WHERE edge = %s", edge.name)
    assert "misfit" in marks
    assert int(kept) == t


async def test_an_unknown_kind_is_kept_whole_and_marked(store: Any) -> None:
    edge = store.edge()
    await store.send(edge, [edge.raw("tyre", b'{"bar":[8.1,8.2]}', store.now), *edge.positions(1, store.now)])
    [(kind, marks, record)] = store.ask("SELECT kind, marks, record FROM telemetry.other WHERE edge = %s", edge.name)
    assert (kind, marks, record["d"]) == ("tyre", ["unknown_kind"], {"bar": [8.1, 8.2]})
    assert store.sequences(edge) == [1, 2]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("pos", b'{"lat":"north","lon":22.9}'),
        ("pos", b'{"lat":123.4,"lon":22.9}'),
        ("pos", b'{"lat":39.3,"lon":22.9,"sats":9223372036854775808}'),
        ("pos", b'{"lat":1e999,"lon":22.9}'),
        ("pos", b'{"lat":39.3,"lon":22.9,"fix":"a\\u0000b"}'),
        ("ppe", b'{"vest":"a","worn":"yes","seen":9000000000000000000}'),
        ("alarm", b'{"code":"' + b"x" * 5000 + b'","on":true}'),
        ("bin", b'{"tag":"' + b"A" * 5000 + b'","std":"fdxb"}'),
        ("gap", b'{"ranges":[[9,2]],"n":1}'),
        ("tyre", b'{"a":1e99999999}'),
        ("tyre", b"[" * 900 + b"]" * 900),
        ("tyre", b"1" * 5000),
        ("health", b'{"up":1,"head":99999999999999999999,"acked":0,"held":0}'),
        ("weight", b'{"kg":' + b"9" * 400 + b"}"),
    ],
)
async def test_data_that_does_not_fit_is_kept_whole_and_spoils_no_neighbour(store: Any, kind: str, body: bytes) -> None:
    edge = store.edge()
    records = [*edge.positions(3, store.now - 9000), edge.raw(kind, body, store.now - 5000), *edge.positions(3, store.now - 4000)]
    outcome = await store.send(edge, records)
    assert outcome.acks[-1] == (edge.name, Ack(edge.ep, 7))
    assert store.sequences(edge) == [1, 2, 3, 4, 5, 6, 7]
    assert store.ask("SELECT s, kind FROM telemetry.other WHERE edge = %s", edge.name) == [(4, kind)]


async def test_a_sequence_beyond_all_counting_is_refused_with_the_reason(store: Any) -> None:
    edge = store.edge()
    outcome = await store.send(edge, [edge.record(Position(39.0, 22.0), store.now, s=1 << 60)])
    assert (outcome.stored, outcome.refused) == (0, 1)


async def test_bytes_that_are_no_pack_are_kept_as_refused(store: Any) -> None:
    edge = store.edge()
    junk = f"{edge.name} is no pack".encode()
    outcome = await store.keep(junk, edge.message(edge.positions(2, store.now), rx=store.now))
    assert (outcome.stored, outcome.refused) == (2, 1)
    assert store.ask("SELECT reason, size FROM telemetry.v_refused WHERE payload = %s", junk) == [("malformed", len(junk))]


async def test_an_alarm_opens_and_closes_in_event_time(store: Any) -> None:
    edge, t = store.edge(), store.now - 10 * MINUTE
    opened = "SELECT code, device, (extract(epoch FROM since) * 1000)::bigint FROM telemetry.v_alarm_open WHERE edge = %s"
    begin, repeat, end = (edge.record(Alarm("scale_fault", on, "scale"), t + n) for n, on in ((0, True), (60_000, True), (120_000, False)))
    await store.send(edge, [repeat])
    await store.send(edge, [begin])
    assert store.ask(opened, edge.name) == [("scale_fault", "scale", t + 60_000)]
    await store.send(edge, [end])
    assert store.ask(opened, edge.name) == []
    await store.send(edge, [edge.record(Alarm("scale_fault", True, "scale"), t + 30_000)], h=True)
    assert store.ask(opened, edge.name) == []
    assert store.ask("SELECT count(*) FROM telemetry.v_alarm WHERE edge = %s", edge.name) == [4]


async def test_only_a_fresh_alarm_of_the_live_lane_is_announced_as_live(store: Any) -> None:
    edge, now = store.edge(), store.now
    await store.send(edge, [edge.record(Alarm("fresh", True), now - MINUTE), edge.record(Alarm("old", True), now - 6 * MINUTE)])
    await store.send(edge, [edge.record(Alarm("backlog", True), now - MINUTE)], h=True)
    await store.send(edge, [edge.record(Alarm("future", True), now + 6 * MINUTE)])
    announced = store.ask(
        "SELECT convert_from(value, 'UTF8')::jsonb FROM telemetry.announcement WHERE topic = 'alerts.v1' AND key = %s", edge.name
    )
    assert {it["code"]: it["live"] for it in announced} == {"fresh": True, "old": False, "backlog": False, "future": False}


async def test_a_lift_is_announced_once_however_often_it_is_sent(store: Any) -> None:
    edge, tag = store.edge(), uuid4().hex[:16].upper()
    records = [edge.record(lift(store.now, tag, 42.0), store.now)]
    for _ in range(3):
        await store.send(edge, records)
    [event] = store.ask(
        "SELECT convert_from(value, 'UTF8')::jsonb FROM telemetry.announcement WHERE topic = 'town-events.v1' AND key = %s", tag
    )
    assert (event["tag"], event["net"], event["s"]) == (tag, 42.0, 1)


async def test_completeness_says_per_shift_what_was_produced_stored_missing_late_and_thinned(store: Any) -> None:
    edge = store.edge()
    store.now = 1_795_500_000_000  # 2026-11-24 08:00 local: morning
    night = store.now - 5 * 60 * MINUTE  # 03:00, night of the 23rd
    records = edge.positions(5, night) + edge.positions(5, night + 60 * MINUTE) + edge.positions(10, store.now)
    await store.send(edge, [*records[:4], *records[6:10]], h=True)
    gap = edge.record(Gap(((12, 13),), 2), store.now + 11_000)
    health = edge.record(Health(60, head=25, acked=0, held=25), store.now + 12_000)
    await store.send(edge, [records[10], *records[13:], gap, health])
    rows = store.ask(
        "SELECT day::text, shift, produced, stored, missing, late, thinned FROM telemetry.v_completeness"
        " WHERE edge = %s ORDER BY day, shift_order",
        edge.name,
    )
    assert rows == [("2026-11-23", "night", 10, 8, 2, 8, 0), ("2026-11-24", "morning", 15, 10, 3, 0, 2)]


async def test_shifts_begin_at_five_thirteen_and_twenty_one_local_time_in_summer_and_winter(store: Any) -> None:
    athens = ZoneInfo("Europe/Athens")
    for year, month, day in ((2026, 1, 15), (2026, 3, 29), (2026, 7, 15), (2026, 10, 25)):
        for hour in range(24):
            local = datetime(year, month, day, hour, 30, tzinfo=athens)
            shift = shift_of_hour(int(local.timestamp()) // 3600)
            assert store.ask("SELECT telemetry.service_day(%s), telemetry.shift_of(%s)", local, local) == [tuple(shift)], local


async def test_the_last_position_is_the_newest_by_event_time(store: Any) -> None:
    edge = store.edge()
    new, old = edge.record(Position(39.5, 22.9), store.now - 1000), edge.record(Position(39.1, 22.9), store.now - 9 * DAY)
    await store.send(edge, [new])
    await store.send(edge, [old], h=True)
    assert store.ask("SELECT lat FROM telemetry.v_position_last WHERE edge = %s", edge.name) == [39.5]


async def test_device_health_and_vests_show_their_latest_word(store: Any) -> None:
    edge, t = store.edge(), store.now - 5000
    vest = edge.name
    records = [
        edge.record(Health(60, 1, 0, 1, devices={"scale": DeviceHealth("up", 9)}), t),
        edge.record(Health(90, 2, 0, 2, devices={"scale": DeviceHealth("lost", 9, 1, why="unplugged")}), t + 1000),
        edge.record(Ppe(vest, "yes"), t), edge.record(Ppe(vest, "unknown"), t + 2000),
    ]  # fmt: skip
    await store.send(edge, records)
    assert store.ask("SELECT device, state, why FROM telemetry.v_device_health WHERE edge = %s", edge.name) == [
        ("scale", "lost", "unplugged")
    ]
    assert store.ask("SELECT worn FROM telemetry.v_ppe_last WHERE vest = %s", vest) == ["unknown"]
    assert store.ask("SELECT uptime_s, held FROM telemetry.v_edge WHERE edge = %s", edge.name) == [(90, 2)]


async def test_listeners_hear_which_edges_have_something_new(store: Any) -> None:
    edge = store.edge()
    async with await psycopg.AsyncConnection.connect(store.dsn, autocommit=True) as listener:
        await listener.execute("LISTEN telemetry_changed")
        await store.send(edge, [edge.record(lift(store.now), store.now), *edge.positions(2, store.now)])
        heard = [json.loads(notice.payload) async for notice in listener.notifies(timeout=5, stop_after=1)]
    assert heard == [{"edge": edge.name, "kinds": ["lift", "pos"]}]


async def test_records_refused_in_company_are_asked_for_one_by_one_and_the_one_that_is_refused_alone_is_asked_for_no_more(
    store: Any,
) -> None:
    edge = store.edge()
    records = edge.positions(6, store.now - 9000)
    await store.send(edge, records[:1])
    assert await store.refuse(edge, 2, 3, 4) == [(edge.name, Ack(edge.ep, 1, alone=((2, 4),)))]
    assert (await store.send(edge, records[4:])).acks == [(edge.name, Ack(edge.ep, 1, alone=((2, 4),)))]
    assert (await store.send(edge, records[1:2])).acks == [(edge.name, Ack(edge.ep, 2, alone=((3, 4),)))]
    assert await store.refuse(edge, 3) == [(edge.name, Ack(edge.ep, 2, alone=((4, 4),), refused=((3, 3),)))]
    [(_, ack)] = (await store.send(edge, records[3:4])).acks
    assert ack == Ack(edge.ep, 2, refused=((3, 3),)), (
        "what is refused is not missed, and holds the acknowledgement until the edge says it is gone"
    )
    [(_, ack)] = (await store.send(edge, [edge.record(Gap(((3, 3),), 1, "any", "refused"), store.now)])).acks
    assert ack == Ack(edge.ep, 7)
    assert store.ask("SELECT produced, stored, thinned, missing, refused, upto FROM telemetry.v_ledger WHERE ep = %s", edge.ep) == [
        (7, 6, 0, 0, 1, 7)
    ]
    shown = "SELECT sum(produced), sum(stored), sum(missing), sum(thinned), sum(refused) FROM telemetry.v_completeness WHERE edge = %s"
    assert store.ask(shown, edge.name) == [(7, 6, 0, 0, 1)]


async def test_a_record_that_is_stored_after_all_counts_as_stored_and_not_as_refused(store: Any) -> None:
    edge = store.edge()
    await store.refuse(edge, 1)
    assert (await store.send(edge, edge.positions(2, store.now - 9000))).acks == [(edge.name, Ack(edge.ep, 2))]
    assert store.ask("SELECT stored, refused, missing FROM telemetry.v_ledger WHERE ep = %s", edge.ep) == [(2, 0, 0)]


async def test_an_edge_can_have_no_record_of_another_edge_refused(store: Any) -> None:
    edge, other = store.edge(), store.edge()
    await store.send(edge, edge.positions(3, store.now - 9000))
    assert await store.refuse(other, 4, ep=edge.ep) == []
    assert (await store.send(edge, edge.positions(1, store.now - 5000))).acks == [(edge.name, Ack(edge.ep, 4))]
    assert await store.refuse(other, 1 << 60) == [], "a number that cannot be one"
