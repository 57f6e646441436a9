"""Tickets of bins."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "ticket",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("bin", sa.Text, sa.ForeignKey("fleet.bin.id", ondelete="CASCADE"), nullable=False),
        sa.Column("first", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("detail", JSONB, nullable=False),
        sa.Column("state", sa.Text, sa.CheckConstraint("state IN ('open', 'closed')"), nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("closed", sa.DateTime(timezone=True)),
        sa.Column("closed_by", sa.Text),
        schema="fleet",
    )
    op.create_index("one_open_ticket", "ticket", ["bin"], unique=True, schema="fleet", postgresql_where=sa.text("state = 'open'"))


def downgrade() -> None:
    op.drop_table("ticket", schema="fleet")
