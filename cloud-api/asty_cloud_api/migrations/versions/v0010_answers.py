"""How a trigger was answered, as code and parameters: a screen says it in its reader's language."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("plan_trigger", sa.Column("answer", JSONB), schema="fleet")


def downgrade() -> None:
    op.drop_column("plan_trigger", "answer", schema="fleet")
