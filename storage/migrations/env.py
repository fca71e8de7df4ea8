"""Where Alembic enters: always from `storage.upgrade`, with a connection already open."""

from alembic import context

from storage.tables import metadata

# No batch mode: on SQLite it rebuilds a table without its triggers, and the log's are what keeps it append-only.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=False,
)
context.run_migrations()
