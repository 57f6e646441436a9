"""What the store survives: a database that is away, a kill in the middle, a record that the database will never take."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from asty_contracts.life import Ack
from asty_contracts.records import Position, Weight
from asty_stream.incoming import read
from asty_stream.migrate import migrate
from asty_stream.store import keeper as keeping
from asty_stream.store.keeper import Keeper, connect
from asty_stream.store.telemetry import divided, telemetry_keeper
from asty_stream.store.transaction import store as store_packs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[list[int]]]:
    """Batches of packs of sequences, with repeats, disorder and holes."""
    pack = st.lists(st.integers(1, 25), min_size=1, max_size=8, unique=True)
    return draw(st.lists(st.lists(pack, min_size=1, max_size=4), min_size=1, max_size=5))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries())
def test_whatever_order_and_repeats_packs_come_in_each_record_is_stored_once(
    native_dsn: str, new_store: Any, batches: list[list[list[int]]]
) -> None:
    asyncio.run(_deliver(new_store(native_dsn), batches))


async def _deliver(store: Any, batches: list[list[list[int]]]) -> None:
    edge = store.edge()
    sent: set[int] = set()
    try:
        for batch in batches:
            packs = [[edge.record(Weight(float(s)), store.now - 60_000 + s, s=s) for s in pack] for pack in batch]
            outcome = await store.keep(*(edge.message(pack, rx=store.now) for pack in packs))
            sent |= {s for pack in batch for s in pack}
            [(_, ack)] = outcome.acks
            missing = {s for first, last in ack.miss for s in range(first, last + 1)}
            assert set(range(1, ack.upto + 1)) <= sent
            assert missing == set(range(1, max(sent) + 1)) - sent
            assert ack.upto + 1 not in sent
    finally:
        await store.keeper.close()
    assert store.sequences(edge) == sorted(sent)
    assert store.ask(
        "SELECT kg::int FROM telemetry.weight JOIN telemetry.ledger USING (epoch) WHERE ep = %s ORDER BY s", edge.ep
    ) == sorted(sent)


async def test_a_kill_before_the_commit_leaves_nothing_and_the_resend_stores_all(native: Any) -> None:
    edge = native.edge()
    [pack] = read(edge.message(edge.positions(10, native.now - 20_000), rx=native.now))
    connection = await connect(native.dsn)
    [pid] = [row[0] for row in await (await connection.execute("SELECT pg_backend_pid()")).fetchall()]
    async with connection.transaction():
        await store_packs(connection, [pack], org="demo", now=native.now)
        native.ask("SELECT pg_terminate_backend(%s)", pid)
        with pytest.raises(psycopg.OperationalError):
            await connection.execute("SELECT 1")
        await connection.close()
    assert native.sequences(edge) == []
    [outcome] = await native.keeper.keep([pack])
    assert outcome.acks == [(edge.name, Ack(edge.ep, 10))]
    assert native.sequences(edge) == list(range(1, 11))


async def test_while_the_database_is_away_the_packs_wait_and_none_is_lost_or_doubled(native: Any, postgres: Any, eventually: Any) -> None:
    edge = native.edge()
    await native.send(edge, edge.positions(5, native.now - 60_000))
    postgres.server.kill()
    waiting = asyncio.ensure_future(native.send(edge, edge.positions(5, native.now - 50_000)))
    await asyncio.to_thread(eventually, lambda: native.keeper.waiting_since is not None)
    assert not waiting.done()
    postgres.server.start()
    outcome = await waiting
    assert outcome.acks == [(edge.name, Ack(edge.ep, 10))]
    assert native.keeper.waiting_since is None
    assert native.sequences(edge) == list(range(1, 11))


async def test_a_database_that_is_not_migrated_is_waited_for(
    postgres: Any, new_edge: Any, eventually: Any, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"empty_{uuid4().hex[:8]}"
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    dsn = postgres.server.dsn(name)
    edge, keeper = new_edge("truck-01"), telemetry_keeper(dsn, "demo")
    [pack] = read(edge.message(edge.positions(2, 1_795_500_000_000), rx=1_795_500_000_000))
    waiting = asyncio.ensure_future(keeper.keep([pack]))
    await asyncio.to_thread(eventually, lambda: keeper.waiting_since is not None)
    assert "asty-stream migrate" in caplog.text
    await asyncio.to_thread(migrate, dsn)
    [outcome] = await waiting
    assert outcome.stored == 2
    await keeper.close()


async def test_a_record_that_only_the_database_refuses_is_found_and_set_aside(native: Any) -> None:
    """A constraint that the store knows nothing of stands for whatever a future version may refuse."""
    edges = [native.edge() for _ in range(3)]
    constraint = f"no_{uuid4().hex[:6]}"
    with psycopg.connect(native.dsn, autocommit=True) as connection:
        connection.execute(f"ALTER TABLE telemetry.position ADD CONSTRAINT {constraint} CHECK (lat <> 66.6)")  # type: ignore[call-overload]
    try:
        messages = []
        for number, edge in enumerate(edges):
            records = edge.positions(7, native.now - 20_000)
            if number == 1:
                records[3] = edge.record(Position(66.6, 22.9), native.now - 9000, s=4)
            messages.append(edge.message(records, rx=native.now))
        outcome = await native.keep(*messages)
    finally:
        with psycopg.connect(native.dsn, autocommit=True) as connection:
            connection.execute(f"ALTER TABLE telemetry.position DROP CONSTRAINT {constraint}")  # type: ignore[call-overload]
    assert outcome.stored == 21
    assert [native.sequences(edge) for edge in edges] == [list(range(1, 8))] * 3
    [(s, marks, lat, why)] = native.ask(
        "SELECT s, marks, record -> 'd' ->> 'lat', why FROM telemetry.other WHERE edge = ANY(%s)", [edge.name for edge in edges]
    )
    assert (s, marks, lat) == (4, ["misfit"], "66.6")
    assert constraint in why


async def test_a_fault_of_our_own_loses_no_pack(native: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that fails for no reason of its own is not passed over: it is tried until it goes in."""
    monkeypatch.setattr(keeping, "FIRST_PAUSE", 0.01)
    edge = native.edge()
    [pack] = read(edge.message(edge.positions(1, native.now), rx=native.now))
    failures = iter([RuntimeError("a fault"), RuntimeError("a fault"), RuntimeError("a fault"), RuntimeError("a fault")])

    async def work(connection: Any, messages: Sequence[Any]) -> Any:
        if (failure := next(failures, None)) is not None:
            raise failure
        return await store_packs(connection, messages, org="demo", now=native.now)

    keeper = Keeper(native.dsn, work, divided)
    assert sum(outcome.stored for outcome in await keeper.keep([pack])) == 1
    assert native.sequences(edge) == [1]
    await keeper.close()


async def test_two_workers_with_the_same_packs_in_opposite_order_store_each_once(native: Any) -> None:
    edges = [native.edge() for _ in range(6)]
    messages = [edge.message(edge.positions(5, native.now - 9000), rx=native.now) for edge in edges]
    other = telemetry_keeper(native.dsn, "demo")
    packs = [pack for message in messages for pack in read(message)]
    outcomes = await asyncio.gather(native.keeper.keep(packs), other.keep(packs[::-1]))
    await other.close()
    assert sum(part.stored for outcome in outcomes for part in outcome) == 30
    assert all(native.sequences(edge) == [1, 2, 3, 4, 5] for edge in edges)
