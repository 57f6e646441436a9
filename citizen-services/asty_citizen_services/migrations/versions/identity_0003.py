"""The scan of the deed by which somebody acts for a legal person."""

import sqlalchemy as sa
from alembic import op

revision = "identity_0003"
down_revision = "identity_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mandate_scan",
        sa.Column("mandate_id", sa.Uuid, sa.ForeignKey("citizen.mandate.id"), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        schema="citizen",
    )


def downgrade() -> None:
    op.drop_table("mandate_scan", schema="citizen")
