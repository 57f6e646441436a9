"""The register of citizens: who has signed in, and who was entered by an officer before that."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from stdnum.gr import vat

from asty_citizen_services.audit import journal
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.identity.taxisnet import Person


def remember(session: Session, person: Person, now: datetime) -> uuid.UUID:
    """Keep what the provider says of a person and return the citizen's id; the tax number stays the same, names may change."""
    said = {
        "lastname": person.lastname, "firstname": person.firstname, "fathername": person.fathername, "mothername": person.mothername,
        "birthyear": person.birthyear, "last_seen_at": now, "entered_by": None,
    }  # fmt: skip
    row = insert(Citizen).values(id=uuid.uuid4(), taxid=person.taxid, first_seen_at=now, **said)
    citizen: uuid.UUID = session.scalars(row.on_conflict_do_update(index_elements=["taxid"], set_=said).returning(Citizen.id)).one()
    journal.write(session, f"citizen:{citizen}", at=now, actor=f"citizen:{citizen}", act="identity.sign_in", by="taxisnet")
    return citizen


class NotAPersonError(Exception):
    """What was typed names nobody: a term to translate. Nothing was changed."""


def enter(session: Session, person: Person, *, by: str, now: datetime) -> uuid.UUID:
    """Enter a person who has never signed in; whom the register knows stays as the national sign-in named him. Raises NotAPersonError."""
    if not vat.is_valid(person.taxid) or vat.compact(person.taxid) != person.taxid:
        raise NotAPersonError("This is no tax number: it has 9 digits, and one of them is wrong.")
    if not person.lastname or not person.firstname:
        raise NotAPersonError("First name and last name are needed.")
    row = insert(Citizen).values(
        id=uuid.uuid4(), taxid=person.taxid, lastname=person.lastname, firstname=person.firstname, fathername=person.fathername,
        mothername=person.mothername, birthyear=person.birthyear, first_seen_at=now, last_seen_at=now, entered_by=by,
    )  # fmt: skip
    made = session.scalars(row.on_conflict_do_nothing(index_elements=["taxid"]).returning(Citizen.id)).one_or_none()
    if made is None:
        return session.scalars(select(Citizen.id).where(Citizen.taxid == person.taxid)).one()
    journal.write(session, f"citizen:{made}", at=now, actor=by, act="identity.enter_citizen")
    return made
