"""Triggers in the database: kept once by their id, answered with the plan."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from asty_contracts.stream import PlanTrigger
from sqlalchemy import CursorResult, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from asty_cloud_api.dispatch.answers import Said
from asty_cloud_api.fleet import plan_models, plans


async def keep(connection: AsyncConnection, trigger: PlanTrigger) -> bool:
    """Keep a trigger until it is answered; tell whether its id was new."""
    row = {
        "id": trigger.id,
        "at": datetime.fromtimestamp(trigger.t / 1000, UTC),
        "kind": trigger.kind,
        "subject": trigger.subject,
        "said_by": trigger.said_by,
        "detail": trigger.detail,
        "state": "waiting",
    }
    table = plan_models.PlanTrigger
    kept = await connection.execute(insert(table).values(**row).on_conflict_do_nothing(index_elements=["id"]).returning(table.id))
    is_new = kept.first() is not None  # the driver's count of rows is -1 here
    if is_new:
        await plans.notify(connection, "trigger", id=trigger.id, kind=trigger.kind, subject=trigger.subject, state="waiting")
    return is_new


async def answer(
    connection: AsyncConnection,
    names: Iterable[uuid.UUID],
    at: datetime,
    *,
    said: Said,
    plan: uuid.UUID | None = None,
    ignored: bool = False,
) -> None:
    """Answer triggers that wait: with a plan, or with why none was needed."""
    table = plan_models.PlanTrigger
    state = "ignored" if ignored else "answered"
    answered = {"state": state, "why": said.why, "answer": said.stored, "plan": plan, "answered": at}
    for name in names:
        done: CursorResult[None] = await connection.execute(
            update(table).where(table.id == name, table.state == "waiting").values(**answered)
        )
        if done.rowcount:
            await plans.notify(connection, "trigger", id=name, state=state, plan=plan)
