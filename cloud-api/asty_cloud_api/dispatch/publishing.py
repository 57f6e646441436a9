"""A trigger on its way to the planner."""

import asyncio
import logging

from asty_contracts.stream import PlanTrigger
from sqlalchemy.ext.asyncio import AsyncEngine

from asty_cloud_api.dispatch import triggers
from asty_cloud_api.dispatch.inbox import KafkaAwayError, Outbox

log = logging.getLogger(__name__)


async def publish(engine: AsyncEngine, outbox: Outbox | None, trigger: PlanTrigger) -> None:
    """Publish a trigger; while Kafka is away it is kept in the database, where the planner finds it too. Raises SQLAlchemyError."""
    if outbox is not None:
        try:
            await asyncio.to_thread(outbox.publish, trigger)
        except KafkaAwayError as error:
            log.warning("event=kafka_away trigger=%s why=%r do=%r", trigger.id, str(error), "it is kept in the database")
        else:
            return
    async with engine.begin() as connection:
        await triggers.keep(connection, trigger)
