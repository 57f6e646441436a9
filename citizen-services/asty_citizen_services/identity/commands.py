"""asty-citizen-services departments import [FILE] | staff add USERNAME … | staff invite USERNAME | staff shut USERNAME"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from asty_citizen_services import database, settings
from asty_citizen_services.identity import accounts, departments
from asty_citizen_services.identity.accounts import AccountError
from asty_citizen_services.identity.roles import Role

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  argparse has no public name for it

BY = "system"


def register(commands: "Commands") -> None:
    """Add the commands of this room."""
    importing = commands.add_parser("departments", help="the municipality's departments").add_subparsers(required=True).add_parser("import")
    importing.add_argument("file", type=Path, nargs="?", default=departments.OWN)
    importing.set_defaults(run=_import_departments)

    staff = commands.add_parser("staff", help="the accounts of officers").add_subparsers(required=True)
    adding = staff.add_parser("add", help="make an account and print the link that registers its passkey")
    adding.add_argument("username")
    adding.add_argument("--name", required=True)
    adding.add_argument("--email", required=True)
    adding.add_argument("--role", action="append", default=[], metavar="DEPARTMENT:ROLE", help=f"ROLE is one of {', '.join(Role)}; repeat")
    adding.set_defaults(run=_add)
    for name, about, run in (
        ("invite", "print a new link for an account", _invite),
        ("shut", "shut an account and sign it out everywhere", _shut),
    ):
        doing = staff.add_parser(name, help=about)
        doing.add_argument("username")
        doing.set_defaults(run=run)


def _import_departments(wanted: argparse.Namespace) -> None:
    found = departments.read(wanted.file)
    with database.for_command(settings.read().dsn) as session:
        departments.store(session, found)
    sys.stdout.write(f"{len(found)} departments are known\n")


def _add(wanted: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    with database.for_command(settings.read().dsn) as session:
        staff = accounts.add(session, username=wanted.username, name=wanted.name, email=wanted.email, by=BY, now=now)
        for text in wanted.role:
            department, _, role = text.partition(":")
            if role not in list(Role):
                raise AccountError(f"--role {text}: expected a department and one of {', '.join(Role)}, such as dimotologio:officer")
            accounts.grant(session, staff, department, Role(role), by=BY, now=now)
        token = accounts.invite(session, staff, by=BY, now=now)
    _print_link(token)


def _invite(wanted: argparse.Namespace) -> None:
    with database.for_command(settings.read().dsn) as session:
        token = accounts.invite(session, accounts.named(session, wanted.username), by=BY, now=datetime.now(UTC))
    _print_link(token)


def _shut(wanted: argparse.Namespace) -> None:
    with database.for_command(settings.read().dsn) as session:
        accounts.shut(session, accounts.named(session, wanted.username), by=BY, now=datetime.now(UTC))
    sys.stdout.write(f"{wanted.username} is shut\n")


def _print_link(token: str) -> None:
    sys.stdout.write(f"{settings.read().address}/staff/invitation/{token}\n")
