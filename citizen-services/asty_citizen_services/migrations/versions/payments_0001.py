"""Fees."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0001"
down_revision = None
branch_labels = ("payments",)
depends_on = ("registry_0001", "identity_0001")


def upgrade() -> None:
    op.create_table(
        "fee",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("application_id", sa.Uuid, sa.ForeignKey("citizen.application.id")),
        sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("citizen.citizen.id"), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("cents", sa.Integer, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True)),
        sa.Column("paid_by", sa.Text),
        sa.Column("bank_reference", sa.Text),
        *(sa.UniqueConstraint(column, name=f"uq_fee_{column}") for column in ("number", "key", "code", "bank_reference")),
        schema="citizen",
    )
    for column in ("application_id", "citizen_id"):
        op.create_index(f"ix_fee_{column}", "fee", [column], schema="citizen")


def downgrade() -> None:
    op.drop_table("fee", schema="citizen")
