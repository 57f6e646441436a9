"""Alembic's entry: runs inside `asty-cloud-api migrate`, on the connection it is given."""

from alembic import context
from sqlalchemy import Connection, text

from asty_cloud_api.fleet.models import SCHEMA, Base

connection: Connection = context.config.attributes["connection"]
connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=lambda name, kind, _parents: kind != "schema" or name == SCHEMA,
)
with context.begin_transaction():
    context.run_migrations()
