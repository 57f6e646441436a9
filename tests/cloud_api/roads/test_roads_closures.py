"""What a dispatcher relies on: a street closes and opens at its time, trucks go round, the planner hears of it, nonsense is refused."""

import json
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asty_town
import httpx
import psycopg
import pytest
from asty_cloud_api import database
from asty_cloud_api.main import create_app
from asty_cloud_api.roads.closures import BadClosureError, Closing, Closures
from asty_cloud_api.roads.place import Place, Profile
from asty_cloud_api.roads.service import Roads
from asty_cloud_api.roads.valhalla import Ring, Valhalla
from asty_cloud_api.settings import Settings
from asty_cloud_api.staff import accounts
from asty_cloud_api.staff.book import Book
from asty_cloud_api.staff.roles import Role
from asty_contracts.stream import PlanTrigger

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def dsn(postgres: Any) -> str:
    return str(postgres.dsn)


@pytest.fixture
async def closures(server: Any, dsn: str) -> AsyncIterator[Closures]:
    engine, valhalla = database.changing(dsn), Valhalla(server.url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM fleet.closure")
    yield Closures(engine, valhalla)
    await valhalla.close()
    await engine.dispose()


@pytest.fixture(scope="session")
def block(town: asty_town.Town) -> Ring:
    """An area across the middle of a street."""
    street = next(s for s in town.streets if s.drivable and len(s.line) > 4)
    lon, lat = street.line[len(street.line) // 2]
    return [
        (lon - 2e-4, lat - 2e-4),
        (lon + 2e-4, lat - 2e-4),
        (lon + 2e-4, lat + 2e-4),
        (lon - 2e-4, lat + 2e-4),
        (lon - 2e-4, lat - 2e-4),
    ]


def closing(ring: Ring, **other: Any) -> Closing:
    said = {"name": "Λαϊκή αγορά", "kind": "market", "area": {"type": "Polygon", "coordinates": [ring]}, "starts": NOW, "ends": NOW + HOUR}
    return Closing(**said | other)


async def test_the_planner_hears_when_a_street_closes_and_when_it_opens_once_each(closures: Closures, block: Ring) -> None:
    heard: list[PlanTrigger] = []

    async def tell(trigger: PlanTrigger) -> None:
        heard.append(trigger)

    (name,) = await closures.add([closing(block)])
    for moment in (NOW - HOUR, NOW, NOW + HOUR / 2, NOW + HOUR, NOW + 2 * HOUR):
        await closures.tell(tell, moment)
    assert [(t.kind, t.subject, t.detail["event"], t.detail["name"]) for t in heard] == [
        ("street_closed", str(name), "closed", "Λαϊκή αγορά"),
        ("street_closed", str(name), "opened", "Λαϊκή αγορά"),
    ]


async def test_a_trigger_that_could_not_be_sent_is_sent_again_under_the_same_id(closures: Closures, block: Ring) -> None:
    heard: list[uuid.UUID] = []

    async def tell(trigger: PlanTrigger) -> None:
        heard.append(trigger.id)
        if len(heard) == 1:
            raise ConnectionError("the broker is away")

    await closures.add([closing(block)])
    with pytest.raises(ConnectionError):
        await closures.tell(tell, NOW)
    await closures.tell(tell, NOW)
    assert heard[0] == heard[1]


async def test_ending_early_opens_at_once_and_a_closure_to_come_goes(closures: Closures, block: Ring) -> None:
    running, coming = await closures.add([closing(block), closing(block, starts=NOW + HOUR, ends=NOW + 2 * HOUR)])
    assert len(await closures.rings(NOW, NOW + 2 * HOUR)) == 2
    assert await closures.end(running, NOW + HOUR / 2)
    assert await closures.end(coming, NOW)
    assert not await closures.end(coming, NOW)
    assert await closures.rings(NOW + HOUR / 2, NOW + 3 * HOUR) == []
    assert [row["ends"] for row in await closures.listed(NOW, NOW + HOUR)] == [NOW + HOUR / 2]


async def test_a_closure_can_be_moved_and_open_pages_are_told(closures: Closures, dsn: str, block: Ring) -> None:
    (name,) = await closures.add([closing(block)])
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("LISTEN fleet")
        await closures.change([name], "Έργα ύδρευσης", "works", NOW, NOW + 3 * HOUR)
        notice = next(iter(connection.notifies(timeout=5, stop_after=1)))
    assert json.loads(notice.payload) == {"what": "closure", "id": str(name)}
    (row,) = await closures.listed(NOW, NOW + HOUR)
    assert (row["name"], row["kind"], row["ends"]) == ("Έργα ύδρευσης", "works", NOW + 3 * HOUR)
    with pytest.raises(BadClosureError, match="no such closure"):
        await closures.change([uuid.uuid4()], "Έργα", "works", NOW, NOW + HOUR)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"area": {"type": "Point", "coordinates": [22.9, 39.3]}}, "expected a GeoJSON Polygon"),
        (
            {"area": {"type": "Polygon", "coordinates": [[[22.9, 39.3], [22.91, 39.31], [22.91, 39.3], [22.9, 39.31], [22.9, 39.3]]]}},
            "crosses",
        ),
        ({"area": {"type": "Polygon", "coordinates": [[[22.9, 39.3], [22.91, 39.3]]]}}, "three corners"),
        ({"area": {"type": "Polygon", "coordinates": [[[22, 39], [23, 39], [23, 40], [22, 40], [22, 39]]]}}, "km around"),
        ({"area": {"type": "Polygon", "coordinates": [[["22.9", 39.3], [22.91, 39.3], [22.91, 39.31]]]}}, "is no point"),
        ({"area": {"type": "Polygon", "coordinates": [[[22.9, float("nan")], [22.91, 39.3], [22.91, 39.31]]]}}, "is no point"),
        ({"area": {"type": "Polygon", "coordinates": [[[23.9, 38.3], [23.901, 38.3], [23.901, 38.301]]]}}, "no street"),
        ({"ends": NOW - HOUR}, "after the start"),
        ({"starts": datetime(2026, 11, 24, 8)}, "offset"),  # noqa: DTZ001
        ({"kind": "party"}, "works, market, event, obstacle"),
        ({"name": "  "}, "drivers understand"),
    ],
)
async def test_nonsense_is_refused_with_what_was_expected_and_nothing_is_kept(
    closures: Closures, block: Ring, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadClosureError, match=said):
        await closures.add([closing(block), closing(block, **wrong)])
    assert await closures.listed(NOW - 10 * HOUR, NOW + 10 * HOUR) == []


async def test_a_street_can_be_closed_while_valhalla_is_away(dsn: str, block: Ring, free_port: Callable[[], int]) -> None:
    engine, valhalla = database.changing(dsn), Valhalla(f"http://127.0.0.1:{free_port()}")
    (name,) = await Closures(engine, valhalla).add([closing(block)])
    assert await Closures(engine, valhalla).end(name, NOW + HOUR)
    await valhalla.close()
    await engine.dispose()


async def test_the_trucks_way_goes_round_a_closure_and_one_that_stands_inside_gets_out(server: Any, dsn: str, town: asty_town.Town) -> None:
    roads = Roads.at(server.url, dsn)
    street = max((s for s in town.streets if s.drivable and s.oneway == 0), key=lambda s: len(s.line))
    (lon1, lat1), (lon2, lat2) = street.line[1], street.line[-2]
    ends = [Place(lat1, lon1, kerb=False), Place(lat2, lon2, kerb=False)]
    (open_way,) = await roads.legs(Profile(), ends)
    lon, lat = open_way.shape[len(open_way.shape) // 2]
    ring = [
        (lon - 3e-4, lat - 3e-4),
        (lon + 3e-4, lat - 3e-4),
        (lon + 3e-4, lat + 3e-4),
        (lon - 3e-4, lat + 3e-4),
        (lon - 3e-4, lat - 3e-4),
    ]
    (round_,) = await roads.legs(Profile(), ends, [ring])
    assert round_.seconds > open_way.seconds
    assert not any(ring[0][0] < x < ring[1][0] and ring[0][1] < y < ring[2][1] for x, y in round_.shape)
    (out,) = await roads.legs(Profile(), [Place(lat, lon, kerb=False), ends[1]], [ring])
    assert out.metres > 0
    await roads.close()


async def test_programs_close_list_and_open_streets_over_http(dsn: str, server: Any, block: Ring) -> None:
    app = create_app(Settings("demo", dsn, valhalla_url=server.url))
    begins = datetime.now(UTC)
    body = {"name": "Έργα", "kind": "works", "area": {"type": "Polygon", "coordinates": [block]}}
    body |= {"starts": begins.isoformat(), "ends": (begins + HOUR).isoformat()}
    engine = database.changing(dsn)
    token = await Book(engine).ask(lambda session: accounts.add_token(session, "a program", [Role.DISPATCHER]))
    await engine.dispose()
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://asty", headers=headers) as client:
        made = await client.post("/api/closures", json=body)
        assert made.status_code == 201, made.text
        name = made.json()["id"]
        assert made.headers["location"] == f"/api/closures/{name}"
        assert name in [it["id"] for it in (await client.get("/api/closures")).json()]
        refused = await client.post("/api/closures", json=body | {"area": {"type": "Polygon", "coordinates": []}})
        assert refused.status_code == 422
        assert refused.json()["parameter"] == "area"
        assert (await client.delete(f"/api/closures/{name}")).status_code == 204
        assert name not in [it["id"] for it in (await client.get("/api/closures")).json()]
        assert (await client.delete(f"/api/closures/{uuid.uuid4()}")).status_code == 404
