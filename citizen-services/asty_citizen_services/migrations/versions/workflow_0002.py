"""Which department does whose work in a case that was sent on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "workflow_0002"
down_revision = "workflow_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case_state", sa.Column("moved", JSONB, nullable=False, server_default="{}"), schema="citizen")


def downgrade() -> None:
    op.drop_column("case_state", "moved", schema="citizen")
