"""The addresses of plans, routes and triggers."""

import uuid
from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from asty_contracts.stream import PlanTrigger, TriggerKind, TriggerSource
from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from asty_cloud_api.dispatch import stored
from asty_cloud_api.dispatch.explaining import comparison
from asty_cloud_api.dispatch.inbox import Outbox
from asty_cloud_api.dispatch.publishing import publish
from asty_cloud_api.dispatch.stored import Prepared
from asty_cloud_api.fleet import plan_models, plans
from asty_cloud_api.planning.explain import compare
from asty_cloud_api.staff.person import Acting

Edge = Annotated[str, Path(max_length=32, pattern=r"^[a-z0-9-]+$", description="an edge's id")]
PlanId = Annotated[uuid.UUID, Path(alias="id")]
Day = Annotated[date | None, Query(description="a service day; without it the present one")]
DETAIL_BYTES = 4096


class TriggerBody(BaseModel):
    """What should make the planner look again. Sent twice with the same `id` it is answered once."""

    model_config = ConfigDict(extra="forbid")

    kind: TriggerKind
    subject: Annotated[str, Field(min_length=1, max_length=64)]
    said_by: TriggerSource
    detail: dict[str, Any] = {}
    id: uuid.UUID | None = None


class TriggerTaken(BaseModel):
    id: uuid.UUID


def routes(engine: AsyncEngine, outbox: Outbox | None, zone: ZoneInfo) -> APIRouter:
    """Return the router of /api/plan-triggers, /api/plans and /api/routes; `engine` writes."""
    router = APIRouter()

    def today(day: date | None) -> date:
        return day or plans.service_day(datetime.now(UTC), zone)

    @router.post("/api/plan-triggers", status_code=202, summary="Make the planner look again; answered by plan or by words")
    async def raise_trigger(body: TriggerBody, person: Acting) -> TriggerTaken:
        if len(msgspec.json.encode(body.detail)) > DETAIL_BYTES:
            raise HTTPException(413, f"detail has more than {DETAIL_BYTES} bytes: nothing was taken; send less")
        trigger = PlanTrigger(body.id or uuid.uuid4(), _now_ms(), body.kind, body.subject, body.said_by, {"by": person.name} | body.detail)
        await publish(engine, outbox, trigger)
        return TriggerTaken(id=trigger.id)

    @router.get("/api/plan-triggers", summary="The triggers of a day with their answers, newest first")
    async def list_triggers(day: Day = None) -> list[dict[str, Any]]:
        table = plan_models.PlanTrigger
        begins, ends = plans.day_begins(today(day), zone), plans.day_begins(date.fromordinal(today(day).toordinal() + 1), zone)
        chosen = select(table.__table__).where(table.at >= begins, table.at < ends).order_by(table.at.desc())
        async with engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(chosen)).mappings()]

    @router.get("/api/plans", summary="The versions of a day's plan, newest first")
    async def list_plans(day: Day = None) -> list[dict[str, Any]]:
        table = plan_models.Plan
        columns = [column for column in table.__table__.columns if column.name not in ("problem", "result")]
        chosen = select(*columns).where(table.day == today(day)).order_by(table.version.desc())
        async with engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(chosen)).mappings()]

    @router.get("/api/plans/{id}", summary="A plan with its routes, what it leaves out and why, and its explanation")
    async def show_plan(name: PlanId) -> dict[str, Any]:
        async with engine.connect() as connection:
            row = await _plan(connection, name)
            parent = await _plan(connection, row["parent"]) if row["parent"] else None
        shown = {key: value for key, value in row.items() if key not in ("problem", "result")}
        result = row["result"]
        before = None if parent is None else comparison(compare(stored.read_stored(row).plan, stored.read_stored(parent).plan))
        return shown | {
            "routes": result["plan"]["routes"],
            "left_out": result["plan"]["left_out"],
            "done": result["plan"]["done"],
            "cost": result["plan"]["cost"],
            "whys": row["problem"]["whys"],
            "parent_difference": before,
            "explained": result.get("explained", {}),
        }

    @router.post("/api/plans/{id}/approve", summary="Let a proposed plan run: trucks whose way changes get a new route")
    async def approve(name: PlanId, person: Acting) -> dict[str, Any]:
        async with engine.begin() as connection:
            row = await _proposed(connection, name)
            done = [outcome["stop"] for outcome in await plans.outcomes(connection, row["day"])]
            prepared = msgspec.convert(row["result"]["prepared"], list[Prepared])
            told = await stored.run(connection, name, row["day"], row["version"], prepared, done, at=datetime.now(UTC), by=person.name)
        return {"id": name, "state": "running", "routes": list(told)}

    @router.post("/api/plans/{id}/reject", summary="Put a proposed plan aside: what runs goes on")
    async def reject(name: PlanId, person: Acting) -> dict[str, Any]:
        table = plan_models.Plan
        values = {"state": "rejected", "decided": datetime.now(UTC), "decided_by": person.name}
        async with engine.begin() as connection:
            row = await _proposed(connection, name)
            await connection.execute(update(table).where(table.id == name).values(**values))
            await plans.notify(connection, "plan", id=name, day=row["day"], version=row["version"], state="rejected")
        return {"id": name, "state": "rejected"}

    @router.get("/api/routes/{edge}", summary="The route that a truck is to drive, with its path")
    async def show_route(edge: Edge, day: Day = None) -> dict[str, Any]:
        async with engine.connect() as connection:
            row = await plans.newest_route(connection, edge, today(day))
            if row is None:
                raise HTTPException(404, f"{edge} has no route on {today(day)}")
            outcomes = await plans.outcomes(connection, today(day), edge)
        return dict(row) | {"outcomes": [_outcome(one) for one in outcomes]}

    return router


async def _plan(connection: AsyncConnection, name: uuid.UUID) -> RowMapping:
    found = (await connection.execute(select(plan_models.Plan.__table__).where(plan_models.Plan.id == name))).mappings().one_or_none()
    if found is None:
        raise HTTPException(404, f"there is no plan {name}")
    return found


async def _proposed(connection: AsyncConnection, name: uuid.UUID) -> RowMapping:
    """The row of a plan that waits for a decision, locked."""
    chosen = select(plan_models.Plan.__table__).where(plan_models.Plan.id == name).with_for_update()
    row = (await connection.execute(chosen)).mappings().one_or_none()
    if row is None:
        raise HTTPException(404, f"there is no plan {name}")
    if row["state"] != "proposed":
        raise HTTPException(409, f"plan version {row['version']} is {row['state']}: only a proposed plan can be decided on")
    return row


def _outcome(row: RowMapping) -> dict[str, Any]:
    return {key: row[key] for key in ("stop", "outcome", "reason", "said_by", "at", "kg")}


def _now_ms() -> int:
    return round(datetime.now(UTC).timestamp() * 1000)
