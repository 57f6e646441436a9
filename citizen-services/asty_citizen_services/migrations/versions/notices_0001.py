"""The outbox of notices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "notices_0001"
down_revision = None
branch_labels = ("notices",)
depends_on = ("identity_0001",)


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("citizen.citizen.id"), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("values", JSONB, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("key", name="uq_notice_key"),
        schema="citizen",
    )
    for column in ("citizen_id", "about"):
        op.create_index(f"ix_notice_{column}", "notice", [column], schema="citizen")


def downgrade() -> None:
    op.drop_table("notice", schema="citizen")
