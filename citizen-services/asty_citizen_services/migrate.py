"""Brings schema `citizen` to its newest version: every room has a branch of its own."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from asty_citizen_services import jobs


def migrate(engine: Engine) -> None:
    """Run the steps that are missing, of all rooms, in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
        jobs.install(connection)
