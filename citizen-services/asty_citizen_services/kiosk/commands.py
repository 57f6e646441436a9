"""asty-citizen-services kiosk add | list | shut"""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from asty_citizen_services import database, settings
from asty_citizen_services.kiosk import devices


def register(commands: Any) -> None:
    """Add the commands to the parser."""
    kiosks = commands.add_parser("kiosk", help="the touch screens that the municipality has put up").add_subparsers(required=True)
    adding = kiosks.add_parser("add", help="print the link that makes a screen a kiosk, once, within 7 days; a known name moves there")
    adding.add_argument("name")
    adding.set_defaults(run=_add)
    kiosks.add_parser("list", help="each with the time when it was touched last").set_defaults(run=_list)
    shutting = kiosks.add_parser("shut", help="make a screen an ordinary browser again")
    shutting.add_argument("name")
    shutting.set_defaults(run=_shut)


def _add(wanted: argparse.Namespace) -> None:
    with database.for_command(settings.read().dsn) as session:
        token = devices.invite(session, wanted.name, datetime.now(UTC))
    sys.stdout.write(f"{settings.read().address}/kiosk/register/{token}\n")


def _list(_wanted: argparse.Namespace) -> None:
    zone = settings.read().zone
    with database.for_command(settings.read().dsn) as session:
        for device in devices.all_of(session):
            at = device.seen_at or device.registered_at
            seen = at.astimezone(zone).strftime("touched %Y-%m-%d %H:%M %Z") if at else "not registered yet"
            sys.stdout.write(f"{device.name}\t{'shut' if device.ended_at else seen}\n")


def _shut(wanted: argparse.Namespace) -> None:
    with database.for_command(settings.read().dsn) as session:
        devices.shut(session, wanted.name, datetime.now(UTC))
    sys.stdout.write(f"{wanted.name} is no kiosk any more\n")
