"""Legal holds."""

import sqlalchemy as sa
from alembic import op

revision = "privacy_0001"
down_revision = None
branch_labels = ("privacy",)
depends_on = ("registry_0001",)


def upgrade() -> None:
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("application_id", sa.Uuid, sa.ForeignKey("citizen.application.id"), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("placed_by", sa.Text, nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Text),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        schema="citizen",
    )
    op.create_index("ix_legal_hold_application_id", "legal_hold", ["application_id"], schema="citizen")


def downgrade() -> None:
    op.drop_table("legal_hold", schema="citizen")
