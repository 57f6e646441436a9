"""The table of fees."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from asty_citizen_services.database import SCHEMA, Base


class Fee(Base):
    """What is due for an application, once for each `what`. `state`: due, paid, void, refund, refunded. `number` is the debt's in its code.

    void: nobody owes it any more; refund: it was paid and is owed back, for the reason `why`; refunded: `refund_reference` is the transfer.
    `paid_by` is bank (its callback) or statement (its file); `bank_reference` is the bank's own number, counted once.
    """

    __tablename__ = "fee"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    key: Mapped[str] = mapped_column(unique=True)
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.application.id"), index=True)
    citizen_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.citizen.id"), index=True)
    subject: Mapped[str]
    cents: Mapped[int]
    code: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[str]
    made_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    paid_by: Mapped[str | None]
    bank_reference: Mapped[str | None] = mapped_column(unique=True)
    why: Mapped[str | None]
    refunded_at: Mapped[datetime | None]
    refunded_by: Mapped[str | None]
    refund_reference: Mapped[str | None]
