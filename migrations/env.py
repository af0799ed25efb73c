"""Runs the migrations: all of them in one transaction, one run at a time, giving up rather than blocking others.

Reads the database from the service's own settings, unless the caller of Alembic's API puts `database_url` into the
attributes of its Config; `lock_timeout` may stand there too.
"""

import asyncio
import sys
from logging.config import fileConfig

from alembic import context
from sqlalchemy import Connection, text

from todo_api.adapters.postgres.engine import DatabaseConfig, DatabaseUrlError, create_engine
from todo_api.adapters.postgres.tables import metadata
from todo_api.settings import Settings

# Long enough for a statement to end, short enough that requests that queue behind a waiting migration survive it.
LOCK_TIMEOUT = "10s"
MIGRATION_LOCK = 0x746F646F  # any number that nothing else in the database locks


def database_url() -> str:
    """Return the URL of the database to migrate, or end the program with what to do."""
    if url := context.config.attributes.get("database_url"):
        return str(url)
    configured = Settings().database_url
    if configured is None:
        sys.exit("Set DATABASE_URL to the database to migrate, such as postgresql://user:password@host/database.")
    return configured.get_secret_value()


def migrate(connection: Connection) -> None:
    """Run the migrations that are asked for."""
    # The revision is read after the lock is had, so that a second run finds the first one's work done.
    lock_timeout = context.config.attributes.get("lock_timeout", LOCK_TIMEOUT)
    connection.execute(text("SELECT set_config('lock_timeout', :timeout, true)"), {"timeout": lock_timeout})
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    context.run_migrations()


async def run() -> None:
    """Connect and migrate."""
    try:
        # A migration may take its time; only waiting for locks is bounded.
        engine = create_engine(DatabaseConfig(url=database_url(), statement_timeout=None), pooled=False)
    except DatabaseUrlError as error:
        sys.exit(f"DATABASE_URL {error}.")
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


if context.is_offline_mode():
    sys.exit("SQL scripts are not supported: run `alembic upgrade head` against the database.")
if context.config.config_file_name is not None and context.config.attributes.get("configure_logging", True):
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)
asyncio.run(run())
