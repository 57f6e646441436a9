"""Documents with their signatures, and the employees' ways of signing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "documents_0001"
down_revision = None
branch_labels = ("documents",)
depends_on = ("registry_0001", "identity_0001")


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("application_id", sa.Uuid, sa.ForeignKey("citizen.application.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("docket_id", sa.Uuid, sa.ForeignKey("citizen.docket.id"), nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("test_data", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("signatures", JSONB, nullable=False),
        _at("made_at"),
        _at("delivered_at", nullable=True),
        sa.UniqueConstraint("code", name="uq_document_code"),
        schema="citizen",
    )
    for column in ("application_id", "sha256"):
        op.create_index(f"ix_document_{column}", "document", [column], schema="citizen")
    op.create_table(
        "signing_profile",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("citizen.staff.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("config", JSONB, nullable=False),
        sa.Column("key_file", sa.LargeBinary),
        _at("made_at"),
        _at("ended_at", nullable=True),
        schema="citizen",
    )
    op.create_index("ix_signing_profile_staff_id", "signing_profile", ["staff_id"], schema="citizen")


def downgrade() -> None:
    for table in ("signing_profile", "document"):
        op.drop_table(table, schema="citizen")
