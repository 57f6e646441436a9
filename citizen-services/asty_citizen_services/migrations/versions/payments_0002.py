"""Fees that nobody owes any more, and money that goes back."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0002"
down_revision = "payments_0001"
branch_labels = None
depends_on = None

_NEW = ("why", "refunded_by", "refund_reference")


def upgrade() -> None:
    op.alter_column("fee", "citizen_id", nullable=True, schema="citizen")
    for column in _NEW:
        op.add_column("fee", sa.Column(column, sa.Text), schema="citizen")
    op.add_column("fee", sa.Column("refunded_at", sa.DateTime(timezone=True)), schema="citizen")


def downgrade() -> None:
    for column in (*_NEW, "refunded_at"):
        op.drop_column("fee", column, schema="citizen")
    op.alter_column("fee", "citizen_id", nullable=False, schema="citizen")
