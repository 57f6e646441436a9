"""Published rankings of the nurseries, objections to them, withdrawals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "nursery_0001"
down_revision = None
branch_labels = ("nursery",)
depends_on = ("registry_0001", "identity_0001", "documents_0001")


def upgrade() -> None:
    op.alter_column("document", "application_id", nullable=True, schema="citizen")
    op.create_table(
        "nursery_list",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("places", JSONB, nullable=False),
        sa.Column("document_id", sa.Uuid, sa.ForeignKey("citizen.document.id"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid, sa.ForeignKey("citizen.staff.id"), nullable=False),
        sa.Column("objections_until", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("year", "version", name="uq_nursery_list_year_version"),
        schema="citizen",
    )
    op.create_table(
        "nursery_objection",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("list_id", sa.Uuid, sa.ForeignKey("citizen.nursery_list.id"), nullable=False),
        sa.Column("application_id", sa.Uuid, sa.ForeignKey("citizen.application.id"), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("decided_by", sa.Uuid, sa.ForeignKey("citizen.staff.id")),
        sa.Column("outcome", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("points", sa.Integer),
        sa.UniqueConstraint("list_id", "application_id", name="uq_nursery_objection_list_id_application_id"),
        schema="citizen",
    )
    op.create_index("ix_nursery_objection_application_id", "nursery_objection", ["application_id"], schema="citizen")
    op.create_table(
        "nursery_withdrawal",
        sa.Column("application_id", sa.Uuid, sa.ForeignKey("citizen.application.id"), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        schema="citizen",
    )
    # What was published stays as it was: corrections are a new version.
    op.execute("""
        CREATE FUNCTION citizen.nursery_list_is_frozen() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'a published list is never changed'; END $$
    """)
    op.execute(
        "CREATE TRIGGER nursery_list_is_frozen BEFORE UPDATE OR DELETE ON citizen.nursery_list "
        "FOR EACH ROW EXECUTE FUNCTION citizen.nursery_list_is_frozen()"
    )


def downgrade() -> None:
    for table in ("nursery_withdrawal", "nursery_objection", "nursery_list"):
        op.drop_table(table, schema="citizen")
    op.execute("DROP FUNCTION citizen.nursery_list_is_frozen()")
    op.execute("DELETE FROM citizen.document WHERE application_id IS NULL")
    op.alter_column("document", "application_id", nullable=False, schema="citizen")
