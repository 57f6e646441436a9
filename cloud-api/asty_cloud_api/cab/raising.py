"""Brings to the planner what follows from drivers' actions; what could not be brought is tried again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
from asty_contracts.stream import PlanTrigger
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from asty_cloud_api.cab.models import DriverAction

log = logging.getLogger(__name__)
EVERY_S = 1.0
MOST_AT_ONCE = 50

Raise = Callable[[PlanTrigger], Awaitable[None]]


async def keep_raising(engine: AsyncEngine, raise_trigger: Raise) -> None:
    """Raise every trigger at least once, oldest first, until cancelled; its id is the action's key, so that twice counts once."""
    while True:
        try:
            await raise_waiting(engine, raise_trigger)
        except SQLAlchemyError as error:
            log.warning("event=trigger_not_raised why=%r do=%r", str(error).split("\n", 1)[0], "it is tried again")
        await asyncio.sleep(EVERY_S)


async def raise_waiting(engine: AsyncEngine, raise_trigger: Raise) -> int:
    """Raise what waits; return how many. Raises SQLAlchemyError, of `raise_trigger` too."""
    waiting = select(DriverAction.key, DriverAction.trigger).where(DriverAction.trigger.is_not(None), DriverAction.raised.is_(None))
    async with engine.connect() as connection:
        rows = (await connection.execute(waiting.order_by(DriverAction.received).limit(MOST_AT_ONCE))).all()
    for row in rows:
        await raise_trigger(msgspec.convert(row.trigger, PlanTrigger))
        async with engine.begin() as connection:
            await connection.execute(update(DriverAction).where(DriverAction.key == row.key).values(raised=datetime.now(UTC)))
    return len(rows)
