"""What drivers say on their tablets, and the secret of their sign-ins."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "driver_action",
        sa.Column("key", sa.Uuid, primary_key=True),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("edge", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duty", sa.Uuid),
        sa.Column("driver", sa.Uuid, sa.ForeignKey("fleet.driver.id"), nullable=False),
        sa.Column("sent_by", sa.Uuid, sa.ForeignKey("fleet.driver.id"), nullable=False),
        sa.Column("body", JSONB, nullable=False),
        sa.Column("trigger", JSONB),
        sa.Column("raised", sa.DateTime(timezone=True)),
        sa.Column("received", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        schema="fleet",
    )
    op.create_index("ix_fleet_driver_action_edge_day", "driver_action", ["edge", "day"], schema="fleet")
    op.create_table(
        "cab_key",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("id = 1", name="cab_key_one"),
        schema="fleet",
    )


def downgrade() -> None:
    op.drop_table("cab_key", schema="fleet")
    op.drop_table("driver_action", schema="fleet")
