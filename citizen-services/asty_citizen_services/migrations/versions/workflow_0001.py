"""Cases: pinned diagrams, states, tasks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "workflow_0001"
down_revision = None
branch_labels = ("workflow",)
depends_on = ("registry_0001", "identity_0001")


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "case_model",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("xml", sa.Text, nullable=False),
        sa.Column("seats", JSONB, nullable=False),
        _at("made_at"),
        schema="citizen",
    )
    op.create_table(
        "case_state",
        sa.Column("application_id", sa.Uuid, sa.ForeignKey("citizen.application.id"), primary_key=True),
        sa.Column("digest", sa.Text, sa.ForeignKey("citizen.case_model.digest"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tokens", JSONB, nullable=False),
        sa.Column("passed", JSONB, nullable=False),
        sa.Column("ended", sa.Text),
        _at("next_term", nullable=True),
        _at("changed_at"),
        schema="citizen",
    )
    op.create_index("ix_case_state_next_term", "case_state", ["next_term"], schema="citizen")
    op.create_table(
        "case_task",
        sa.Column("token", sa.Uuid, primary_key=True),
        sa.Column("application_id", sa.Uuid, sa.ForeignKey("citizen.application.id"), nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("seat", sa.Text, nullable=False),
        sa.Column("role", sa.Text),
        _at("since"),
        _at("due_at", nullable=True),
        sa.Column("claimed_by", sa.Uuid, sa.ForeignKey("citizen.staff.id")),
        _at("claimed_at", nullable=True),
        _at("done_at", nullable=True),
        sa.Column("done_by", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("given", JSONB, nullable=False),
        schema="citizen",
    )
    for column in ("application_id", "seat", "claimed_by", "done_at"):
        op.create_index(f"ix_case_task_{column}", "case_task", [column], schema="citizen")


def downgrade() -> None:
    for table in ("case_task", "case_state", "case_model"):
        op.drop_table(table, schema="citizen")
