"""The jobs of the hand-over."""

import uuid
from datetime import UTC, datetime

from procrastinate import Blueprint, RetryStrategy

from asty_citizen_services.database import Database
from asty_citizen_services.handover import desk
from asty_citizen_services.handover.models import HandoverEntry
from asty_citizen_services.handover.system import AwayError, DocumentSystem, RefusedBySystemError


def tasks(database: Database, system: DocumentSystem) -> Blueprint:
    """Return the tasks `announce` (each minute) and `send` (one entry; tried again for two days)."""
    blueprint = Blueprint()

    @blueprint.periodic(cron="* * * * *")
    @blueprint.task(name="announce", queue="handover", queueing_lock="handover:announce")
    def announce(timestamp: int) -> None:  # noqa: ARG001  procrastinate passes when it was due
        """Put entries of the protocol on their way."""
        with database.begin() as session:
            desk.announce(session, datetime.now(UTC))

    @blueprint.task(name="send", queue="handover", retry=RetryStrategy(max_attempts=11, exponential_wait=3, retry_exceptions={AwayError}))
    def send(docket: str) -> None:
        """Hand one entry over. Raises AwayError while it is to be tried again."""
        hand_over(database, system, uuid.UUID(docket), datetime.now(UTC))

    return blueprint


def hand_over(database: Database, system: DocumentSystem, docket: uuid.UUID, now: datetime) -> None:
    """Hand an entry over and write down what became of it; the system is called outside of any transaction. Raises AwayError."""
    with database.begin() as session:
        row = session.get_one(HandoverEntry, docket)
        if row.state != "waiting":
            return
        row.tries += 1
        entry, files = desk.entry_of(session, docket)
    try:
        foreign = system.register(entry, files)
    except RefusedBySystemError as error:
        _write(database, docket, state="refused", why=str(error)[:500])
    except AwayError as error:
        _write(database, docket, state="waiting", why=str(error)[:500])
        raise
    else:
        _write(database, docket, state="sent", why=None, foreign_id=foreign, sent_at=now)


def _write(database: Database, docket: uuid.UUID, **values: object) -> None:
    with database.begin() as session:
        row = session.get_one(HandoverEntry, docket)
        for name, value in values.items():
            setattr(row, name, value)
