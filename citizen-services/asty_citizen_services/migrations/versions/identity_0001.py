"""Citizens, staff, their ways in, roles, mandates, sessions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "identity_0001"
down_revision = None
branch_labels = ("identity",)

TABLES = (
    "ceremony", "session", "delegation", "absence", "passkey", "invitation", "staff_role", "mandate",
    "one_time_code", "contact_point", "staff", "department", "citizen",
)  # fmt: skip


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid, primary_key=True)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _of(name: str, target: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid, sa.ForeignKey(f"citizen.{target}.id"), nullable=nullable, primary_key=primary_key)


def upgrade() -> None:
    _citizens()
    _staff()
    op.create_table(
        "session",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        _of("citizen_id", "citizen", nullable=True),
        _of("staff_id", "staff", nullable=True),
        _of("mandate_id", "mandate", nullable=True),
        _at("made_at"), _at("seen_at"), _at("expires_at"),
        sa.CheckConstraint("(citizen_id IS NULL) <> (staff_id IS NULL)", "ck_session_one_kind"),
        schema="citizen",
    )  # fmt: skip
    op.create_table(
        "ceremony",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        *_text("kind"),
        sa.Column("data", JSONB, nullable=False),
        _at("expires_at"),
        schema="citizen",
    )
    for table, column in (
        ("contact_point", "citizen_id"), ("one_time_code", "citizen_id"), ("mandate", "citizen_id"), ("mandate", "afm"),
        ("invitation", "staff_id"), ("passkey", "staff_id"), ("absence", "staff_id"), ("delegation", "from_id"), ("delegation", "to_id"),
        ("session", "citizen_id"), ("session", "staff_id"), ("ceremony", "expires_at"),
    ):  # fmt: skip
        op.create_index(f"ix_{table}_{column}", table, [column], schema="citizen")
    op.create_index(
        "uq_contact_point_current", "contact_point", ["citizen_id", "kind"], unique=True, schema="citizen",
        postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip


def _citizens() -> None:
    op.create_table(
        "citizen",
        _id(),
        sa.Column("taxid", sa.Text, nullable=False),
        *_text("lastname", "firstname", "fathername", "mothername"),
        sa.Column("birthyear", sa.Integer),
        _at("first_seen_at"), _at("last_seen_at"),
        sa.UniqueConstraint("taxid", name="uq_citizen_taxid"),
        sa.CheckConstraint("taxid ~ '^[0-9]{9}$' AND taxid <> '000000000'", "ck_citizen_taxid"),
        schema="citizen",
    )  # fmt: skip
    op.create_table(
        "contact_point", _id(), _of("citizen_id", "citizen"), *_text("kind", "address"), _at("verified_at"), _at("ended_at", nullable=True),
        sa.CheckConstraint("kind IN ('phone', 'email')", "ck_contact_point_kind"),
        schema="citizen",
    )  # fmt: skip
    op.create_table(
        "one_time_code", _id(), _of("citizen_id", "citizen"), *_text("kind", "address"),
        sa.Column("code_hash", sa.LargeBinary, nullable=False),
        _at("made_at"), _at("expires_at"),
        sa.Column("tries_left", sa.Integer, nullable=False),
        _at("used_at", nullable=True),
        schema="citizen",
    )  # fmt: skip


def _staff() -> None:
    op.create_table("department", sa.Column("slug", sa.Text, primary_key=True), *_text("name_el", "name_en"), schema="citizen")
    op.create_table(
        "staff", _id(), *_text("username", "name", "email"), sa.Column("oidc_subject", sa.Text),
        _at("made_at"), _at("ended_at", nullable=True),
        sa.UniqueConstraint("username", name="uq_staff_username"),
        sa.UniqueConstraint("oidc_subject", name="uq_staff_oidc_subject"),
        schema="citizen",
    )  # fmt: skip
    op.create_table(
        "mandate", _id(), _of("citizen_id", "citizen"), *_text("afm", "legal_name", "basis"),
        _at("valid_from"), _at("valid_until", nullable=True), _of("recorded_by", "staff"), _at("recorded_at"),
        _at("revoked_at", nullable=True), _of("revoked_by", "staff", nullable=True),
        schema="citizen",
    )  # fmt: skip
    op.create_table(
        "staff_role",
        _of("staff_id", "staff", primary_key=True),
        sa.Column("department", sa.Text, sa.ForeignKey("citizen.department.slug"), primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        _at("given_at"),
        *_text("given_by"),
        schema="citizen",
    )
    op.create_table(
        "invitation", sa.Column("token_hash", sa.LargeBinary, primary_key=True), _of("staff_id", "staff"),
        _at("made_at"), *_text("made_by"), _at("expires_at"), _at("used_at", nullable=True),
        schema="citizen",
    )  # fmt: skip
    op.create_table(
        "passkey", sa.Column("id", sa.LargeBinary, primary_key=True), _of("staff_id", "staff"),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        *_text("name"), _at("made_at"), _at("used_at", nullable=True),
        schema="citizen",
    )  # fmt: skip
    op.create_table(
        "absence", _id(), _of("staff_id", "staff"), _at("begins_at"), _at("ends_at"), *_text("reason"), _at("made_at"),
        sa.CheckConstraint("ends_at > begins_at", "ck_absence_ends"),
        schema="citizen",
    )  # fmt: skip
    op.create_table(
        "delegation", _id(), _of("from_id", "staff"), _of("to_id", "staff"),
        sa.Column("department", sa.Text, sa.ForeignKey("citizen.department.slug"), nullable=False),
        *_text("role"), _at("begins_at"), _at("ends_at"), *_text("made_by"), _at("made_at"), _at("ended_at", nullable=True),
        sa.CheckConstraint("ends_at > begins_at AND from_id <> to_id", "ck_delegation_ends"),
        schema="citizen",
    )  # fmt: skip


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table, schema="citizen")
