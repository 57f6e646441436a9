"""The town's own fixed routes, for comparison: which truck empties which bins on which weekday, in which order."""

from alembic import op

revision = "0008"
down_revision = "0007"

UPGRADE = """
CREATE TABLE fleet.fixed_route (
    weekday smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    edge text NOT NULL,
    seq int NOT NULL,
    bin text NOT NULL,
    PRIMARY KEY (weekday, edge, seq)
);
COMMENT ON TABLE fleet.fixed_route IS
    'As imported, and of no bin or truck that the register did not have then: weekday 1 is Monday (ISO 8601).';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP TABLE fleet.fixed_route")
