"""The jobs of the workflow: the system's own steps, and time."""

import uuid
from datetime import UTC, datetime

from procrastinate import Blueprint, RetryStrategy
from sqlalchemy import select

from asty_citizen_services.database import Database
from asty_citizen_services.workflow import acts
from asty_citizen_services.workflow.desk import Desk
from asty_citizen_services.workflow.models import CaseState


def tasks(database: Database, desk: Desk) -> Blueprint:
    """Return the tasks `work` (system steps of one case), `paid` (its fee came in), `tick` (terms that are over) and `overdue`."""
    blueprint = Blueprint()

    @blueprint.task(name="work", queue="cases", retry=RetryStrategy(max_attempts=12, exponential_wait=3))
    def work(application: str) -> None:
        """Do the waiting system steps of a case one by one, each in its own transaction."""
        more = True
        while more:
            with database.begin() as session:
                more = desk.work(session, uuid.UUID(application), datetime.now(UTC))

    @blueprint.task(name="paid", queue="cases", retry=RetryStrategy(max_attempts=12, exponential_wait=3))
    def paid(application: str) -> None:
        """Let a case go on that waited for its fee."""
        with database.begin() as session:
            desk.paid(session, uuid.UUID(application), datetime.now(UTC))

    @blueprint.periodic(cron="* * * * *")
    @blueprint.task(name="tick", queue="cases", queueing_lock="workflow:tick")
    def tick(timestamp: int) -> None:  # noqa: ARG001  procrastinate passes when it was due
        """Let terms run out."""
        now = datetime.now(UTC)
        with database.begin() as session:
            due = list(session.scalars(select(CaseState.application_id).where(CaseState.next_term < now).order_by(CaseState.next_term)))
        for application in due:
            with database.begin() as session:
                desk.tick(session, application, now)

    @blueprint.periodic(cron="*/10 * * * *")
    @blueprint.task(name="overdue", queue="cases", queueing_lock="workflow:overdue")
    def overdue(timestamp: int) -> None:  # noqa: ARG001  procrastinate passes when it was due
        """Tell heads of department of what is late."""
        with database.begin() as session:
            acts.overdue(session, datetime.now(UTC))

    return blueprint
