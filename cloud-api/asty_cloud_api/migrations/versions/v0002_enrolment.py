"""Claims, requests and certificates of edges."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "enrolment_claim",
        sa.Column("serial", sa.Text, primary_key=True),
        sa.Column("edge", sa.Text, nullable=False),
        _moment("made_at"),
        sa.Column("made_by", sa.Text, nullable=False),
        _moment("expires_at"),
        _moment("withdrawn_at", nullable=True),
        schema="fleet",
    )
    op.create_table(
        "enrolment_request",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("claim", sa.Text, sa.ForeignKey("fleet.enrolment_claim.serial"), nullable=False, unique=True),
        sa.Column("edge", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("csr", sa.Text, nullable=False),
        _moment("asked_at"),
        sa.Column("asked_from", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        _moment("decided_at", nullable=True),
        sa.Column("decided_by", sa.Text),
        sa.Column("why", sa.Text),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'refused')", name="enrolment_request_state"),
        schema="fleet",
    )
    op.create_table(
        "edge_certificate",
        sa.Column("serial", sa.Text, primary_key=True),
        sa.Column("edge", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("pem", sa.Text, nullable=False),
        _moment("not_before"),
        _moment("not_after"),
        _moment("issued_at"),
        sa.Column("request", sa.Uuid, sa.ForeignKey("fleet.enrolment_request.id")),
        sa.Column("renews", sa.Text, sa.ForeignKey("fleet.edge_certificate.serial")),
        _moment("revoked_at", nullable=True),
        sa.Column("revoked_by", sa.Text),
        sa.Column("why", sa.Text),
        schema="fleet",
    )
    for table in ("enrolment_claim", "enrolment_request", "edge_certificate"):
        op.create_index(f"ix_fleet_{table}_edge", table, ["edge"], schema="fleet")


def downgrade() -> None:
    for table in ("edge_certificate", "enrolment_request", "enrolment_claim"):
        op.drop_table(table, schema="fleet")
