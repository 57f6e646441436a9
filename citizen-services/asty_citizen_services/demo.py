"""What a demo needs beside its servers: two officers, their demo keys, and registers with test data. Never in production."""

import argparse
import sys
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from asty_citizen_services import database, settings
from asty_citizen_services.documents import profiles
from asty_citizen_services.documents.demo_ca import DemoAuthority
from asty_citizen_services.documents.signing import Mark
from asty_citizen_services.identity import accounts
from asty_citizen_services.identity.models import Department, Staff
from asty_citizen_services.identity.oidc_double import EMPLOYEES, Employee
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.municipal.seed import seed

PASSPHRASE = "asty-demo"  # noqa: S105  the keys of the demo open nothing that counts
ROLES = {"anna": Role.OFFICER, "petros": Role.HEAD}
MORE = {
    "anna": (("exypiretisi", Role.CALL_CENTRE),),
    "petros": (("pliroforiki", Role.ADMINISTRATOR), ("pliroforiki", Role.DATA_PROTECTION)),
}
BY = "system"


def prepare(session: Session, authority: DemoAuthority, now: datetime) -> None:
    """Make the test accounts of the directory's stand-in, each with a role in every department and a demo key; what is there stays."""
    authority.prepare(now)
    departments = list(session.scalars(select(Department.slug)))
    for one in EMPLOYEES:
        staff = session.scalar(select(Staff.id).where(Staff.username == one.username))
        if staff is None:
            staff = accounts.add(session, username=one.username, name=one.name, email=one.email, by=BY, now=now)
            for department in departments:
                accounts.grant(session, staff, department, ROLES[one.username], by=BY, now=now)
            for department, role in MORE[one.username]:
                if department in departments:
                    accounts.grant(session, staff, department, role, by=BY, now=now)
        if not profiles.of(session, staff):
            mark = Mark(one.name, one.office, "")
            profiles.add(session, staff, "pkcs12", mark, {}, _key(authority, one, now), by=BY, now=now)
    seed(session, now)


def _key(authority: DemoAuthority, one: Employee, now: datetime) -> bytes:
    return authority.issue(one.name, one.office, PASSPHRASE, now)


def prepare_town(wanted: argparse.Namespace) -> None:
    """Do `demo-town FOLDER`."""
    chosen = settings.read()
    authority = DemoAuthority(wanted.folder, production=chosen.production)
    engine = database.for_migrations(chosen.dsn)
    try:
        with Session(engine) as session, session.begin():
            prepare(session, authority, datetime.now(UTC))
    finally:
        engine.dispose()
    for one in EMPLOYEES:
        sys.stdout.write(f"{chosen.address}/office  {one.name} ({one.office}), key's passphrase {PASSPHRASE}\n")
