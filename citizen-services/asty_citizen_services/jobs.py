"""Work that is done later, by the worker: procrastinate, whose tables lie in the same schema.

A job is deferred in the transaction of what it follows from: both are there, or neither.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import psycopg
from procrastinate import App, Blueprint, PsycopgConnector
from procrastinate.schema import SchemaManager
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from asty_citizen_services.database import OPTIONS, SCHEMA

_DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW("
    ":queue, :task, 0, :lock, :queueing_lock, :arguments, CAST(:at AS timestamptz)"
    ")]::procrastinate_job_to_defer_v1[])"
)


def defer(
    session: Session,
    task: str,
    *,
    at: datetime | None = None,
    lock: str | None = None,
    queue: str = "default",
    **arguments: str | int | bool | None,
) -> None:
    """Put a job into the queue within the session's transaction; `task` is the registered name, `room:verb`.

    Jobs with the same `lock` run one after the other.
    """
    values = {"queue": queue, "task": task, "lock": lock, "queueing_lock": None, "arguments": Jsonb(arguments), "at": at}
    session.execute(_DEFER, values)


def app(dsn: str, blueprints: Iterable[tuple[str, Blueprint]]) -> App:
    """Return the queue's application with the tasks of the rooms, each under its room's name: `notices:deliver`."""
    connector = PsycopgConnector(
        conninfo=dsn, kwargs={"options": OPTIONS, "application_name": "asty-citizen-worker"}, min_size=1, max_size=4
    )
    made = App(connector=connector)
    for room, blueprint in blueprints:
        made.add_tasks_from(blueprint, namespace=room)
    return made


def install(connection: Connection) -> bool:
    """Create the queue's tables in schema `citizen` when they are missing; tell whether they were."""
    if connection.execute(text("SELECT to_regclass(:name)"), {"name": f"{SCHEMA}.procrastinate_jobs"}).scalar() is not None:
        return False
    raw: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    raw.execute(SchemaManager.get_schema())
    return True
