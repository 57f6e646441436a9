"""`asty-cloud-api enrol prepare | claim | list | approve | refuse | revoke | publish`, which `asty enrol` calls."""

import argparse
import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asty_process.environment import SettingsError
from sqlalchemy import text
from sqlalchemy.orm import Session

from asty_cloud_api import database, settings
from asty_cloud_api.enrolment import desk, keys
from asty_cloud_api.enrolment.authority import NoAuthorityError
from asty_cloud_api.enrolment.broker import Broker, BrokerAwayError
from asty_cloud_api.enrolment.desk import CantBeDoneError
from asty_cloud_api.enrolment.folder import Folder, WrongNameError
from asty_cloud_api.enrolment.office import Office
from asty_cloud_api.enrolment.reads import DEVICES
from asty_cloud_api.settings import EnrolmentSettings, Settings

ERRORS = (NoAuthorityError, BrokerAwayError, CantBeDoneError, WrongNameError)
"""What a command ends with in one line, beside what every command of this program may raise."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `enrol` to the program's commands."""
    enrol = commands.add_parser("enrol", help="certificates of edges: claims, approval, revocation").add_subparsers(required=True)

    prepare = enrol.add_parser("prepare", help="make the authorities and the certificates of broker, ingest and stream; again when due")
    prepare.add_argument(
        "--broker", action="append", default=[], metavar="HOST", help="a name or address at which edges reach the broker; repeat"
    )
    prepare.add_argument("--service", action="append", metavar="NAME", help="asty-ingest, asty-stream (default), asty-ingest-1, …; repeat")
    prepare.set_defaults(run=_prepare)

    claim = enrol.add_parser("claim", help="make a one-time claim for an edge; valid for 7 days")
    claim.add_argument("--edge", required=True)
    claim.add_argument("--out", type=Path, help="write it there, readable by you alone (default: print it)")
    claim.set_defaults(run=_claim)

    listing = enrol.add_parser("list", help="every edge and how its enrolment stands")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)

    approve = enrol.add_parser("approve", help="let a waiting edge in")
    approve.add_argument("edge")
    approve.add_argument("--fingerprint", help="what the edge's own screen shows; without it you are asked")
    approve.set_defaults(run=_approve)

    refuse = enrol.add_parser("refuse", help="turn a waiting edge away; it needs a new claim")
    revoke = enrol.add_parser("revoke", help="take an edge's certificates and cut it off")
    for command, run in ((refuse, _refuse), (revoke, _revoke)):
        command.add_argument("edge")
        command.add_argument("--why", required=True, help="kept with the decision")
        command.set_defaults(run=run)

    enrol.add_parser("publish", help="write the revocation list again and reload the broker").set_defaults(run=_publish)


def office(chosen: EnrolmentSettings, dsn: str) -> Office:
    """Wire an office of these settings; nothing is connected yet."""
    broker = Broker(*chosen.broker, chosen.broker_pid_file) if chosen.broker else None
    return Office(Folder(chosen.ca_folder), database.writing(dsn), broker)


def _chosen() -> tuple[Settings, EnrolmentSettings]:
    chosen = settings.read()
    if chosen.enrolment is None:
        raise SettingsError("ASTY_CA_FOLDER is missing: expected the folder in which the town's authorities lie")
    return chosen, chosen.enrolment


@contextmanager
def _office() -> Iterator[Office]:
    chosen, enrolment = _chosen()
    at = office(enrolment, chosen.dsn)
    try:
        yield at
    finally:
        at.engine.dispose()


def _officer() -> str:
    return f"{getpass.getuser()} (asty enrol)"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _prepare(wanted: argparse.Namespace) -> None:
    chosen, enrolment = _chosen()
    folder = Folder(enrolment.ca_folder)
    made = folder.prepare(chosen.org, wanted.broker, wanted.service or ["asty-ingest", "asty-stream"], datetime.now(UTC))
    _say(f"{enrolment.ca_folder}: made {', '.join(made)}" if made else f"{enrolment.ca_folder}: all certificates are there and none is due")


def _claim(wanted: argparse.Namespace) -> None:
    with _office() as at:
        made = at.claim(wanted.edge, _officer())
    if wanted.out is None:
        sys.stdout.write(made.decode())
        return
    keys.write(wanted.out, made, keys.KEY_MODE)
    _say(f"{wanted.out}: a claim of {wanted.edge}, good once and for 7 days. Carry it to the edge and delete it here.")


def _approve(wanted: argparse.Namespace) -> None:
    with _office() as at:
        with Session(at.engine) as session:
            request = desk.waiting_of(session, wanted.edge)
        if wanted.fingerprint is not None:
            if wanted.fingerprint.upper().replace(" ", "-") != request.fingerprint:
                raise CantBeDoneError(f"{wanted.edge} asked with {request.fingerprint}, another fingerprint; nothing was changed")
        elif not _confirmed(f"{wanted.edge} shows the fingerprint {request.fingerprint} on its own screen: yes or no? "):
            raise CantBeDoneError("compare the fingerprints and give --fingerprint, or answer yes; nothing was changed")
        at.approve(request.id, _officer())
        _say(f"{wanted.edge} is enrolled; it fetches its certificate within seconds")


def _confirmed(question: str) -> bool:
    return sys.stdin.isatty() and input(question).strip().lower() in ("yes", "ναι")


def _refuse(wanted: argparse.Namespace) -> None:
    with _office() as at:
        with Session(at.engine) as session:
            request = desk.waiting_of(session, wanted.edge)
        at.refuse(request.id, _officer(), wanted.why)
        _say(f"{wanted.edge} was turned away; a new claim lets it ask again")


def _revoke(wanted: argparse.Namespace) -> None:
    with _office() as at:
        count = at.revoke(wanted.edge, _officer(), wanted.why)
        told = (
            "and the broker has cut it off" if at.broker else "and the list is written; no broker is set (ASTY_BROKER_HOST): reload yours"
        )
        _say(f"{wanted.edge}: {count} certificates revoked {told}")


def _publish(_wanted: argparse.Namespace) -> None:
    with _office() as at:
        at.enforce()
        _say(f"{at.folder.broker / 'crl.pem'} is written" + ("" if at.broker else "; no broker is set (ASTY_BROKER_HOST): reload yours"))


def _list(wanted: argparse.Namespace) -> None:
    chosen, _ = _chosen()
    with _office() as at, at.engine.connect() as connection:
        rows = connection.execute(text(f"{DEVICES.source} ORDER BY edge"), {"now": datetime.now(UTC)}).mappings().all()
    if wanted.json:
        _say(json.dumps([dict(row) for row in rows], default=_plain, ensure_ascii=False))
        return
    for row in rows:
        until = f"until {row['not_after'].astimezone(chosen.zone):%Y-%m-%d}" if row["not_after"] else ""
        _say(f"{row['edge']:<32} {row['state']:<14} {row['fingerprint'] or '':<40} {until}".rstrip())
    if not rows:
        _say("no edge has been claimed yet: asty enrol claim --edge ID")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
