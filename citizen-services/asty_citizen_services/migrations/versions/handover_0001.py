"""Entries on their way to the document system, and its calls."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "handover_0001"
down_revision = None
branch_labels = ("handover",)
depends_on = ("registry_0001",)


def upgrade() -> None:
    op.create_table(
        "handover_entry",
        sa.Column("docket_id", sa.Uuid, sa.ForeignKey("citizen.docket.id"), primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("foreign_id", sa.Text),
        sa.Column("number", sa.Text),
        sa.Column("why", sa.Text),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        schema="citizen",
    )
    op.create_index("ix_handover_entry_state", "handover_entry", ["state"], schema="citizen")
    op.create_table(
        "handover_event",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("answer", JSONB, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        schema="citizen",
    )


def downgrade() -> None:
    for table in ("handover_event", "handover_entry"):
        op.drop_table(table, schema="citizen")
