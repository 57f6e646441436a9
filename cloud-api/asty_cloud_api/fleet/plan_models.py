"""The tables of plans and of the work on the road. What each column means is in docs/planning.md."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from asty_cloud_api.fleet.models import Base

Json = Any


class Plan(Base):
    """One version of a day's plan. `state` is proposed, running, replaced or rejected; at most one plan of a day runs.

    `problem` is the planning Day without its matrices, `result` the planning Plan; `figures` their sums: metres, seconds, kg, stops,
    left_out, cost (euro). `trigger` is the one that it answers first, `reasons` name all.
    """

    __tablename__ = "plan"
    __table_args__ = (UniqueConstraint("day", "version"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    day: Mapped[date]
    version: Mapped[int]
    parent: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("fleet.plan.id"))
    state: Mapped[str]
    made: Mapped[datetime]
    made_by: Mapped[str]
    trigger: Mapped[uuid.UUID | None]
    reasons: Mapped[Json] = mapped_column(JSONB)
    figures: Mapped[Json] = mapped_column(JSONB)
    problem: Mapped[Json] = mapped_column(JSONB)
    result: Mapped[Json] = mapped_column(JSONB)
    decided: Mapped[datetime | None]
    decided_by: Mapped[str | None]


class Route(Base):
    """What one truck is to do: a new row, with the truck's own next version, only when its stops or their order changed.

    The newest version counts. `stops` and `path` (one leg per stop, from the one before) are as the tablet gets them.
    """

    __tablename__ = "route"

    edge: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    plan: Mapped[uuid.UUID] = mapped_column(ForeignKey("fleet.plan.id"))
    made: Mapped[datetime]
    stops: Mapped[Json] = mapped_column(JSONB)
    path: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    figures: Mapped[Json] = mapped_column(JSONB)
    delivered: Mapped[datetime | None]
    seen: Mapped[datetime | None]
    accepted: Mapped[datetime | None]
    accepted_by: Mapped[str | None]


class StopOutcome(Base):
    """What became of a stop: lifted or missed, said by lift, driver or dispatcher. `key` makes saying it twice harmless."""

    __tablename__ = "stop_outcome"

    key: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(index=True)
    edge: Mapped[str]
    stop: Mapped[str]
    outcome: Mapped[str]
    reason: Mapped[str | None]
    said_by: Mapped[str]
    at: Mapped[datetime]
    kg: Mapped[float | None]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    photo: Mapped[uuid.UUID | None]
    route_version: Mapped[int | None]
    note: Mapped[str | None]
    received: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Photo(Base):
    """A driver's photo of an exception, re-encoded, without the camera's own notes."""

    __tablename__ = "photo"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    jpeg: Mapped[bytes]
    made: Mapped[datetime]


class PlanTrigger(Base):
    """A trigger of plan-triggers.v1 as it was answered: `state` is waiting, answered (by `plan`) or ignored.

    `why` is the answer in English, `answer` its code and parameters (None for those of before).
    """

    __tablename__ = "plan_trigger"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    subject: Mapped[str]
    said_by: Mapped[str]
    detail: Mapped[Json] = mapped_column(JSONB)
    state: Mapped[str]
    why: Mapped[str | None]
    answer: Mapped[Json | None] = mapped_column(JSONB)
    plan: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("fleet.plan.id"))
    answered: Mapped[datetime | None]


class Driver(Base):
    """Who drives; signs in to the cab with a PIN (Argon2) or a card."""

    __tablename__ = "driver"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    pin_hash: Mapped[str]
    card: Mapped[str | None] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class Duty(Base):
    """A driver's time with a truck; `checks` is the vehicle check at its start."""

    __tablename__ = "duty"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    edge: Mapped[str] = mapped_column(index=True)
    driver: Mapped[uuid.UUID] = mapped_column(ForeignKey("fleet.driver.id"))
    began: Mapped[datetime]
    ended: Mapped[datetime | None]
    checks: Mapped[Json] = mapped_column(JSONB)


class Message(Base):
    """A line between dispatcher and driver; `sender` is one of the two, `sent_by` who of the office wrote it."""

    __tablename__ = "message"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    day: Mapped[date]
    edge: Mapped[str] = mapped_column(index=True)
    sender: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]
    read: Mapped[datetime | None]
    sent_by: Mapped[str | None]


class Closure(Base):
    """Where and when trucks can't pass: `area` is a GeoJSON Polygon, `kind` works, market, event or obstacle.

    `told` is whether the planner, as far as it was told, takes the streets for closed. `made_by` and `changed_by` are people's names.
    """

    __tablename__ = "closure"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    area: Mapped[Json] = mapped_column(JSONB)
    starts: Mapped[datetime]
    ends: Mapped[datetime]
    source: Mapped[str]
    created: Mapped[datetime] = mapped_column(server_default=text("now()"))
    told: Mapped[bool] = mapped_column(server_default=text("false"))
    made_by: Mapped[str | None]
    changed_by: Mapped[str | None]
