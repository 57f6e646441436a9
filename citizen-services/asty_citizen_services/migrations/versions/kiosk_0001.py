"""Registered kiosks, what they hand to phones, and drafts that belong to nobody yet."""

import sqlalchemy as sa
from alembic import op

revision = "kiosk_0001"
down_revision = None
branch_labels = ("kiosk",)
depends_on = ("drafts_0001",)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.alter_column("draft", "citizen_id", nullable=True, schema="citizen")
    op.create_table(
        "kiosk_device",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("invitation_hash", sa.LargeBinary),
        _at("invited_until", nullable=True),
        sa.Column("token_hash", sa.LargeBinary),
        _at("made_at"),
        _at("registered_at", nullable=True),
        _at("seen_at", nullable=True),
        _at("ended_at", nullable=True),
        *(sa.UniqueConstraint(name, name=f"uq_kiosk_device_{name}") for name in ("name", "invitation_hash", "token_hash")),
        schema="citizen",
    )
    op.create_table(
        "kiosk_hand_off",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("draft_id", sa.Uuid, sa.ForeignKey("citizen.draft.id", ondelete="CASCADE"), nullable=False),
        sa.Column("device_id", sa.Uuid, sa.ForeignKey("citizen.kiosk_device.id"), nullable=False),
        _at("made_at"),
        _at("expires_at"),
        sa.Column("browser_hash", sa.LargeBinary),
        _at("opened_at", nullable=True),
        _at("taken_at", nullable=True),
        schema="citizen",
    )
    op.create_index("ix_kiosk_hand_off_draft_id", "kiosk_hand_off", ["draft_id"], schema="citizen")


def downgrade() -> None:
    for table in ("kiosk_hand_off", "kiosk_device"):
        op.drop_table(table, schema="citizen")
    op.execute("DELETE FROM citizen.draft WHERE citizen_id IS NULL")
    op.alter_column("draft", "citizen_id", nullable=False, schema="citizen")
