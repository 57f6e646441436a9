"""Putting a notice into the outbox, in the transaction of what it tells of."""

import uuid
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_citizen_services import jobs
from asty_citizen_services.notices.models import Notice


def put(
    session: Session, *, key: str, citizen: uuid.UUID, about: str, template: str, language: str, now: datetime, urgent: bool = False,
    **values: str | int,
) -> None:  # fmt: skip
    """Store a notice and defer its delivery. A `key` that was used before, such as `filed:<application>`, tells nothing again.

    `about` is what it is about, such as `case:<id>`; `template` one of the texts, filled with `values`; `urgent` breaks quiet hours.
    """
    row = insert(Notice).values(
        id=uuid.uuid4(), key=key, citizen_id=citizen, about=about, template=template, language=language, values=values, made_at=now,
        urgent=urgent,
    )  # fmt: skip
    made = session.scalars(row.on_conflict_do_nothing(index_elements=["key"]).returning(Notice.id)).one_or_none()
    if made is not None:
        jobs.defer(session, "notices:deliver", queue="notices", notice=str(made))
