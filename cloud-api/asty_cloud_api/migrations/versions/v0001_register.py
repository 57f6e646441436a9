"""Vehicles, bins, places and the map."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "vehicle",
        sa.Column("edge", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("plate", sa.Text),
        sa.Column("capacity_kg", sa.Float),
        schema="fleet",
    )
    op.create_table(
        "bin",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tag", sa.Text, unique=True),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("volume_l", sa.Integer, nullable=False),
        sa.Column("lat", sa.Float, nullable=False),
        sa.Column("lon", sa.Float, nullable=False),
        sa.Column("street", sa.Text),
        schema="fleet",
    )
    op.create_table(
        "place",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("lat", sa.Float, nullable=False),
        sa.Column("lon", sa.Float, nullable=False),
        schema="fleet",
    )
    op.create_table(
        "town_layer",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("geojson_gz", sa.LargeBinary, nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        schema="fleet",
    )


def downgrade() -> None:
    for table in ("town_layer", "place", "bin", "vehicle"):
        op.drop_table(table, schema="fleet")
