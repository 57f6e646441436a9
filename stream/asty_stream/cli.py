"""The commands of `asty-stream`."""

import argparse
import asyncio
import logging
import sys

import psycopg
from asty_process.environment import SettingsError

from asty_stream import settings
from asty_stream.migrate import migrate


def main(arguments: list[str] | None = None) -> int:
    """Run a command; exits 0, 1 when it failed, 2 when the settings do not fit, 3 when a stalled worker gave up."""
    parser = argparse.ArgumentParser(
        prog="asty-stream", description="Keeps telemetry: Kafka to the telemetry store, acknowledged to the edges."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("worker", help="take packs from Kafka until SIGTERM")
    commands.add_parser("migrate", help="bring schema telemetry to its newest version")
    commands.add_parser("maintain", help="gaps that stay open, partitions, rollups, compression and retention, once")
    command = parser.parse_args(arguments).command
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("faust", "mode", "aiokafka", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        if command == "worker":
            from asty_stream.worker import run  # Faust takes a second to import: the other commands need not wait for it

            return run(settings.read())
        dsn = settings.read_dsn()
        if command == "migrate":
            migrate(dsn)
        else:
            from asty_stream.store.maintain import maintain

            asyncio.run(maintain(dsn, settings.read_gap_minutes()))
    except SettingsError as error:
        print(f"asty-stream: the environment does not fit: {error}", file=sys.stderr)
        return 2
    except psycopg.Error as error:
        print(f"asty-stream: the database did not do it; nothing was changed: {error}", file=sys.stderr)
        return 1
    return 0
