"""Deliveries of each channel, wishes, push subscriptions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "notices_0002"
down_revision = "notices_0001"
branch_labels = None
depends_on = None


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column("notice", sa.Column("urgent", sa.Boolean, nullable=False, server_default=sa.false()), schema="citizen")
    op.create_table(
        "notice_delivery",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("notice_id", sa.Uuid, sa.ForeignKey("citizen.notice.id"), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("segments", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("carrier_ids", JSONB, nullable=False),
        _at("made_at"),
        _at("not_before"),
        _at("sent_at", nullable=True),
        _at("settled_at", nullable=True),
        sa.Column("why", sa.Text),
        sa.UniqueConstraint("notice_id", "channel", "address", name="uq_notice_delivery_notice_id_channel_address"),
        schema="citizen",
    )
    op.create_index("ix_notice_delivery_state", "notice_delivery", ["state"], schema="citizen")
    op.create_index("ix_notice_delivery_carrier_ids", "notice_delivery", ["carrier_ids"], schema="citizen", postgresql_using="gin")
    op.create_table(
        "notice_wish",
        sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("citizen.citizen.id"), primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("wanted", sa.Boolean, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        _at("changed_at"),
        schema="citizen",
    )
    op.create_table(
        "push_subscription",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("citizen.citizen.id"), nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("p256dh", sa.Text, nullable=False),
        sa.Column("auth", sa.Text, nullable=False),
        _at("made_at"),
        _at("ended_at", nullable=True),
        sa.UniqueConstraint("endpoint", name="uq_push_subscription_endpoint"),
        schema="citizen",
    )
    op.create_index("ix_push_subscription_citizen_id", "push_subscription", ["citizen_id"], schema="citizen")


def downgrade() -> None:
    for table in ("push_subscription", "notice_wish", "notice_delivery"):
        op.drop_table(table, schema="citizen")
    op.drop_column("notice", "urgent", schema="citizen")
