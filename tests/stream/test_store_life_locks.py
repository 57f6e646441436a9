"""An edge's own words and its packs come at the same time: neither waits for what the other holds."""

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
from asty_contracts.life import State
from asty_contracts.stream import EdgeLife
from asty_stream.store.keeper import connect
from asty_stream.store.life import store_life
from msgspec import Raw


async def test_a_state_that_comes_while_packs_are_stored_costs_neither_a_deadlock(native: Any, eventually: Any) -> None:
    edge = native.edge()
    await native.send(edge, edge.positions(5, native.now - 9000))
    state = State(up=True, session=uuid4(), n=1, at=native.now, ep=edge.ep, head=9)
    word = msgspec.json.encode(EdgeLife("demo", edge.name, native.now, "state", Raw(msgspec.json.encode(state))))
    speaking = await connect(native.dsn)
    with psycopg.connect(native.dsn) as storing:
        storing.execute("SELECT 1 FROM telemetry.ledger WHERE ep = %s FOR UPDATE", [edge.ep])
        told = asyncio.create_task(store_life(speaking, [word], org="demo", clock=lambda: native.now))
        waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        await asyncio.to_thread(eventually, lambda: native.ask(waits, speaking.info.backend_pid) == [True], why="the state waits")
        storing.execute("SET LOCAL lock_timeout = '5s'")
        await asyncio.to_thread(storing.execute, "UPDATE telemetry.edge SET last_seen = now() WHERE edge = %s", [edge.name])
        storing.commit()
    await told
    await speaking.close()
    assert native.ask("SELECT up, head FROM telemetry.edge JOIN telemetry.ledger USING (edge) WHERE edge = %s", edge.name) == [(True, 9)]
