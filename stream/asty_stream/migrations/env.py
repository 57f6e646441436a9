"""Alembic's entry: runs on the connection that `asty_stream.migrate` hands over, never by itself."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="alembic_version", version_table_schema="telemetry", transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
