"""asty-citizen-services serve | worker | migrate | audit verify"""

import argparse
import asyncio
import logging
import sys

import uvicorn
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from asty_citizen_services import database, settings
from asty_citizen_services.audit import journal
from asty_citizen_services.main import create_app
from asty_citizen_services.migrate import migrate
from asty_citizen_services.worker import work


def main(arguments: list[str] | None = None) -> None:
    """Run one command; exits with 1 and one line that says what to do when it can't."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    wanted = _parser().parse_args(arguments)
    try:
        wanted.run(wanted)
    except settings.SettingsError as error:
        sys.exit(f"asty-citizen-services: {error}")
    except SQLAlchemyError as error:
        sys.exit(f"asty-citizen-services: the database refused: {str(error).splitlines()[0]}; nothing was changed")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="asty-citizen-services", description="Citizens' procedures of a municipality.")
    commands = parser.add_subparsers(required=True)
    commands.add_parser("serve", help="serve the pages and interfaces").set_defaults(run=_serve)
    commands.add_parser("worker", help="do the jobs of the queue: notices, documents, deadlines").set_defaults(run=_work)
    auditing = commands.add_parser("audit", help="the append-only journal").add_subparsers(required=True)
    auditing.add_parser("verify", help="check every chain and seal; exits with 1 when something was altered").set_defaults(
        run=_verify_audit
    )
    commands.add_parser("migrate", help="bring schema citizen to its newest version").set_defaults(run=_migrate)
    return parser


def _serve(_wanted: argparse.Namespace) -> None:
    chosen = settings.read()
    uvicorn.run(
        create_app(chosen),
        host=chosen.host,
        port=chosen.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        server_header=False,
    )


def _work(_wanted: argparse.Namespace) -> None:
    asyncio.run(work(settings.read()))


def _verify_audit(_wanted: argparse.Namespace) -> None:
    engine = database.for_migrations(settings.read().dsn)
    with Session(engine) as session:
        flaws = list(journal.verify(session))
    engine.dispose()
    for flaw in flaws:
        sys.stdout.write(f"{flaw}\n")
    if flaws:
        sys.exit(f"asty-citizen-services: the audit was tampered with: {len(flaws)} flaws; keep the database as it is")
    sys.stdout.write("the audit is whole\n")


def _migrate(_wanted: argparse.Namespace) -> None:
    engine = database.for_migrations(settings.read().dsn)
    migrate(engine)
    engine.dispose()
