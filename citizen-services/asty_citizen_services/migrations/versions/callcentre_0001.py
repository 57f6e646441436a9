"""Calls, their notes, the forms filled in for callers, and the links by which callers go on themselves."""

import sqlalchemy as sa
from alembic import op

revision = "callcentre_0001"
down_revision = None
branch_labels = ("callcentre",)
depends_on = ("identity_0002", "drafts_0001")


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "call",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("citizen.citizen.id"), nullable=False),
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("citizen.staff.id"), nullable=False),
        sa.Column("check_id", sa.Uuid, sa.ForeignKey("citizen.identity_check.id")),
        _at("began_at"),
        _at("ended_at", nullable=True),
        schema="citizen",
    )
    op.create_table(
        "call_note",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("citizen.call.id"), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        _at("made_at"),
        schema="citizen",
    )
    op.create_table(
        "call_draft",
        sa.Column("draft_id", sa.Uuid, primary_key=True),
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("citizen.call.id"), primary_key=True),
        schema="citizen",
    )
    op.create_table(
        "handoff",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("citizen.call.id"), nullable=False),
        sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("citizen.citizen.id"), nullable=False),
        sa.Column("draft_id", sa.Uuid, nullable=False),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("browser_hash", sa.LargeBinary),
        _at("made_at"),
        _at("expires_at"),
        _at("opened_at", nullable=True),
        _at("ended_at", nullable=True),
        sa.UniqueConstraint("token_hash", name="uq_handoff_token_hash"),
        sa.UniqueConstraint("browser_hash", name="uq_handoff_browser_hash"),
        schema="citizen",
    )
    for table, column in (
        ("call", "citizen_id"), ("call", "staff_id"), ("call_note", "call_id"), ("call_draft", "call_id"), ("handoff", "call_id"),
        ("handoff", "citizen_id"),
    ):  # fmt: skip
        op.create_index(f"ix_{table}_{column}", table, [column], schema="citizen")


def downgrade() -> None:
    for table in ("handoff", "call_draft", "call_note", "call"):
        op.drop_table(table, schema="citizen")
