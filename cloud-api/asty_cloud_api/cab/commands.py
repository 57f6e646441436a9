"""asty-cloud-api driver add | list | leave: the drivers who may sign in to the cab."""

import argparse
import getpass
import sys

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from asty_cloud_api import database, settings
from asty_cloud_api.cab import drivers

ERRORS = (drivers.DriverError,)


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    driver = commands.add_parser("driver", help="who may sign in to the cab").add_subparsers(required=True)
    adding = driver.add_parser("add", help="register a driver, or give one a new PIN and card")
    adding.add_argument("name")
    adding.add_argument("--pin", help="6 to 8 digits; asked for when it is not given")
    adding.add_argument("--card", help="the card's number, as its reader types it")
    adding.set_defaults(run=lambda wanted: _add(_engine(), wanted))
    driver.add_parser("list", help="name the drivers").set_defaults(run=lambda _wanted: _list(_engine()))
    leaving = driver.add_parser("leave", help="let a driver sign in no longer")
    leaving.add_argument("name")
    leaving.set_defaults(run=lambda wanted: _leave(_engine(), wanted))


def _engine() -> Engine:
    return database.writing(settings.read().dsn)


def _add(engine: Engine, wanted: argparse.Namespace) -> None:
    pin = wanted.pin or getpass.getpass("PIN: ")
    with Session(engine) as session, session.begin():
        drivers.add(session, wanted.name, pin, wanted.card)
    sys.stdout.write(f"{wanted.name} may sign in\n")


def _list(engine: Engine) -> None:
    with Session(engine) as session:
        for driver in drivers.everybody(session):
            sys.stdout.write(f"{driver.name}{'' if driver.card is None else f'  card {driver.card}'}\n")


def _leave(engine: Engine, wanted: argparse.Namespace) -> None:
    with Session(engine) as session, session.begin():
        left = drivers.leave(session, wanted.name)
    if not left:
        raise drivers.DriverError(f"no driver is called {wanted.name!r}: see asty-cloud-api driver list")
    sys.stdout.write(f"{wanted.name} may sign in no longer\n")
