"""What the cab, the board and other programs rely on at /api/plans, /api/routes and /api/plan-triggers."""

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from asty_cloud_api import database
from asty_cloud_api.dispatch import interface
from asty_cloud_api.dispatch.inbox import Outbox
from asty_cloud_api.staff.person import Person
from asty_cloud_api.staff.roles import Role
from fastapi import Depends, FastAPI, Request


@pytest.fixture
def day(dispatch: Any) -> dict[str, str]:
    return {"day": str(dispatch.day)}


def let_in(request: Request) -> None:
    """The gate, with somebody whom it lets through."""
    request.state.person = Person("Άννα", frozenset({Role.DISPATCHER}))


@pytest.fixture
async def client(dispatch: Any, free_port: Callable[[], int]) -> Any:
    """The addresses over the planned town; Kafka is not there."""
    engine = database.changing(dispatch.fleet.dsn)
    app = FastAPI(dependencies=[Depends(let_in)])
    app.include_router(interface.routes(engine, Outbox(f"127.0.0.1:{free_port()}"), interface.ZoneInfo("Europe/Athens")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://asty") as client:
        yield client
    await engine.dispose()


async def test_a_truck_gets_its_route_with_the_way_and_a_plan_its_reasons(
    dispatch: Any, client: httpx.AsyncClient, day: dict[str, str]
) -> None:
    planner = dispatch.planner()
    await planner.plan_days()
    route = (await client.get("/api/routes/truck-01", params=day)).json()
    assert (route["edge"], route["version"], route["delivered"]) == ("truck-01", 1, None)
    assert len(route["path"]) == len(route["stops"])
    (listed,) = (await client.get("/api/plans", params=day)).json()
    assert "problem" not in listed
    name = dispatch.ahead("truck-02")[3]
    await client.post("/api/plan-triggers", json={"kind": "skip", "subject": name, "said_by": "driver", "detail": {"reason": "not_out"}})
    await planner.answer_waiting()
    newest, first = (await client.get("/api/plans", params=day)).json()
    assert (newest["parent"], newest["reasons"]) == (first["id"], [{"kind": "skip", "subject": name, "said_by": "driver"}])
    shown = (await client.get(f"/api/plans/{newest['id']}")).json()
    assert shown["parent_difference"]["only_there"] == [name]
    (left,) = [item for item in shown["left_out"] if item["id"] == name]
    assert (left["reason"], left["why"]) == ("skipped", "the driver skipped it: not_out")
    assert left["params"] == {"said": "not_out"}


async def test_what_is_not_there_is_404_and_what_is_wrong_422(dispatch: Any, client: httpx.AsyncClient, day: dict[str, str]) -> None:
    assert (await client.get("/api/routes/truck-01", params=day)).status_code == 404
    assert (await client.get(f"/api/plans/{uuid.uuid4()}")).status_code == 404
    assert (await client.get("/api/plans/nonsense")).status_code == 422
    assert (await client.post(f"/api/plans/{uuid.uuid4()}/approve")).status_code == 404
    wrong = [{"kind": "fire", "subject": "a", "said_by": "driver"}, {"kind": "skip", "subject": "", "said_by": "driver"}, {"kind": "skip"}]
    for body in wrong:
        assert (await client.post("/api/plan-triggers", json=body)).status_code == 422
    long = {"kind": "skip", "subject": "a", "said_by": "driver", "detail": {"note": "α" * 5000}}
    assert (await client.post("/api/plan-triggers", json=long)).status_code == 413
    assert dispatch.rows("SELECT 1 FROM fleet.plan_trigger") == []


async def test_a_trigger_raised_while_kafka_is_away_is_kept_once_for_the_planner(dispatch: Any, client: httpx.AsyncClient) -> None:
    name = str(uuid.uuid4())
    body = {"kind": "breakdown", "subject": "truck-01", "said_by": "driver", "id": name}
    for _ in range(2):
        answer = await client.post("/api/plan-triggers", json=body)
        assert (answer.status_code, answer.json()) == (202, {"id": name})
    assert [row.state for row in dispatch.rows("SELECT state FROM fleet.plan_trigger")] == ["waiting"]


async def test_an_approved_plan_reaches_the_trucks_and_a_rejected_one_does_not(
    dispatch: Any, client: httpx.AsyncClient, day: dict[str, str]
) -> None:
    dispatch.mode = "approve"
    planner = dispatch.planner()
    await planner.plan_days()
    (first,) = (await client.get("/api/plans", params=day)).json()
    assert (await client.get("/api/routes/truck-01", params=day)).status_code == 404
    approved = await client.post(f"/api/plans/{first['id']}/approve", json={"by": "Μαρία"})
    assert approved.json()["routes"] == ["truck-01", "truck-02", "truck-03"]
    assert (await client.post(f"/api/plans/{first['id']}/approve")).status_code == 409
    trigger = dispatch.trigger("breakdown", "truck-01", "driver")
    await planner.answer_waiting()
    assert "approval" in dispatch.answer(trigger).why
    second = (await client.get("/api/plans", params=day)).json()[0]
    assert second["state"] == "proposed"
    assert len(dispatch.ahead("truck-01")) > 20, "the truck has its old route until somebody decides"
    assert (await client.post(f"/api/plans/{second['id']}/reject", json={"by": "Μαρία"})).json()["state"] == "rejected"
    dispatch.trigger("breakdown", "truck-01", "driver")
    await planner.answer_waiting()
    third = (await client.get("/api/plans", params=day)).json()[0]
    assert third["parent"] == first["id"], "a rejected plan is nobody's parent"
    assert "truck-01" in (await client.post(f"/api/plans/{third['id']}/approve")).json()["routes"]
    assert dispatch.ahead("truck-01") == []
    states = {row["version"]: row["state"] for row in (await client.get("/api/plans", params=day)).json()}
    assert states == {1: "replaced", 2: "rejected", 3: "running"}
