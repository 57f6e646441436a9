"""Accounts, sessions and machine tokens of the staff; who closed a street and who wrote a message."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

revision = "0009"
down_revision = "0008"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "staff_account",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("username", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("roles", ARRAY(TEXT), nullable=False),
        sa.Column("passphrase_hash", sa.Text),
        sa.Column("subject", sa.Text, unique=True),
        sa.Column("email", sa.Text, unique=True),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("demo", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("made", MOMENT, nullable=False, server_default=sa.func.now()),
        schema="fleet",
    )
    op.create_table(
        "staff_session",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("account", sa.Uuid, sa.ForeignKey("fleet.staff_account.id", ondelete="CASCADE"), nullable=False),
        sa.Column("made", MOMENT, nullable=False),
        sa.Column("seen", MOMENT, nullable=False),
        sa.Column("expires", MOMENT, nullable=False),
        schema="fleet",
    )
    op.create_table(
        "staff_browser",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("seen", MOMENT, nullable=False),
        schema="fleet",
    )
    op.create_table(
        "machine_token",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("roles", ARRAY(TEXT), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("made", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("expires", MOMENT),
        schema="fleet",
    )
    op.add_column("closure", sa.Column("made_by", sa.Text), schema="fleet")
    op.add_column("closure", sa.Column("changed_by", sa.Text), schema="fleet")
    op.add_column("message", sa.Column("sent_by", sa.Text), schema="fleet")


def downgrade() -> None:
    op.drop_column("message", "sent_by", schema="fleet")
    op.drop_column("closure", "changed_by", schema="fleet")
    op.drop_column("closure", "made_by", schema="fleet")
    for table in ("machine_token", "staff_browser", "staff_session", "staff_account"):
        op.drop_table(table, schema="fleet")
