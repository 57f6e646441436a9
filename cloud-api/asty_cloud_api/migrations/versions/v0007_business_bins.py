"""Publish which bins are a business's: the citizens' services show what was collected there."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("CREATE VIEW fleet.v_business_bin AS SELECT id, tag, business FROM fleet.bin WHERE business IS NOT NULL AND tag IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP VIEW fleet.v_business_bin")
