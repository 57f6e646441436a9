"""Plans, routes and the work on the road; what the planner must know of vehicles and bins."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

VEHICLE = (
    ("capacity_l", sa.Float()),
    ("streams", JSONB(none_as_null=True)),
    ("height_m", sa.Float()),
    ("width_m", sa.Float()),
    ("weight_t", sa.Float()),
    ("length_m", sa.Float()),
    ("shift_start", sa.Text()),
    ("shift_end", sa.Text()),
    ("skills", JSONB(none_as_null=True)),
)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str, *, nullable: bool = False, default: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=sa.func.now() if default else None)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, JSONB(none_as_null=True), nullable=nullable)


def _id(name: str = "id") -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid, primary_key=True)


def _plan(*, nullable: bool) -> sa.Column[Any]:
    return sa.Column("plan", sa.Uuid, sa.ForeignKey("fleet.plan.id"), nullable=nullable)


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})")


def upgrade() -> None:
    for name, kind in VEHICLE:
        op.add_column("vehicle", sa.Column(name, kind), schema="fleet")
    op.add_column("bin", sa.Column("service_s", sa.Integer, nullable=False, server_default="60"), schema="fleet")
    op.add_column("bin", sa.Column("must", sa.Boolean, nullable=False, server_default=sa.false()), schema="fleet")
    op.add_column("bin", _json("windows", nullable=True), schema="fleet")
    op.add_column("bin", _text("business", nullable=True), schema="fleet")
    _plans()
    _work()


def _plans() -> None:
    op.create_table(
        "plan",
        _id(),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("parent", sa.Uuid, sa.ForeignKey("fleet.plan.id")),
        _text("state"),
        _moment("made"),
        _text("made_by"),
        sa.Column("trigger", sa.Uuid),
        _json("reasons"),
        _json("figures"),
        _json("problem"),
        _json("result"),
        _moment("decided", nullable=True),
        _text("decided_by", nullable=True),
        sa.UniqueConstraint("day", "version"),
        _one_of("state", "proposed", "running", "replaced", "rejected"),
        schema="fleet",
    )
    op.create_index("ix_fleet_plan_running", "plan", ["day"], unique=True, schema="fleet", postgresql_where=sa.text("state = 'running'"))
    op.create_table(
        "route",
        sa.Column("edge", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        _plan(nullable=False),
        _moment("made"),
        _json("stops"),
        _json("path", nullable=True),
        _json("figures"),
        _moment("delivered", nullable=True),
        _moment("seen", nullable=True),
        _moment("accepted", nullable=True),
        _text("accepted_by", nullable=True),
        schema="fleet",
    )
    op.create_table(
        "plan_trigger",
        _id(),
        _moment("at"),
        _text("kind"),
        _text("subject"),
        _text("said_by"),
        _json("detail"),
        _text("state"),
        _text("why", nullable=True),
        _plan(nullable=True),
        _moment("answered", nullable=True),
        _one_of("kind", "overflow", "truck_full", "breakdown", "street_closed", "skip", "must_visit"),
        _one_of("state", "waiting", "answered", "ignored"),
        schema="fleet",
    )
    op.create_index("ix_fleet_plan_trigger_at", "plan_trigger", ["at"], schema="fleet")


def _work() -> None:
    op.create_table(
        "stop_outcome",
        _id("key"),
        sa.Column("day", sa.Date, nullable=False),
        _text("edge"),
        _text("stop"),
        _text("outcome"),
        _text("reason", nullable=True),
        _text("said_by"),
        _moment("at"),
        sa.Column("kg", sa.Float),
        sa.Column("lat", sa.Float),
        sa.Column("lon", sa.Float),
        sa.Column("photo", sa.Uuid),
        sa.Column("route_version", sa.Integer),
        _text("note", nullable=True),
        _moment("received", default=True),
        _one_of("outcome", "lifted", "missed"),
        _one_of("reason", "not_out", "contaminated", "overloaded", "no_access", "damaged", "unsafe", "truck_full", "other"),
        _one_of("said_by", "lift", "driver", "dispatcher"),
        schema="fleet",
    )
    op.create_index("ix_fleet_stop_outcome_day", "stop_outcome", ["day"], schema="fleet")
    op.create_table("photo", _id(), sa.Column("jpeg", sa.LargeBinary, nullable=False), _moment("made"), schema="fleet")
    op.create_table(
        "driver",
        _id(),
        _text("name"),
        _text("pin_hash"),
        sa.Column("card", sa.Text, unique=True),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
        schema="fleet",
    )
    op.create_table(
        "duty",
        _id(),
        _text("edge"),
        sa.Column("driver", sa.Uuid, sa.ForeignKey("fleet.driver.id"), nullable=False),
        _moment("began"),
        _moment("ended", nullable=True),
        _json("checks"),
        schema="fleet",
    )
    op.create_table(
        "message",
        _id(),
        sa.Column("day", sa.Date, nullable=False),
        _text("edge"),
        _text("sender"),
        _text("text"),
        _moment("at"),
        _moment("read", nullable=True),
        _one_of("sender", "dispatcher", "driver"),
        schema="fleet",
    )
    for table in ("duty", "message"):
        op.create_index(f"ix_fleet_{table}_edge", table, ["edge"], schema="fleet")
    op.create_table(
        "closure",
        _id(),
        _text("name"),
        _text("kind"),
        _json("area"),
        _moment("starts"),
        _moment("ends"),
        _text("source"),
        _moment("created", default=True),
        _one_of("kind", "works", "market", "event", "obstacle"),
        schema="fleet",
    )


def downgrade() -> None:
    for table in ("closure", "message", "duty", "driver", "photo", "stop_outcome", "plan_trigger", "route", "plan"):
        op.drop_table(table, schema="fleet")
    for column in ("business", "windows", "must", "service_s"):
        op.drop_column("bin", column, schema="fleet")
    for column, _ in reversed(VEHICLE):
        op.drop_column("vehicle", column, schema="fleet")
