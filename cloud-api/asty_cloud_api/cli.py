"""asty-cloud-api serve | planner | migrate | register … | town check FILE | enrol … | driver … | staff … | bench … | simulate | roads …"""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType

from asty_process.environment import SettingsError
from asty_town import TownFileError
from asty_town import read as read_town
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from asty_cloud_api import database, settings
from asty_cloud_api.fleet import fixed_routes, register, town_map
from asty_cloud_api.migrate import migrate

ROOMS = {
    "enrol": "enrolment",
    "bench": "rehearsal",
    "forecast": "rehearsal",
    "simulate": "rehearsal",
    "roads": "roads",
    "driver": "cab",
    "staff": "staff",
}
"""Commands that a room brings. Solvers, plots and web server take seconds to import: a command imports what it needs and no more."""
ERRORS: tuple[type[Exception], ...] = (SettingsError, register.RegisterFileError, fixed_routes.FixedRoutesFileError, TownFileError)


def main(arguments: list[str] | None = None) -> None:
    """Run one command; exits with 1 and one line that says what to do when it can't."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    given = sys.argv[1:] if arguments is None else arguments
    rooms = _rooms(given[0] if given else "")
    wanted = _parser(rooms).parse_args(given)
    errors: tuple[type[Exception], ...] = (*ERRORS, *(error for room in rooms for error in room.ERRORS))
    try:
        wanted.run(wanted)
    except errors as error:
        sys.exit(f"asty-cloud-api: {error}")
    except SQLAlchemyError as error:
        sys.exit(f"asty-cloud-api: the database refused: {str(error).splitlines()[0]}; nothing was changed")


def _rooms(command: str) -> list[ModuleType]:
    """Import the commands of the room that is asked for; of all when none of the program's own is."""
    own = {"serve", "planner", "migrate", "register", "town"}
    names = [ROOMS[command]] if command in ROOMS else [] if command in own else sorted(set(ROOMS.values()))
    return [import_module(f"asty_cloud_api.{name}.commands") for name in names]


def _parser(rooms: Sequence[ModuleType]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="asty-cloud-api", description="Fleet screens and interfaces of Asty.")
    commands = parser.add_subparsers(required=True)
    commands.add_parser("serve", help="serve the pages and interfaces").set_defaults(run=_serve)
    planner = commands.add_parser("planner", help="make the plan of the day and answer plan triggers until SIGTERM")
    planner.add_argument("--mode", choices=("auto", "approve"), help="let plans run by themselves, or propose them (ASTY_PLAN_MODE)")
    planner.set_defaults(run=_plan)
    commands.add_parser("migrate", help="bring schema fleet to its newest version").set_defaults(run=_migrate)

    registering = commands.add_parser("register", help="the register of vehicles and bins").add_subparsers(required=True)
    importing = registering.add_parser("import", help="make the register equal to a file; twice changes nothing")
    importing.add_argument("file", type=Path)
    importing.set_defaults(run=_import_register)

    fixed = registering.add_parser("fixed-routes", help="enter the town's own fixed routes (CSV or JSON), which plans are compared with")
    fixed.add_argument("file", type=Path)
    fixed.set_defaults(run=_import_fixed_routes)

    town = commands.add_parser("town", help="the town's map").add_subparsers(required=True)
    checking = town.add_parser("check", help="read an OpenStreetMap file and say what it holds")
    checking.add_argument("file", type=Path)
    checking.set_defaults(run=_check_town)

    for room in rooms:
        room.register(commands)
    return parser


def _serve(_wanted: argparse.Namespace) -> None:
    import uvicorn

    from asty_cloud_api.main import create_app
    from asty_cloud_api.staff.commands import check_production

    chosen = settings.read()
    check_production(chosen)
    # an open page holds its event stream: a stop does not wait for it
    uvicorn.run(
        create_app(chosen),
        host=chosen.host,
        port=chosen.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        server_header=False,
    )


def _plan(wanted: argparse.Namespace) -> None:
    from asty_cloud_api import planner_process

    chosen = settings.read()
    if wanted.mode is not None:
        chosen = replace(chosen, planner=replace(chosen.planner, mode=wanted.mode))
    planner_process.run(chosen)


def _migrate(_wanted: argparse.Namespace) -> None:
    engine = database.writing(settings.read().dsn)
    migrate(engine)
    engine.dispose()


def _import_register(wanted: argparse.Namespace) -> None:
    chosen = settings.read()
    entries = register.read(wanted.file)
    engine = database.writing(chosen.dsn)
    with Session(engine) as session, session.begin():
        register.store(session, entries)
    engine.dispose()
    town_file = Path(entries.town) if entries.town else chosen.town_file
    if town_file is not None:
        if not town_file.is_absolute():
            town_file = wanted.file.parent / town_file
        if town_file.exists():
            town_map.remember_file(chosen.dsn, town_file)
    sys.stdout.write(f"{len(entries.vehicles)} vehicles and {len(entries.bins)} bins are in the register\n")


def _import_fixed_routes(wanted: argparse.Namespace) -> None:
    chosen = settings.read()
    entries = fixed_routes.read(wanted.file)
    engine = database.writing(chosen.dsn)
    with Session(engine) as session, session.begin():
        fixed_routes.store(session, wanted.file, entries)
    engine.dispose()
    rounds = {(it.weekday, it.truck) for it in entries}
    sys.stdout.write(f"{len(rounds)} fixed routes with {len(entries)} bins are kept; plans are compared with them from the next one on\n")


def _check_town(wanted: argparse.Namespace) -> None:
    town = read_town(wanted.file)
    sys.stdout.write(f"{town.name}: {len(town.streets)} streets, {len(town.paths)} paths, {len(town.places)} places\n")
