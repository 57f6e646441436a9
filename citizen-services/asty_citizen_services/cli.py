"""asty-citizen-services serve | worker | migrate | audit verify | double … | demo-town | departments import | staff … | procedures …"""

import argparse
import asyncio
import gc
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

from asty_process.environment import OperatorError, SettingsError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from asty_citizen_services import database, settings
from asty_citizen_services.identity import commands as identity
from asty_citizen_services.kiosk import commands as kiosk
from asty_citizen_services.procedures import commands as procedures

# Web server, workflow, PDF and signatures take seconds to import: a command imports what it needs when it runs, and no more.


def main(arguments: list[str] | None = None) -> None:
    """Run one command; exits with 1 and one line that says what to do when it can't."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("spiff").setLevel(logging.WARNING)  # the engine tells of every task of every case at INFO
    wanted = _parser().parse_args(arguments)
    try:
        wanted.run(wanted)
    except (OperatorError, FileNotFoundError) as error:
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
    doubling = commands.add_parser("double", help="stand-ins for what can't be had on a laptop").add_subparsers(required=True)
    national = doubling.add_parser("taxisnet", help="the national sign-in with test persons; never with ASTY_PRODUCTION")
    national.add_argument("--port", type=int, required=True)
    national.set_defaults(run=_double_taxisnet)
    banking = doubling.add_parser("bank", help="a bank's pay page that charges nobody; never with ASTY_PRODUCTION")
    banking.add_argument("--port", type=int, required=True)
    banking.set_defaults(run=_double_bank)
    archiving = doubling.add_parser("documents", help="a document system that keeps docs/handover.md; never with ASTY_PRODUCTION")
    archiving.add_argument("--port", type=int, required=True)
    archiving.set_defaults(run=_double_documents)
    handing = commands.add_parser("handover", help="the municipality's existing document system").add_subparsers(required=True)
    handing.add_parser("check", help="test a document system against the contract; it keeps one entry marked as a test").set_defaults(
        run=_check_handover
    )
    paying = commands.add_parser("payments", help="fees and the bank's statements").add_subparsers(required=True)
    reconciling = paying.add_parser("reconcile", help="take a bank's statement (CSV); says what matched, is unknown, differs")
    reconciling.add_argument("file", type=Path)
    reconciling.set_defaults(run=_reconcile)
    directory = doubling.add_parser("directory", help="the staff's sign-in with test accounts; never with ASTY_PRODUCTION")
    directory.add_argument("--port", type=int, required=True)
    directory.set_defaults(run=_double_directory)
    holding = commands.add_parser("hold", help="keep a case whatever its retention says").add_subparsers(required=True)
    placing = holding.add_parser("place", help="keep the case of a protocol number, such as for a court")
    placing.add_argument("reference")
    placing.add_argument("--why", required=True)
    placing.set_defaults(run=_hold)
    ending = holding.add_parser("end", help="let its retention run again")
    ending.add_argument("reference")
    ending.set_defaults(run=_release)
    issuing = commands.add_parser("documents", help="papers and signatures").add_subparsers(required=True)
    timing = issuing.add_parser("time", help="how long composing and signing takes here, with a demo key; keeps nothing")
    timing.add_argument("--runs", type=int, default=20)
    timing.set_defaults(run=_time_documents)
    identity.register(commands)
    procedures.register(commands)
    kiosk.register(commands)
    preparing = commands.add_parser("demo-town", help="two officers, demo keys and test registers; never with ASTY_PRODUCTION")
    preparing.add_argument(
        "folder", type=Path, help="where the demo authority keeps its key; its certificate is what ASTY_CITIZEN_TRUST names"
    )
    preparing.set_defaults(run=_demo_town)
    commands.add_parser("migrate", help="bring schema citizen to its newest version").set_defaults(run=_migrate)
    return parser


def _serve(_wanted: argparse.Namespace) -> None:
    import uvicorn
    from asty_process.measure import Board, Measured

    from asty_citizen_services import prefork
    from asty_citizen_services.main import create_app

    chosen = settings.read()
    app = create_app(chosen)
    gc.collect()
    gc.freeze()  # what is loaded stays, and is shared: walking over it again and again took a fifth of the time of a page
    config = uvicorn.Config(
        app, host=chosen.host, port=chosen.port, log_config=None, access_log=False, timeout_graceful_shutdown=5, server_header=False
    )
    measured: Measured = app.state.measured
    board = Board(chosen.processes)
    prefork.serve(config, chosen.processes, lambda number: measured.share(board, number))


def _demo_town(wanted: argparse.Namespace) -> None:
    from asty_citizen_services import demo

    demo.prepare_town(wanted)


def _time_documents(wanted: argparse.Namespace) -> None:
    from asty_citizen_services.documents import timing

    chosen = settings.read()
    timing.report(wanted.runs, chosen.zone, chosen.address)


def _work(_wanted: argparse.Namespace) -> None:
    from asty_citizen_services.worker import work

    asyncio.run(work(settings.read()))


def _double_taxisnet(wanted: argparse.Namespace) -> None:
    import uvicorn

    from asty_citizen_services.identity import sign_in, taxisnet_double

    if settings.is_production():
        raise SettingsError("a stand-in for TaxisNet does not start with ASTY_PRODUCTION: set ASTY_CITIZEN_TAXISNET_ADDRESS to GSIS")
    chosen = settings.read()
    if chosen.taxisnet is None:
        raise SettingsError("ASTY_CITIZEN_TAXISNET_ADDRESS, _CLIENT and _SECRET are missing: the stand-in takes that one client")
    client = taxisnet_double.Client(chosen.taxisnet.client, chosen.taxisnet.secret, chosen.address + sign_in.BACK)
    uvicorn.run(taxisnet_double.create_app(client), host="127.0.0.1", port=wanted.port, log_config=None, access_log=False)


def _double_bank(wanted: argparse.Namespace) -> None:
    import uvicorn

    from asty_citizen_services.payments import bank_double

    app = bank_double.create_app(settings.read())
    uvicorn.run(app, host="127.0.0.1", port=wanted.port, log_config=None, access_log=False)


def _reconcile(wanted: argparse.Namespace) -> None:
    from asty_citizen_services.payments import reconcile

    engine = database.for_migrations(settings.read().dsn)
    with Session(engine) as session, session.begin():
        report = reconcile.reconcile(session, wanted.file.read_text(encoding="utf-8"), "operator", datetime.now(UTC))
    engine.dispose()
    sys.stdout.write(report.text() + "\n")


def _double_directory(wanted: argparse.Namespace) -> None:
    import uvicorn

    from asty_citizen_services.identity import directory_pages, oidc_double

    if settings.is_production():
        raise SettingsError(
            "a stand-in for the directory does not start with ASTY_PRODUCTION: set ASTY_CITIZEN_OIDC_ISSUER to the municipality's own"
        )
    chosen = settings.read()
    if chosen.oidc is None:
        raise SettingsError("ASTY_CITIZEN_OIDC_ISSUER, _CLIENT and _SECRET are missing: the stand-in takes that one client")
    client = oidc_double.Registered(chosen.oidc.client, chosen.oidc.secret, chosen.address + directory_pages.BACK)
    app = oidc_double.create_app(client, chosen.oidc.issuer)
    uvicorn.run(app, host="127.0.0.1", port=wanted.port, log_config=None, access_log=False)


def _hold(wanted: argparse.Namespace) -> None:
    from asty_citizen_services.privacy import erasing

    engine = database.for_migrations(settings.read().dsn)
    with Session(engine) as session, session.begin():
        erasing.hold(session, wanted.reference, wanted.why, "operator", datetime.now(UTC))
    engine.dispose()


def _release(wanted: argparse.Namespace) -> None:
    from asty_citizen_services.privacy import erasing

    engine = database.for_migrations(settings.read().dsn)
    with Session(engine) as session, session.begin():
        ended = erasing.release(session, wanted.reference, "operator", datetime.now(UTC))
    engine.dispose()
    sys.stdout.write(f"{ended} holds ended\n")


def _double_documents(wanted: argparse.Namespace) -> None:
    import uvicorn

    from asty_citizen_services.handover import double as documents_double

    if settings.is_production():
        raise SettingsError("a stand-in for the document system does not start with ASTY_PRODUCTION")
    chosen = settings.read()
    app = documents_double.create_app(_documents(chosen).secret, documents_double.Archive())
    uvicorn.run(app, host="127.0.0.1", port=wanted.port, log_config=None, access_log=False)


def _check_handover(_wanted: argparse.Namespace) -> None:
    from asty_citizen_services.handover import check

    found = list(check.faults(_documents(settings.read())))
    for fault in found:
        sys.stdout.write(f"{fault}\n")
    if found:
        sys.exit(f"asty-citizen-services: the document system breaks the contract in {len(found)} points")
    sys.stdout.write("the document system keeps the contract\n")


def _documents(chosen: settings.Settings) -> settings.DocumentSystemSettings:
    if chosen.documents is None or not chosen.documents.secret:
        raise SettingsError("ASTY_CITIZEN_DOCUMENTS_ADDRESS and ASTY_CITIZEN_DOCUMENTS_SECRET are missing")
    return chosen.documents


def _verify_audit(_wanted: argparse.Namespace) -> None:
    from asty_citizen_services.audit import journal

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
    from asty_citizen_services.migrate import migrate

    engine = database.for_migrations(settings.read().dsn)
    migrate(engine)
    engine.dispose()
