"""The register of citizens who have signed in."""

import uuid
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.identity.taxisnet import Person


def remember(session: Session, person: Person, now: datetime) -> uuid.UUID:
    """Keep what the provider says of a person and return the citizen's id; the tax number stays the same, names may change."""
    said = {
        "lastname": person.lastname, "firstname": person.firstname, "fathername": person.fathername, "mothername": person.mothername,
        "birthyear": person.birthyear, "last_seen_at": now,
    }  # fmt: skip
    row = insert(Citizen).values(id=uuid.uuid4(), taxid=person.taxid, first_seen_at=now, **said)
    citizen: uuid.UUID = session.scalars(row.on_conflict_do_update(index_elements=["taxid"], set_=said).returning(Citizen.id)).one()
    journal.write(session, f"citizen:{citizen}", at=now, actor=f"citizen:{citizen}", act="identity.sign_in", by="taxisnet")
    return citizen
