"""The jobs of the audit."""

from datetime import UTC, datetime

from procrastinate import Blueprint

from asty_citizen_services.audit import journal
from asty_citizen_services.database import Database


def tasks(database: Database) -> Blueprint:
    """Return the task `seal`, which runs every hour."""
    blueprint = Blueprint()

    @blueprint.periodic(cron="7 * * * *")
    @blueprint.task(name="seal", queueing_lock="audit:seal", pass_context=False)
    def seal(timestamp: int) -> None:  # noqa: ARG001  the queue gives it to every periodic task
        """Seal the streams that grew in the last hour."""
        with database.begin() as session:
            journal.seal(session, datetime.now(UTC))

    return blueprint
