"""Applications, the protocol, its yearly counter."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "registry_0001"
down_revision = None
branch_labels = ("registry",)
depends_on = ("identity_0001",)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "protocol_year",
        sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last", sa.Integer, nullable=False),
        schema="citizen",
    )
    op.create_table(
        "application",
        sa.Column("id", sa.Uuid, primary_key=True),
        *_text("procedure", "version"),
        sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("citizen.citizen.id")),
        sa.Column("mandate_id", sa.Uuid, sa.ForeignKey("citizen.mandate.id")),
        *_text("department", "channel", "language", "filed_by"),
        _at("filed_at"),
        *_text("key"),
        sa.Column("content_hash", sa.LargeBinary, nullable=False),
        sa.Column("answers", JSONB, nullable=False),
        *_text("state"),
        _at("changed_at"),
        _at("due_at", nullable=True),
        sa.UniqueConstraint("filed_by", "key", name="uq_application_filed_by_key"),
        schema="citizen",
    )
    for column in ("procedure", "citizen_id", "filed_at", "state"):
        op.create_index(f"ix_application_{column}", "application", [column], schema="citizen")
    op.create_table(
        "docket",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        *_text("direction"),
        _at("at"),
        *_text("issuer", "subject", "department"),
        sa.Column("application_id", sa.Uuid, sa.ForeignKey("citizen.application.id")),
        sa.Column("content_hash", sa.LargeBinary, nullable=False),
        _at("cancelled_at", nullable=True),
        sa.Column("cancelled_by", sa.Text),
        sa.Column("cancelled_why", sa.Text),
        sa.UniqueConstraint("year", "number", name="uq_docket_year_number"),
        sa.CheckConstraint("direction IN ('in', 'out')", "ck_docket_direction"),
        sa.CheckConstraint("number >= 1", "ck_docket_number"),
        sa.CheckConstraint("(cancelled_at IS NULL) = (cancelled_by IS NULL AND cancelled_why IS NULL)", "ck_docket_cancelled"),
        schema="citizen",
    )
    for column in ("at", "application_id"):
        op.create_index(f"ix_docket_{column}", "docket", [column], schema="citizen")
    # a number is given once and its entry stays: only a cancellation may be written to it, and only once
    op.execute("""
        CREATE FUNCTION citizen.keep_docket() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.cancelled_at IS NULL AND NEW.cancelled_at IS NOT NULL
               AND (to_jsonb(NEW) - ARRAY['cancelled_at', 'cancelled_by', 'cancelled_why'])
                 = (to_jsonb(OLD) - ARRAY['cancelled_at', 'cancelled_by', 'cancelled_why']) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'an entry of the protocol is cancelled, never changed or deleted' USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    op.execute("CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON citizen.docket FOR EACH ROW EXECUTE FUNCTION citizen.keep_docket()")


def downgrade() -> None:
    for table in ("docket", "application", "protocol_year"):
        op.drop_table(table, schema="citizen")
    op.execute("DROP FUNCTION citizen.keep_docket")
