"""The way to PostgreSQL: a small pool that notices a dead server soon and recovers by itself."""

from asty_process.postgres import url
from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_CONNECT = {"connect_timeout": 3, "application_name": "asty-cloud-api"}
_READING = {**_CONNECT, "options": "-c statement_timeout=10000 -c default_transaction_read_only=on -c timezone=UTC"}


def reading(dsn: str) -> AsyncEngine:
    """Return the engine of the screens: read only, 10 s at most a statement."""
    return create_async_engine(url(dsn), pool_size=4, max_overflow=4, pool_timeout=5, pool_pre_ping=True, connect_args=_READING)


def writing(dsn: str) -> Engine:
    """Return the engine of migrations and imports."""
    return create_engine(url(dsn), connect_args=_CONNECT)


def changing(dsn: str) -> AsyncEngine:
    """Return the engine of what is written while pages are served: plans, routes, outcomes."""
    options = {**_CONNECT, "options": "-c statement_timeout=10000 -c timezone=UTC"}
    return create_async_engine(url(dsn), pool_size=4, max_overflow=4, pool_timeout=5, pool_pre_ping=True, connect_args=options)
