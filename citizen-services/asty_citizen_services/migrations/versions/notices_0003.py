"""Notices to people who are no citizens of the portal: a second signer, a head of department."""

from alembic import op

revision = "notices_0003"
down_revision = "notices_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("notice", "citizen_id", nullable=True, schema="citizen")


def downgrade() -> None:
    op.execute("DELETE FROM citizen.notice_delivery d USING citizen.notice n WHERE n.id = d.notice_id AND n.citizen_id IS NULL")
    op.execute("DELETE FROM citizen.notice WHERE citizen_id IS NULL")
    op.alter_column("notice", "citizen_id", nullable=False, schema="citizen")
