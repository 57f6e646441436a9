"""Which of the two engines keeps the records: TimescaleDB, or PostgreSQL's own partitions. Decided once, by the first migration."""

from typing import Any, Literal

from psycopg import AsyncConnection
from sqlalchemy import Connection

Engine = Literal["timescale", "native"]


def timescale_is_installed(bind: Connection) -> bool:
    """Tell whether this database has TimescaleDB with continuous aggregates and compression (its community licence)."""
    installed = bind.exec_driver_sql("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").scalar()
    return bool(installed) and bind.exec_driver_sql("SELECT current_setting('timescaledb.license', true)").scalar() == "timescale"


async def engine_of(connection: AsyncConnection[Any]) -> Engine:
    """Tell which engine the tables were made for: partitioned tables are native."""
    cursor = await connection.execute("SELECT relkind FROM pg_class WHERE oid = 'telemetry.position'::regclass")
    row = await cursor.fetchone()
    return "native" if row == ("p",) else "timescale"
