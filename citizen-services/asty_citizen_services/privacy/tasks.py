"""The nightly job of privacy."""

import logging
from datetime import UTC, datetime

from procrastinate import Blueprint

from asty_citizen_services.database import Database
from asty_citizen_services.privacy import erasing
from asty_citizen_services.procedures.catalogue import Catalogue

log = logging.getLogger(__name__)


def tasks(database: Database, catalogue: Catalogue) -> Blueprint:
    """Return the task `retain`, each night."""
    blueprint = Blueprint()

    @blueprint.periodic(cron="20 1 * * *")
    @blueprint.task(name="retain", queue="default", queueing_lock="privacy:retain")
    def retain(timestamp: int) -> None:  # noqa: ARG001  procrastinate passes when it was due
        """Erase what is older than its retention."""
        with database.begin() as session:
            erased = erasing.retain(session, catalogue, datetime.now(UTC))
        log.info("event=retained cases=%d drafts=%d", erased["cases"], erased["drafts"])

    return blueprint
