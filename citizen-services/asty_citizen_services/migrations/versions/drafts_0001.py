"""Drafts and their files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "drafts_0001"
down_revision = None
branch_labels = ("drafts",)
depends_on = ("registry_0001", "identity_0001")


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "draft",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("citizen.citizen.id"), nullable=False),
        sa.Column("mandate_id", sa.Uuid, sa.ForeignKey("citizen.mandate.id")),
        sa.Column("amends", sa.Uuid, sa.ForeignKey("citizen.application.id")),
        sa.Column("answers", JSONB, nullable=False),
        sa.Column("browser_hash", sa.LargeBinary, nullable=False),
        _at("made_at"),
        _at("changed_at"),
        _at("filed_at", nullable=True),
        schema="citizen",
    )
    for column in ("citizen_id", "amends", "changed_at"):
        op.create_index(f"ix_draft_{column}", "draft", [column], schema="citizen")
    op.create_table(
        "upload",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("draft_id", sa.Uuid, sa.ForeignKey("citizen.draft.id"), nullable=False),
        sa.Column("application_id", sa.Uuid, sa.ForeignKey("citizen.application.id")),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        _at("made_at"),
        schema="citizen",
    )
    for column in ("draft_id", "application_id"):
        op.create_index(f"ix_upload_{column}", "upload", [column], schema="citizen")


def downgrade() -> None:
    for table in ("upload", "draft"):
        op.drop_table(table, schema="citizen")
