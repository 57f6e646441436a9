"""How a person was recognised who did not sign in, and for which cases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "identity_0002"
down_revision = "identity_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("citizen", sa.Column("entered_by", sa.Text), schema="citizen")
    op.create_table(
        "identity_check",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("citizen.citizen.id"), nullable=False),
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("citizen.staff.id"), nullable=False),
        sa.Column("asked", JSONB, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        schema="citizen",
    )
    op.create_index("ix_identity_check_citizen_id", "identity_check", ["citizen_id"], schema="citizen")
    op.create_table(
        "identity_check_case",
        sa.Column("case_id", sa.Uuid, primary_key=True),
        sa.Column("check_id", sa.Uuid, sa.ForeignKey("citizen.identity_check.id"), nullable=False),
        schema="citizen",
    )


def downgrade() -> None:
    op.drop_table("identity_check_case", schema="citizen")
    op.drop_table("identity_check", schema="citizen")
    op.drop_column("citizen", "entered_by", schema="citizen")
