"""How PostgreSQL is addressed, and what its errors mean to somebody who waits for a page."""

from sqlalchemy import make_url
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

UNDEFINED_TABLE, UNDEFINED_SCHEMA, UNDEFINED_COLUMN = "42P01", "3F000", "42703"


def url(dsn: str) -> str:
    """Return the address with the driver's name in it."""
    return make_url(dsn).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def is_away(error: Exception) -> bool:
    """Tell whether an error means that the database does not answer, rather than that the statement is wrong."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError | OSError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_not_migrated(error: Exception) -> bool:
    """Tell whether a table, its schema or a column is not there yet."""
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, ProgrammingError) else None
    return state in (UNDEFINED_TABLE, UNDEFINED_SCHEMA, UNDEFINED_COLUMN)


def is_unstorable(error: Exception) -> bool:
    """Tell whether the request held what no column takes: the sign NUL, a number beyond all bounds."""
    return isinstance(error, DataError)
