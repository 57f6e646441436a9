"""A record that the town does not take stops no other one: it is set aside where it was made, and everybody can see so."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from asty_appliance.home import Home, choose_ports
from asty_appliance.servers import mqtt
from asty_appliance.supervision import Supervision
from asty_appliance.town import ORG, Town, bring_up, plan
from asty_contracts.records import Weight
from asty_edge.clock import mono_ms
from asty_edge.config import Config, EdgeSettings, FusionSettings, OutboxSettings, UplinkSettings
from asty_edge.event import Event, Moment
from asty_edge.outbox import Outbox, inspect
from asty_edge.rehearsal.fleet import VirtualEdge

pytestmark = [pytest.mark.system, pytest.mark.timeout(120), pytest.mark.xdist_group("system")]
EDGE = "gateway-07"
NO_TIME = 300_000_000_000_000
"""The year 11476, as a receiver with a flipped bit may tell it."""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    home = Home(tmp_path / "home")
    home.make()
    town = plan(home, home.data / "none.osm.pbf", choose_ports(home, preferred=False)).without("cloud-api")
    supervision = Supervision(home)
    try:
        bring_up(town, supervision, say=lambda _: None)
        yield town
    finally:
        if supervision.is_running():
            supervision.shut_down()


@asynccontextmanager
async def running(town: Town, folder: Path) -> AsyncIterator[tuple[VirtualEdge, Outbox]]:
    config = Config(
        file=folder / "no-file",
        digest="test",
        edge=EdgeSettings(id=EDGE, org=ORG, kind="gateway"),
        outbox=OutboxSettings(path=str(folder / "outbox.db")),
        uplink=UplinkSettings(port=town.ports["mqtt"], protocol="5" if mqtt.protocol() == "5" else "3.1.1"),
        fusion=FusionSettings(),
        devices=(),
    )
    outbox = Outbox.open(folder / "outbox.db", 1 << 28)
    edge, stop = VirtualEdge(config, (), outbox), asyncio.Event()
    work = asyncio.create_task(edge.run(stop))
    try:
        yield edge, outbox
    finally:
        stop.set()
        await asyncio.wait_for(work, 20)
        outbox.close()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 what is waited for is in a file and in a database
        await asyncio.sleep(0.1)


def weighed(t: int) -> Event:
    return Event(Moment(mono_ms(), t, "ntp"), Weight(118.0))


async def test_a_poisoned_record_is_set_aside_shown_as_refused_and_everything_else_is_stored(town: Town, tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000

    def ask(query: str) -> list[Any]:
        with psycopg.connect(town.dsn) as connection:
            return connection.execute(query).fetchall()

    async with running(town, tmp_path) as (edge, outbox), asyncio.timeout(60):
        edge.happened([weighed(now), weighed(now + 1), weighed(NO_TIME), weighed(now + 2)])
        edge.happened([weighed(now + 3)])
        await until(lambda: outbox.acked >= 6 and ask("SELECT count(*) FROM telemetry.gap") == [(1,)])
        assert ask("SELECT count(*) FROM telemetry.weight") == [(4,)]
        assert ask(f"SELECT refused, thinned FROM telemetry.v_ledger WHERE edge = '{EDGE}'") == [(1, 0)]
        assert {reason for (reason,) in ask("SELECT reason FROM telemetry.v_refused")} == {"malformed"}
        await until(lambda: ask("SELECT active FROM telemetry.alarm WHERE code = 'records_refused'") == [(True,)])
    assert [(t, kind) for _, t, kind in inspect(tmp_path / "outbox.db")["refused"]] == [(NO_TIME, "weight")]
