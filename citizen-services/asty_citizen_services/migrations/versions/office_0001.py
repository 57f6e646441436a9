"""Officers' internal notes."""

import sqlalchemy as sa
from alembic import op

revision = "office_0001"
down_revision = None
branch_labels = ("office",)
depends_on = ("registry_0001", "identity_0001")


def upgrade() -> None:
    op.create_table(
        "case_note",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("application_id", sa.Uuid, sa.ForeignKey("citizen.application.id"), nullable=False),
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("citizen.staff.id"), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        schema="citizen",
    )
    op.create_index("ix_case_note_application_id", "case_note", ["application_id"], schema="citizen")


def downgrade() -> None:
    op.drop_table("case_note", schema="citizen")
