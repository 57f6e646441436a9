"""The way to PostgreSQL: a small pool that notices a dead server soon and recovers by itself."""

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_CONNECT = {"connect_timeout": 3, "application_name": "asty-cloud-api"}
_READING = {**_CONNECT, "options": "-c statement_timeout=10000 -c default_transaction_read_only=on -c timezone=UTC"}
UNDEFINED_TABLE, UNDEFINED_SCHEMA, UNDEFINED_COLUMN = "42P01", "3F000", "42703"


def reading(dsn: str) -> AsyncEngine:
    """Return the engine of the screens: read only, 10 s at most a statement."""
    return create_async_engine(_url(dsn), pool_size=4, max_overflow=4, pool_timeout=5, pool_pre_ping=True, connect_args=_READING)


def writing(dsn: str) -> Engine:
    """Return the engine of migrations and imports."""
    return create_engine(_url(dsn), connect_args=_CONNECT)


def changing(dsn: str) -> AsyncEngine:
    """Return the engine of what is written while pages are served: plans, routes, outcomes."""
    options = {**_CONNECT, "options": "-c statement_timeout=10000 -c timezone=UTC"}
    return create_async_engine(_url(dsn), pool_size=4, max_overflow=4, pool_timeout=5, pool_pre_ping=True, connect_args=options)


def is_away(error: Exception) -> bool:
    """Tell whether an error means that the database does not answer, rather than that the statement is wrong."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError | OSError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_not_migrated(error: Exception) -> bool:
    """Tell whether a schema is not there yet."""
    return isinstance(error, ProgrammingError) and getattr(error.orig, "sqlstate", None) in (
        UNDEFINED_TABLE,
        UNDEFINED_SCHEMA,
        UNDEFINED_COLUMN,
    )


def _url(dsn: str) -> str:
    return make_url(dsn).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
