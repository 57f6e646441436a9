"""asty-cloud-api staff add | list | leave | token | tokens | end-token | demo | ready: who may sign in, and which programs may ask."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asty_process.environment import SettingsError
from sqlalchemy.orm import Session

from asty_cloud_api import database, settings
from asty_cloud_api.settings import Settings
from asty_cloud_api.staff import accounts, secret
from asty_cloud_api.staff.roles import Role

ERRORS = (accounts.AccountError,)
DEMO_NAME = "Ελένη Μαυρίδου"


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    staff = commands.add_parser("staff", help="who may sign in to the pages, and which programs may ask").add_subparsers(required=True)
    adding = staff.add_parser("add", help="make an account, or give one another name, roles and way in")
    adding.add_argument("username")
    adding.add_argument("name", help="kept with what the person does")
    _with_roles(adding)
    adding.add_argument("--email", help="by which the directory (OpenID Connect) knows the person; then no passphrase is asked for")
    adding.add_argument("--passphrase-file", type=Path, metavar="FILE", help="its first line; asked for when it is not given")
    adding.set_defaults(run=_add)
    staff.add_parser("list", help="name the accounts").set_defaults(run=_list)
    leaving = staff.add_parser("leave", help="let an account sign in no longer, and sign it out")
    leaving.add_argument("username")
    leaving.set_defaults(run=_leave)
    token = staff.add_parser("token", help="make a program's token, or a new one of that name: it is shown once")
    token.add_argument("name")
    _with_roles(token)
    token.add_argument("--days", type=int, help="how long it holds; for good when it is not given")
    token.add_argument("--out", type=Path, metavar="FILE", help="write it there, for its owner's eyes, instead of showing it")
    token.set_defaults(run=_token)
    staff.add_parser("tokens", help="name the programs").set_defaults(run=_tokens)
    ending = staff.add_parser("end-token", help="end a program's token")
    ending.add_argument("name")
    ending.set_defaults(run=_end_token)
    demo = staff.add_parser("demo", help="make the account dispatcher with the passphrase that everybody knows, and a program's token")
    demo.add_argument("--out", type=Path, required=True, metavar="FILE", help="write the token there")
    demo.set_defaults(run=_demo)
    staff.add_parser("ready", help="say whether there is a way in that production may start with").set_defaults(run=_ready)


def check_production(chosen: Settings) -> None:
    """Raises SettingsError when production would start without a way in, or with one that everybody knows."""
    if not chosen.production:
        return
    if chosen.address is None or not chosen.address.startswith("https://"):
        raise SettingsError("ASTY_CLOUD_API_ADDRESS: expected https://… with ASTY_PRODUCTION, since sign-in cookies cross it")
    has_demo, known = _in(chosen, lambda session: (accounts.has_demo(session), accounts.everybody(session)))
    if has_demo:
        raise SettingsError("the demo's account is there, and everybody knows its passphrase: asty-cloud-api staff leave dispatcher")
    if not any(Role.ADMINISTRATOR in account.roles for account in known):
        raise SettingsError("nobody could sign in: asty-cloud-api staff add USERNAME NAME --role administrator makes the first account")
    if chosen.oidc is None and not any(account.passphrase_hash for account in known):
        raise SettingsError("no account has a passphrase, and no directory is set up: expected ASTY_CLOUD_API_OIDC_ISSUER, or a passphrase")


def _with_roles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", action="append", choices=list(Role), type=Role, required=True, dest="roles", help="may be given again")


def _in[T](chosen: Settings, work: Callable[[Session], T]) -> T:
    engine = database.writing(chosen.dsn)
    with Session(engine, expire_on_commit=False) as session, session.begin():
        done = work(session)
    engine.dispose()
    return done


def _add(wanted: argparse.Namespace) -> None:
    chosen = settings.read()
    least = secret.LEAST_IN_PRODUCTION if chosen.production else secret.LEAST
    if wanted.passphrase_file is not None:
        passphrase: str | None = (wanted.passphrase_file.read_text().splitlines() or [""])[0]
    else:
        passphrase = None if wanted.email else getpass.getpass("Passphrase: ")
    account = _in(
        chosen,
        lambda session: accounts.add(
            session, wanted.username, wanted.name, wanted.roles, passphrase=passphrase, email=wanted.email, least=least
        ),
    )
    sys.stdout.write(f"{account.username} ({account.name}) may sign in as {', '.join(account.roles)}\n")


def _list(_wanted: argparse.Namespace) -> None:
    for account in _in(settings.read(), accounts.everybody):
        ways = [*(["passphrase"] if account.passphrase_hash else []), *([f"directory {account.email}"] if account.email else [])]
        sys.stdout.write(f"{account.username}  {account.name}  {', '.join(account.roles)}  {', '.join(ways)}\n")


def _leave(wanted: argparse.Namespace) -> None:
    if not _in(settings.read(), lambda session: accounts.leave(session, wanted.username)):
        raise accounts.AccountError(f"no account is called {wanted.username!r}: see asty-cloud-api staff list")
    sys.stdout.write(f"{wanted.username} may sign in no longer\n")


def _token(wanted: argparse.Namespace) -> None:
    expires = datetime.now(UTC) + timedelta(days=wanted.days) if wanted.days else None
    token = _in(settings.read(), lambda session: accounts.add_token(session, wanted.name, wanted.roles, expires=expires))
    if wanted.out is not None:
        _write(wanted.out, token)
    sys.stdout.write(f"{token}\n" if wanted.out is None else f"the token is in {wanted.out}\n")


def _tokens(_wanted: argparse.Namespace) -> None:
    for token in _in(settings.read(), accounts.tokens):
        until = f"  until {token.expires:%Y-%m-%d}" if token.expires else ""
        sys.stdout.write(f"{token.name}  {', '.join(token.roles)}{until}\n")


def _end_token(wanted: argparse.Namespace) -> None:
    if not _in(settings.read(), lambda session: accounts.end_token(session, wanted.name)):
        raise accounts.AccountError(f"no token is called {wanted.name!r}: see asty-cloud-api staff tokens")
    sys.stdout.write(f"{wanted.name} may ask no longer\n")


def _demo(wanted: argparse.Namespace) -> None:
    from asty_cloud_api.staff.routes import DEMO_PASSPHRASE, DEMO_USERNAME

    chosen = settings.read()
    if chosen.production:
        raise accounts.AccountError("everybody knows the demo's passphrase: production has accounts of its own (staff add)")

    def make(session: Session) -> str:
        roles = [Role.DISPATCHER, Role.SAFETY_OFFICER, Role.ADMINISTRATOR]
        accounts.add(session, DEMO_USERNAME, DEMO_NAME, roles, passphrase=DEMO_PASSPHRASE, demo=True)
        return accounts.add_token(session, "appliance", [Role.DISPATCHER])

    _write(wanted.out, _in(chosen, make))
    sys.stdout.write(f"{DEMO_USERNAME} {DEMO_PASSPHRASE}\n")


def _ready(_wanted: argparse.Namespace) -> None:
    check_production(settings.read())
    sys.stdout.write("there is a way in\n")


def _write(path: Path, token: str) -> None:
    """Write a secret for its owner alone."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token + "\n")
