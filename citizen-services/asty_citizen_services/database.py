"""The way to PostgreSQL: one pool, one transaction at a time, and the base of all tables of schema `citizen`."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from asty_process.postgres import url
from sqlalchemy import DateTime, Engine, MetaData, Text, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session

SCHEMA = "citizen"
# the job queue's functions name their tables without a schema
OPTIONS = f"-c search_path={SCHEMA},public -c timezone=UTC"
CONNECTIONS = 20
"""What one process opens at most; it runs as many threads, so that none of them waits for a connection in vain."""
_CONNECT = {"connect_timeout": 3, "application_name": "asty-citizen-services"}


class Base(DeclarativeBase):
    """The base of every table of this process; times are UTC with their zone, dicts and lists are JSONB."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        },
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it so
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


class Database:
    """A pool that notices a dead server soon and recovers by itself. `begin()` is the way in, `reading()` for a look."""

    def __init__(self, dsn: str, *, size: int = 12) -> None:
        self.engine = create_engine(
            url(dsn),
            pool_size=size,
            max_overflow=CONNECTIONS - 12,
            pool_timeout=5,
            connect_args={**_CONNECT, "options": f"{OPTIONS} -c statement_timeout=20000 -c idle_in_transaction_session_timeout=60000"},
        )
        event.listen(self.engine, "checkout", _refuse_dead)
        self._each = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Give a session in a transaction: committed at the end, rolled back when anything is raised."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session without a transaction, each statement on its own: for few reads, at half the round trips."""
        with Session(self._each, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()


def _refuse_dead(connection: Any, _record: object, _proxy: object) -> None:
    """Take no connection out of the pool on which the server has said something while it rested: that is its goodbye.

    It costs no round trip, which a ping does before every transaction.
    """
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        raise InvalidatePoolError("the server has closed the connection")


def for_migrations(dsn: str) -> Engine:
    """Return an engine without time limits."""
    return create_engine(url(dsn), connect_args={**_CONNECT, "options": OPTIONS})


@contextmanager
def for_command(dsn: str) -> Iterator[Session]:
    """Give a command line's only transaction, without time limits."""
    engine = for_migrations(dsn)
    try:
        with Session(engine) as session, session.begin():
            yield session
    finally:
        engine.dispose()
