"""The jobs of notices."""

import uuid

from procrastinate import Blueprint, RetryStrategy
from sqlalchemy import select

from asty_citizen_services.database import Database
from asty_citizen_services.identity.models import ContactPoint
from asty_citizen_services.identity.notifier import Message, Notifier, NotSentError
from asty_citizen_services.notices.models import Notice
from asty_citizen_services.notices.texts import TEXTS


def tasks(database: Database, notifier: Notifier) -> Blueprint:
    """Return the task `deliver`."""
    blueprint = Blueprint()

    @blueprint.task(
        name="deliver", queue="notices", retry=RetryStrategy(max_attempts=8, exponential_wait=4, retry_exceptions={NotSentError})
    )
    def deliver(notice: str) -> None:
        """Send a notice to the citizen's verified addresses; without one it waits on the citizen's page."""
        with database.begin() as session:
            it = session.get_one(Notice, uuid.UUID(notice))
            text = TEXTS[it.template][it.language].fill(it.values)
            points = session.scalars(select(ContactPoint).where(ContactPoint.citizen_id == it.citizen_id, ContactPoint.ended_at.is_(None)))
            messages = [Message("phone" if point.kind == "phone" else "email", point.address, text.subject, text.body) for point in points]
        for message in messages:
            notifier.send(message)

    return blueprint
