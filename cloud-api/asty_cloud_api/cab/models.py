"""The tables that only the in-cab screen has; those of drivers, duties and outcomes are in fleet.plan_models."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from asty_cloud_api.fleet.models import Base


class DriverAction(Base):
    """One thing that a driver said on a tablet, as it was said, once: `key` is born on the tablet with the tap.

    `at` is the tablet's time of the tap, `received` ours; `driver` is who tapped, `sent_by` whose sign-in brought it here.
    `body` holds the action's own fields, such as `kg` of an unload. `trigger` is the PlanTrigger that follows from it, `raised` when
    Kafka had it: what is not raised yet is tried again.
    """

    __tablename__ = "driver_action"

    key: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    day: Mapped[date]
    edge: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]
    duty: Mapped[uuid.UUID | None]
    driver: Mapped[uuid.UUID] = mapped_column(ForeignKey("fleet.driver.id"))
    sent_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("fleet.driver.id"))
    body: Mapped[Any] = mapped_column(JSONB)
    trigger: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    raised: Mapped[datetime | None]
    received: Mapped[datetime] = mapped_column(server_default=text("now()"))


class CabKey(Base):
    """The secret that signs sign-ins; made once, so that they outlive a restart and hold on every process."""

    __tablename__ = "cab_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
