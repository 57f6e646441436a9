"""What people ask of their data, and what was answered."""

import sqlalchemy as sa
from alembic import op

revision = "privacy_0002"
down_revision = "privacy_0001"
branch_labels = None
depends_on = ("identity_0001",)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "data_request",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("citizen.citizen.id"), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "way", "words", "recorded_by", "state", "answer")),
        sa.Column("decided_by", sa.Text),
        _at("asked_at"),
        _at("due_at"),
        _at("decided_at", nullable=True),
        sa.Column("extended", sa.Boolean, nullable=False, server_default=sa.false()),
        schema="citizen",
    )
    op.create_index("ix_data_request_citizen_id", "data_request", ["citizen_id"], schema="citizen")
    op.create_index("ix_data_request_state", "data_request", ["state"], schema="citizen")


def downgrade() -> None:
    op.drop_table("data_request", schema="citizen")
