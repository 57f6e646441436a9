"""Keys that citizens give to programs."""

import sqlalchemy as sa
from alembic import op

revision = "interface_0001"
down_revision = None
branch_labels = ("interface",)
depends_on = ("identity_0001",)


def upgrade() -> None:
    op.create_table(
        "program_key",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("citizen.citizen.id"), nullable=False),
        sa.Column("mandate_id", sa.Uuid, sa.ForeignKey("citizen.mandate.id")),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("may_file", sa.Boolean, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("token_hash", name="uq_program_key_token_hash"),
        schema="citizen",
    )
    op.create_index("ix_program_key_citizen_id", "program_key", ["citizen_id"], schema="citizen")


def downgrade() -> None:
    op.drop_table("program_key", schema="citizen")
