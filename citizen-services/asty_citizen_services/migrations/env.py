"""Alembic's entry: runs inside `asty-citizen-services migrate`, on the connection it is given."""

from alembic import context
from sqlalchemy import Connection, text

from asty_citizen_services.database import SCHEMA

connection: Connection = context.config.attributes["connection"]
connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
# two programs that start at once migrate one after the other
connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('asty-citizen-migrate'))"))
context.configure(connection=connection, version_table_schema=SCHEMA)
with context.begin_transaction():
    context.run_migrations()
