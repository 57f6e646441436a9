"""Brings schema `telemetry` to its newest version; several at once wait for each other."""

import logging
from importlib.resources import files
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

log = logging.getLogger(__name__)

LOCK = 0x61737479_0001
"""Advisory lock held while migrating."""


def migrate(dsn: str) -> str:
    """Upgrade to the newest version; installs TimescaleDB first where the server has it loaded. Returns the version.

    Raises psycopg.OperationalError when the database can't be reached.
    """
    with psycopg.connect(dsn, autocommit=True) as held:
        held.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        held.execute("CREATE SCHEMA IF NOT EXISTS telemetry")
        _install_timescale(held)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(files("asty_stream") / "migrations"))
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK})")
        connection.commit()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        version = str(connection.exec_driver_sql("SELECT version_num FROM telemetry.alembic_version").scalar())
    log.info("schema telemetry is at version %s", version)
    return version


def _install_timescale(connection: psycopg.Connection[Any]) -> None:
    """Create the extension where it is loaded, unless the native tables already stand: they stay native."""
    loaded = "timescaledb" in str(connection.execute("SHOW shared_preload_libraries").fetchone())
    stands = connection.execute("SELECT to_regclass('telemetry.position') IS NOT NULL").fetchone() == (True,)
    if not loaded or stands:
        return
    try:
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS timescaledb"))
    except psycopg.Error as error:
        log.warning("TimescaleDB is loaded but could not be created here, so native partitions are used: %s", error)
