"""The simulated municipal registers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "municipal_0001"
down_revision = None
branch_labels = ("municipal",)
depends_on = ("registry_0001",)


def upgrade() -> None:
    op.create_table(
        "register_entry",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("register", sa.Text, nullable=False),
        sa.Column("record", JSONB, nullable=False),
        sa.Column("test_data", sa.Boolean, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        schema="citizen",
    )
    op.create_index("ix_register_entry_register", "register_entry", ["register"], schema="citizen")


def downgrade() -> None:
    op.drop_table("register_entry", schema="citizen")
