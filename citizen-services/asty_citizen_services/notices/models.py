"""The outbox of notices, what became of each on every channel, and what citizens wish."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class Notice(Base):
    """A notice to a citizen, or to one address of somebody else: `template` names the text, `values` fill it.

    `key` is unique: nothing is told twice. An `urgent` one goes out in quiet hours as well.
    """

    __tablename__ = "notice"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    citizen_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    about: Mapped[str] = mapped_column(index=True)
    template: Mapped[str]
    language: Mapped[str]
    values: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    urgent: Mapped[bool] = mapped_column(server_default=false())


class NoticeDelivery(Base):
    """One notice on one channel to one address, which is never sent twice.

    `state`: waiting, sending, sent, delivered, failed, unclear. `carrier_ids` maps the carrier's id of each part to what became of it.
    """

    __tablename__ = "notice_delivery"
    __table_args__ = (
        UniqueConstraint("notice_id", "channel", "address"),
        Index("ix_notice_delivery_carrier_ids", "carrier_ids", postgresql_using="gin"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.notice.id"))
    channel: Mapped[str]
    address: Mapped[str]
    language: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    segments: Mapped[int]
    tries: Mapped[int]
    carrier_ids: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    not_before: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    why: Mapped[str | None]


class NoticeWish(Base):
    """What a citizen wishes for a channel: whether notices come there, and in which language. When it was said is the consent's time."""

    __tablename__ = "notice_wish"

    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    wanted: Mapped[bool]
    language: Mapped[str]
    changed_at: Mapped[datetime]


class PushSubscription(Base):
    """A browser that shows notices: where its vendor takes them, and the keys that encrypt for it alone."""

    __tablename__ = "push_subscription"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    endpoint: Mapped[str] = mapped_column(unique=True)
    p256dh: Mapped[str]
    auth: Mapped[str]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
