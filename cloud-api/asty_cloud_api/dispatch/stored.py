"""Plans in the database: read the newest, store the next. One transaction each, so that a crash leaves the plan before or the one after."""

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import RowMapping, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.dispatch.making import Made
from asty_cloud_api.dispatch.problem import Problem
from asty_cloud_api.dispatch.sheet import changed
from asty_cloud_api.fleet import plan_models, plans
from asty_cloud_api.planning.plan import Plan

log = logging.getLogger(__name__)
ONE_PLANNER = 0x4153_5459
"""The key of the lock under which plans are stored."""


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A plan as it was stored, with its row's id and state."""

    id: uuid.UUID
    state: str
    problem: Problem
    plan: Plan


@dataclass(frozen=True, slots=True)
class Prepared:
    """A truck's route before it has a version."""

    edge: str
    stops: list[dict[str, Any]]
    path: list[dict[str, Any]] | None
    figures: dict[str, Any]
    order: list[tuple[str, str]]


def read_stored(row: RowMapping) -> Stored:
    """Bring a row of fleet.plan back to what was stored. Raises msgspec.ValidationError for one of another age of this program."""
    return Stored(row["id"], row["state"], msgspec.convert(row["problem"], Problem), msgspec.convert(row["result"]["plan"], Plan))


async def newest(connection: AsyncConnection, day: date) -> Stored | None:
    """The plan to plan on from: what waits for a dispatcher's word, else what runs."""
    table = plan_models.Plan
    chosen = (
        select(table.__table__).where(table.day == day, table.state.in_(("proposed", "running"))).order_by(table.version.desc()).limit(1)
    )
    row = (await connection.execute(chosen)).mappings().one_or_none()
    if row is None:
        return None
    try:
        return read_stored(row)
    except msgspec.ValidationError as error:
        log.warning("event=plan_not_read day=%s why=%r do=%r", day, str(error), "the day is planned anew")
        return None


async def store(
    connection: AsyncConnection,
    made: Made,
    prepared: Sequence[Prepared],
    *,
    parent: uuid.UUID | None,
    reasons: Sequence[Mapping[str, Any]],
    trigger: uuid.UUID | None,
    at: datetime,
    by: str,
    proposed: bool,
) -> tuple[uuid.UUID, int, tuple[str, ...]]:
    """Store a plan, and unless it is only proposed let it run; returns its id, its version, and the trucks that got a new route."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_PLANNER})
    table = plan_models.Plan
    day = made.problem.day
    last = (await connection.execute(select(func.max(table.version)).where(table.day == day))).scalar_one()
    name, version = uuid.uuid4(), (last or 0) + 1
    row = {
        "id": name,
        "day": day,
        "version": version,
        "parent": parent,
        "state": "proposed",
        "made": at,
        "made_by": by,
        "trigger": trigger,
        "reasons": list(reasons),
        "figures": figures_of(made.plan),
        "problem": msgspec.to_builtins(made.problem),
        "result": {"plan": msgspec.to_builtins(made.plan), "prepared": msgspec.to_builtins(list(prepared))},
    }
    await connection.execute(
        update(table).where(table.day == day, table.state == "proposed").values(state="replaced", decided=at, decided_by=by)
    )
    await connection.execute(insert(table).values(**row))
    if proposed:
        await plans.notify(connection, "plan", id=name, day=day, version=version, state="proposed")
        return name, version, ()
    return name, version, await run(connection, name, day, version, prepared, made.day.done_order, at=at, by=by)


async def run(
    connection: AsyncConnection,
    name: uuid.UUID,
    day: date,
    version: int,
    prepared: Sequence[Prepared],
    done: Sequence[str],
    *,
    at: datetime,
    by: str,
) -> tuple[str, ...]:
    """Let a proposed plan run in the place of the one before; returns the trucks that got a new route."""
    table = plan_models.Plan
    await connection.execute(update(table).where(table.day == day, table.state == "running").values(state="replaced"))
    await connection.execute(update(table).where(table.id == name).values(state="running", decided=at, decided_by=by))
    told: list[str] = []
    for route in prepared:
        stored = await plans.newest_route(connection, route.edge, day)
        if stored is None and not route.order:
            continue
        if stored is not None and not changed(route.order, stored["stops"], frozenset(done)):
            continue
        row = {"edge": route.edge, "day": day, "plan": name, "made": at, "stops": route.stops, "path": route.path, "figures": route.figures}
        await plans.store_route(connection, row)
        told.append(route.edge)
    await plans.notify(connection, "plan", id=name, day=day, version=version, state="running")
    return tuple(told)


def figures_of(plan: Plan) -> dict[str, Any]:
    """What a plan comes to: metres, seconds of its trucks, kg, stops, left_out, cost (euro)."""
    return {
        "metres": round(plan.metres),
        "seconds": sum(route.ends - route.begins for route in plan.routes),
        "kg": round(sum(route.kg for route in plan.routes)),
        "stops": len(plan.served),
        "left_out": sum(item.what == "stop" for item in plan.left_out),
        "cost": round(plan.cost.total, 2),
    }


async def add_explanation(connection: AsyncConnection, name: uuid.UUID, part: dict[str, Any]) -> None:
    """Put a part of the explanation beside a stored plan."""
    table = plan_models.Plan
    known = (await connection.execute(select(table.result).where(table.id == name).with_for_update())).scalar_one()
    await connection.execute(update(table).where(table.id == name).values(result=known | {"explained": known.get("explained", {}) | part}))
