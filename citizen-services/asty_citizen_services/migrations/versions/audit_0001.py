"""The audit's entries and heads, and the trigger that keeps entries as they are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "audit_0001"
down_revision = None
branch_labels = ("audit",)


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("details", JSONB, nullable=False),
        sa.Column("before", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        schema="citizen",
    )
    op.create_index("ix_audit_entry_subject_at", "audit_entry", ["subject", "at"], schema="citizen")
    op.create_index("ix_audit_entry_actor_at", "audit_entry", ["actor", "at"], schema="citizen")
    op.create_table(
        "audit_head",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        schema="citizen",
    )
    op.execute("""
        CREATE FUNCTION citizen.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege'; END $$
    """)
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON citizen.audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION citizen.refuse_change()
    """)


def downgrade() -> None:
    for table in ("audit_head", "audit_entry"):
        op.drop_table(table, schema="citizen")
    op.execute("DROP FUNCTION citizen.refuse_change")
