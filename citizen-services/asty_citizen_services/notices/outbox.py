"""Putting a notice into the outbox, in the transaction of what it tells of."""

import uuid
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_citizen_services import jobs
from asty_citizen_services.notices.carrier import Channel
from asty_citizen_services.notices.models import Notice, NoticeDelivery


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


def write_to(
    session: Session, *, channel: Channel, address: str, key: str, about: str, template: str, language: str, now: datetime,
    urgent: bool = False, **values: str | int,
) -> None:  # fmt: skip
    """Write once to an address that is no citizen's of the portal: a second signer's phone, a caller's, an officer's e-mail.

    `key`, `about`, `template` and `urgent` as in `put`; quiet hours count when it is sent.
    """
    row = insert(Notice).values(
        id=uuid.uuid4(), key=key, citizen_id=None, about=about, template=template, language=language, values=values, made_at=now,
        urgent=urgent,
    )  # fmt: skip
    made = session.scalars(row.on_conflict_do_nothing(index_elements=["key"]).returning(Notice.id)).one_or_none()
    if made is None:
        return
    delivery = NoticeDelivery(
        id=uuid.uuid4(), notice_id=made, channel=channel, address=address, language=language, state="waiting", segments=1, tries=0,
        carrier_ids={}, made_at=now, not_before=now, sent_at=None, settled_at=None, why=None,
    )  # fmt: skip
    session.add(delivery)
    session.flush()
    jobs.defer(session, "notices:send", queue="notices", delivery=str(delivery.id))
