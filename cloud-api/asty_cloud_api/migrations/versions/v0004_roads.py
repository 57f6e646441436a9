"""Kept travel times, and whether the planner was told of a closure."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0004"
down_revision = "0003"


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "road_place",
        _key("tiles"),
        _key("profile"),
        _number("number"),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("near", ARRAY(sa.BigInteger), nullable=False),
        sa.UniqueConstraint("tiles", "profile", "key"),
        schema="fleet",
    )
    op.create_table(
        "road_row",
        _key("tiles"),
        _key("profile"),
        _key("closed"),
        _number("source"),
        sa.Column("seconds", sa.LargeBinary, nullable=False),
        sa.Column("metres", sa.LargeBinary, nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        schema="fleet",
    )
    op.execute("ALTER TABLE fleet.road_row ALTER seconds SET STORAGE EXTERNAL, ALTER metres SET STORAGE EXTERNAL")
    op.add_column("closure", sa.Column("told", sa.Boolean, nullable=False, server_default=sa.false()), schema="fleet")
    op.create_index("ix_fleet_closure_ends", "closure", ["ends"], schema="fleet")


def downgrade() -> None:
    op.drop_index("ix_fleet_closure_ends", "closure", schema="fleet")
    op.drop_column("closure", "told", schema="fleet")
    op.drop_table("road_row", schema="fleet")
    op.drop_table("road_place", schema="fleet")
